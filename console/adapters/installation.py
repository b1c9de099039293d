"""Ask a running installation over HTTP and believe nothing of it.

Every answer is bounded in time and size, redirects are never followed, certificates are checked.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from console.adapters import tls
from console.adapters.talk import Talk, ended_after

# More than this of an answer is none: our largest are some hundred kilobytes.
READ_AT_MOST = 4 * 1024 * 1024
TOLD_AT_MOST = 200


class Wrong(Exception):
    """What an installation did that it should not; the text says it in a few words."""


class Unreachable(Wrong):
    """There is nobody to talk to: refused, silent, or not who the certificate should name."""


@dataclass(frozen=True)
class Page:
    """An answer with status 200: its kind, as in `text/html`, and its text."""

    kind: str
    text: str


class Installation:
    """A running installation at `base_url`, asked with one token; all talks together end at the `deadline` (seconds).

    Raises ValueError for an address that is none, and for one that would send the token unencrypted over a network
    unless `plain` allows it.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout: float = 15.0,
        deadline: float = 180.0,
        plain: bool = False,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._parts = _address(base_url, plain=plain)
        self._token = token
        self._timeout = timeout
        self._end = time.monotonic() + deadline
        self._context = context

    def page(self, path: str) -> Page:
        """Return the page at a path; raises Wrong for every other answer than a page that can be read."""
        kind, content = self._ask("GET", path, "text/html")
        try:
            return Page(kind, content.decode())
        except UnicodeDecodeError:
            raise Wrong("the answer is no text in UTF-8") from None

    def get(self, path: str) -> dict[str, Any]:
        """Return the JSON object at a path; raises Wrong for everything else."""
        return self._object(*self._ask("GET", path, "application/json"))

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send a JSON object and return the one that is answered; raises Wrong for everything else."""
        return self._object(*self._ask("POST", path, "application/json", json.dumps(body).encode()))

    def rows(self, path: str) -> list[Any]:
        """Return the JSON array at a path; raises Wrong for everything else."""
        found = _parsed(*self._ask("GET", path, "application/json"))
        if not isinstance(found, list):
            raise Wrong("the answer is no JSON array")
        return found

    def _object(self, kind: str, content: bytes) -> dict[str, Any]:
        found = _parsed(kind, content)
        if not isinstance(found, dict):
            raise Wrong("the answer is no JSON object")
        return found

    def _ask(self, method: str, path: str, accept: str, body: bytes | None = None) -> tuple[str, bytes]:
        left = min(self._timeout, self._end - time.monotonic())
        if left <= 0:
            raise Unreachable("the time for the whole walk is used up")
        end = time.monotonic() + left
        connection = Talk(self._parts.netloc, timeout=left)
        headers = {
            "Accept": accept,
            "Accept-Encoding": "identity",
            "User-Agent": "ka-facility-os-deploy",
            "X-Admin-Token": self._token,
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.sock, handshake = self._socket(left)
            with ended_after(connection, left):
                # Inside: a server could spell out its certificate a letter at a time.
                handshake()
                connection.request(method, self._parts.path.rstrip("/") + path, body=body, headers=headers)
                found = _read(connection.getresponse())
            if time.monotonic() >= end:
                # What was cut off in the middle can look like the end of an answer.
                raise TimeoutError
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(f"the certificate is refused: {error.verify_message}"[:TOLD_AT_MOST]) from None
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, TimeoutError) or time.monotonic() >= end:
                raise Unreachable(f"no answer within {left:.0f} s") from None
            raise Unreachable(f"no talk is possible ({type(error).__name__})") from None
        return found

    def _socket(self, timeout: float) -> tuple[socket.socket, Callable[[], None]]:
        """Return a connected socket and what makes the talk on it a private one."""
        host = self._parts.hostname or ""
        secure = self._parts.scheme == "https"
        connected = socket.create_connection((host, self._parts.port or (443 if secure else 80)), timeout)
        if not secure:
            return connected, lambda: None
        context = self._context or tls.verifying()
        wrapped = context.wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
        return wrapped, wrapped.do_handshake


def _address(base_url: str, *, plain: bool) -> SplitResult:
    parts = urlsplit(base_url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the address has to begin with https:// or http:// and name a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("the address must have no user, no query and no fragment")
    try:
        _port = parts.port
    except ValueError:
        raise ValueError("the port of the address is none") from None
    if parts.scheme == "http" and not plain and not _is_loopback(parts.hostname):
        raise ValueError("the token would go over the network unencrypted; use https://")
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(response: http.client.HTTPResponse) -> tuple[str, bytes]:
    if 300 <= response.status < 400:
        # Never followed: the token is for this address alone.
        raise Wrong(f"redirects ({response.status}) to {_told(response.getheader('Location') or 'nowhere')}")
    content = response.read(READ_AT_MOST + 1)
    if response.status != http.client.OK:
        raise Wrong(f"answers {response.status}: {_told(content.decode(errors='replace'))}")
    if len(content) > READ_AT_MOST:
        raise Wrong(f"the answer is larger than {READ_AT_MOST // 1024 // 1024} MB")
    return (response.getheader("Content-Type") or "").partition(";")[0].strip().lower(), content


def _parsed(kind: str, content: bytes) -> Any:
    if kind != "application/json":
        raise Wrong(f"answers {_told(kind) or 'without a kind'} instead of JSON")
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Wrong("the answer is no JSON that can be read") from None


def _told(text: str) -> str:
    """Return what a server said as one short line without signs that a terminal would obey."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * TOLD_AT_MOST])
    return " ".join(plain.split())[:TOLD_AT_MOST]
