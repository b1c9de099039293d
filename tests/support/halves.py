"""Requests whose body does not come: their head, and the beginning of their body."""

from __future__ import annotations

LONG = b"Content-Length: 5000\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
PARTS = b"Content-Type: multipart/form-data; boundary=b\r\n"
JSON = b"Content-Type: application/json\r\n"
HALVES = {
    "form": (b"/sign-in", FORM + LONG, b"use"),
    "json": (b"/api/auth/login", JSON + LONG, b'{"u'),
    "chunked": (b"/api/auth/login", JSON + CHUNKED, b'3\r\n{"u\r\n'),
    "multipart": (b"/sign-in", PARTS + LONG, b'--b\r\nContent-Disposition: form-data; name="username"\r\n\r\nx'),
    "upload": (b"/api/adoption/w07/tracker/items/1/evidence", PARTS + LONG, b"--b\r\n"),
}


def post(path: bytes, headers: bytes, body: bytes) -> bytes:
    """Return the bytes of a POST with these headers and this (part of a) body."""
    return b"POST " + path + b" HTTP/1.1\r\nHost: console\r\n" + headers + b"\r\n" + body
