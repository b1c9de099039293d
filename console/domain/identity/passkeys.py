"""Passkeys (WebAuthn): bounds, and under which address of the console they work; without any storage."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

MOST = 10
NAME_MAX = 60
CHALLENGE_SECONDS = 300
# Characters of what a browser sends; an honest one stays below a third of that.
ANSWER_MAX = 12_000
# What a challenge is for: one that was made for one purpose serves no other.
ADD, SIGN_IN, CHANGE = "add", "sign_in", "change"

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_LOCAL = "localhost"
_USUAL_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Place:
    """Where passkeys are made and used: the host name to which they are bound, and the origin that browsers sign."""

    host: str
    origin: str


def place_of(address: str) -> Place | None:
    """Return the place for the address under which people reach the console.

    None where browsers know no passkeys: an IP address instead of a name, or http elsewhere than on this machine.
    """
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except ValueError:
        return None
    local = host == _LOCAL or host.endswith(f".{_LOCAL}")
    if not host or _is_number(host) or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        return None
    named = "" if port in (None, _USUAL_PORTS[parts.scheme]) else f":{port}"
    return Place(host, f"{parts.scheme}://{host}{named}")


def is_base64url(text: object, most: int) -> bool:
    """Return whether something from outside is a text of the alphabet that browsers write keys in, and short enough."""
    return isinstance(text, str) and len(text) <= most and _BASE64URL.fullmatch(text) is not None


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
