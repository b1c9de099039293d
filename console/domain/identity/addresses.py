"""Addresses that people hand in: only places inside the console may be kept or redirected to."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

MAX_ADDRESS = 2000


# What RFC 3986 lets stand in a path unescaped.
_PLAIN = "/!$&'()*+,;=:@-._~"


def escaped_path(path: str) -> str:
    r"""Return the path of a request as an address of this console: one slash, then nothing that leads elsewhere.

    Browsers read `//name/` and `/\name/` as the address of another host.
    """
    return "/" + quote(path.lstrip("/"), safe=_PLAIN)


def local_address(text: str | None) -> str | None:
    r"""Return `text` when it is a path of this console (with its query), else None.

    Browsers read "//host", "/\host" and tabs inside an address as another host, so all of these are refused.
    """
    if not text or len(text) > MAX_ADDRESS or not text.startswith("/") or text.startswith(("//", "/\\")):
        return None
    if any(ord(character) < 33 or character in "\\\x7f" for character in text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    if parts.scheme or parts.netloc:
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")
