"""Send one message to a channel outside: bounded in time and size, to public addresses only, never redirected."""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from email.message import EmailMessage
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo

from console.adapters import tls
from console.adapters.alert_text import lines
from console.adapters.talk import BrokenOffError, Talk, ended_after
from console.core.config import Config
from console.core.serialize import plain
from console.domain.alerts.alerts import MAIL, NAMED, NAMING, SLACK, Channel, Sent, answered, signature
from console.domain.text import T, Text

# More than this of an answer is not read: a receiver's page tells us nothing.
READ_AT_MOST = 64 * 1024
Resolve = Callable[[str, int], list[str]]
# RFC 8215: a network's own translation, whatever it translates to.
_LOCAL_TRANSLATION = (ipaddress.IPv6Network("64:ff9b:1::/48"),)
# IPv4 in the last 32 bits: compatible and mapped (RFC 4291), translated (RFC 7915), NAT64 (RFC 6052).
_CARRIERS = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
_ISATAP = (0x00005EFE, 0x02005EFE)


# Names that exist nowhere (RFC 6761, RFC 2606).
_RESERVED = frozenset({"example", "invalid", "test"})


class ForbiddenAddressError(OSError):
    """The name leads to an address inside our own network."""


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host name; one that is reserved for examples and tests is not even looked up."""
    if host.rstrip(".").rpartition(".")[2].lower() in _RESERVED:
        raise socket.gaierror(socket.EAI_NONAME, "the name is reserved")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def is_public(address: str) -> bool:
    """Return whether an address is out in the world: not loopback, private, link-local, shared or reserved.

    An IPv6 address that carries an IPv4 one is judged by it: that is where the packets may end up.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.is_site_local or any(parsed in network for network in _LOCAL_TRANSLATION):
            return False
        inner = list(_carried(parsed))
        if inner:
            return all(map(_is_out, inner))
    return _is_out(parsed)


def _is_out(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_global and not address.is_multicast


def _carried(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """Return the IPv4 addresses inside an IPv6 one: mapped, translated, compatible, NAT64, 6to4, Teredo, ISATAP."""
    number = int(address)
    last = ipaddress.IPv4Address(number & 0xFFFFFFFF)
    if any(address in network for network in _CARRIERS) or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        yield last
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


class Sender:
    """Sends messages for the settings of one installation; the same object serves many threads."""

    def __init__(self, config: Config, *, look_up: Resolve = resolve) -> None:
        self._secret: str = config["ALERT_SIGNING_SECRET"]
        self._timeout: float = config["ALERT_WEBHOOK_TIMEOUT_SEC"]
        self._private: bool = config["ALERT_ALLOW_PRIVATE_TARGETS"]
        self._smtp: str = config["ALERT_SMTP_URL"]
        self._from: str = config["ALERT_MAIL_FROM"]
        self._zone = ZoneInfo(config["BUSINESS_TIME_ZONE"])
        self._look_up = look_up

    def send(self, channel: Channel, message_id: str, payload: Mapping[str, Any], at: datetime) -> Sent:
        """Send one message and tell what came of it; never raises for what a receiver does. `at` is aware UTC."""
        if not channel.address:
            return Sent(error="the address cannot be read", retryable=True)
        try:
            if channel.kind == MAIL:
                return self._mail(channel.address, message_id, payload, at)
            return self._post(channel, message_id, payload, at)
        except ForbiddenAddressError as error:
            return Sent(error=f"webhook url error: {error}")
        except ssl.SSLCertVerificationError as error:
            return Sent(error=f"certificate refused: {error.verify_message}"[:200], retryable=True)
        except ValueError as error:
            return Sent(error=f"webhook url error: {error}")
        except BrokenOffError:
            return Sent(error="webhook url error: the answer broke off", retryable=True)
        except (OSError, http.client.HTTPException) as error:
            text = "timed out" if isinstance(error, TimeoutError) else type(error).__name__
            return Sent(error=f"webhook url error: {text}", retryable=True)

    def _post(self, channel: Channel, message_id: str, payload: Mapping[str, Any], at: datetime) -> Sent:
        parts = urlsplit(channel.address)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError("only http and https addresses can be used")
        body = json.dumps(shaped(channel.kind, payload, self._zone, dict(channel.names)), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "ka-facility-os"}
        stamp = int(at.timestamp())
        headers |= {"webhook-id": message_id, "webhook-timestamp": str(stamp)}
        if self._secret:
            headers["webhook-signature"] = signature(self._secret, message_id, stamp, body)
        end = time.monotonic() + self._timeout
        connection = self._connection(parts)
        try:
            with ended_after(connection, self._timeout):
                if isinstance(connection.sock, ssl.SSLSocket):
                    # Inside: a receiver could spell out its certificate a letter at a time.
                    connection.sock.do_handshake()
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request("POST", path, body=body, headers=headers)
                response = connection.getresponse()
                self._drain(response, end)
                return answered(response.status, _retry_after(response.getheader("Retry-After"), at))
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() >= end:
                raise TimeoutError from error
            raise

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        address = self._allowed(host, port)
        # Connected to the very address that was checked: a second look-up could lead elsewhere.
        connected = socket.create_connection((address, port), timeout=self._timeout)
        if secure:
            connected = tls.verifying().wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
        connection = Talk(host, port, timeout=self._timeout)
        connection.sock = connected
        return connection

    def _allowed(self, host: str, port: int) -> str:
        addresses = self._look_up(host, port)
        if not addresses:
            raise OSError("no address")
        if not self._private and not all(map(is_public, addresses)):
            raise ForbiddenAddressError("the address is inside a private network")
        return addresses[0]

    def _drain(self, response: http.client.HTTPResponse, end: float) -> None:
        left = READ_AT_MOST
        while left > 0 and time.monotonic() < end:
            piece = response.read1(min(left, 8192))
            if not piece:
                return
            left -= len(piece)

    def _mail(self, address: str, message_id: str, payload: Mapping[str, Any], at: datetime) -> Sent:
        if not self._smtp:
            return Sent(error="ALERT_SMTP_URL is not set")
        parts = urlsplit(self._smtp)
        message = EmailMessage()
        message["From"], message["To"] = self._from, address
        told = lines(payload, self._zone)
        message["Subject"] = f"[KA Facility OS] {' '.join(told[0].split())}"[:200]
        message["Date"] = format_datetime(at)
        # RFC 3834: nobody answers that they are on holiday.
        message["Auto-Submitted"] = "auto-generated"
        message["Message-ID"] = f"<{message_id}@ka-facility-os>"
        message.set_content("\n".join(told))
        try:
            with self._mail_server(parts) as server:
                if parts.scheme == "smtp+starttls":
                    server.starttls(context=tls.verifying())
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            return _refused_mail(max(code for code, _text in error.recipients.values()))
        except smtplib.SMTPResponseException as error:
            return _refused_mail(error.smtp_code)
        except smtplib.SMTPNotSupportedError as error:
            return Sent(error=f"mail error: {type(error).__name__}")
        except smtplib.SMTPException as error:
            return Sent(error=f"mail error: {type(error).__name__}", retryable=True)
        return Sent(250)

    def _mail_server(self, parts: SplitResult) -> smtplib.SMTP:
        host, port = parts.hostname or "", parts.port or 0
        if parts.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=self._timeout, context=tls.verifying())
        return smtplib.SMTP(host, port, timeout=self._timeout)


def problem_of(config: Config, kind: str, address: str, look_up: Resolve = resolve) -> Text | None:
    """Return why messages may not go to a new address, or None; the sender checks it again each time.

    A name that leads nowhere at the moment is no reason: it may tomorrow.
    """
    if kind == MAIL:
        name, _, domain = address.partition("@")
        plain_word = not set(address) & set(" \t\r\n,;<>\"'\\") and address.isprintable()
        fine = plain_word and name and "." in domain.strip(".") and "@" not in domain
        return None if fine else T("This is no mail address")
    private = bool(config["ALERT_ALLOW_PRIVATE_TARGETS"])
    try:
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return T("This is no address")
    if parts.scheme not in (("https", "http") if private else ("https",)) or not parts.hostname:
        return T("Only addresses that begin with https:// can be used")
    if private:
        return None
    try:
        found = look_up(parts.hostname, port)
    except OSError:
        return None
    return None if all(map(is_public, found)) else T("The address is inside a private network")


def _refused_mail(code: int) -> Sent:
    # RFC 5321, 4.2.1: 5yz is permanent, the same message will be refused again.
    return Sent(code, f"mail server returned {code}", retryable=code < 500)


def shaped(
    kind: str, payload: Mapping[str, Any], zone: tzinfo, names: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """Return the body that a kind of channel reads: our payload as it is, or words.

    `names` are what people are called in the channel; those whom the message names are called so in a last
    line, with what is theirs.
    """
    if kind not in NAMING:
        return plain(payload)
    called = [(names[who], what) for who, what in payload.get(NAMED, {}).items() if names and who in names]
    said = lines(payload, zone)
    if kind == SLACK:
        marks = [f"{_slack_name(one)} {_harmless(', '.join(what))}" for one, what in called]
        return {"text": "\n".join([*map(_harmless, said), *filter(None, [" · ".join(marks)])])}
    # One line break is none in a card.
    marks = [
        f"{f'<at>{number}</at>' if _TEAMS_ID.fullmatch(one) else _untagged(one)} {_untagged(', '.join(what))}"
        for number, (one, what) in enumerate(called)
    ]
    text = "\n\n".join([*map(_untagged, said), *filter(None, [" · ".join(marks)])])
    card: dict[str, Any] = {
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "TextBlock", "wrap": True, "text": text}],
    }
    mentioned = [
        {"type": "mention", "text": f"<at>{number}</at>", "mentioned": {"id": one, "name": one.partition("@")[0]}}
        for number, (one, _what) in enumerate(called)
        if _TEAMS_ID.fullmatch(one)
    ]
    if mentioned:
        card["msteams"] = {"entities": mentioned}
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


# What Slack and Teams know somebody by; any other name is written as it is and calls nobody.
_SLACK_ID = re.compile(r"[UW][A-Z0-9]{5,20}")
_TEAMS_ID = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", re.ASCII)


def _slack_name(name: str) -> str:
    return f"<@{name}>" if _SLACK_ID.fullmatch(name) else "@" + _harmless(name)


def _untagged(text: str) -> str:
    # A title must not call somebody either.
    return _unmarked(text).replace("<at>", "‹at›")


def _harmless(text: str) -> str:
    # Slack reads <!channel> and <address|words> in a text as commands; titles are words of people.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unmarked(text: str) -> str:
    # A card reads Markdown: a title must make neither a link that leads elsewhere nor anything bold.
    return re.sub(r"([\\\[\]*`])", r"\\\1", text)


def _retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header: seconds, or a date; nonsense is no wish."""
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), 10**8))
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(timedelta(0), (at if at.tzinfo else at.replace(tzinfo=UTC)) - now)
