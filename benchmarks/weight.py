"""Bytes and streams: what a first visit weighs, how an export begins."""

from __future__ import annotations

import gzip
import http.client
import posixpath
import re
import time

from benchmarks.server import HOST


def stream(port: int, path: str, headers: dict[str, str]) -> tuple[float, float, int]:
    """Read a download; give the seconds to its first byte, to its end, and its size in bytes."""
    connection = http.client.HTTPConnection(HOST, port, timeout=120)
    start = time.perf_counter()
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    if response.status != 200:
        raise SystemExit(f"{path}: {response.status}")
    size = len(response.read(1))
    first = time.perf_counter() - start
    while piece := response.read(65536):
        size += len(piece)
    return first, time.perf_counter() - start, size


def first_visit(port: int, headers: dict[str, str], path: str) -> tuple[int, int]:
    """Return the compressed bytes of all scripts and styles of a page, and of its HTML."""
    html = _get(port, path, headers)
    text = html.decode()
    waiting = set(re.findall(r'<script[^>]+src="([^"]+)"', text))
    waiting |= set(re.findall(r'<link[^>]+rel="stylesheet"[^>]*href="([^"]+)"', text))
    links: set[str] = set()
    while waiting - links:
        link = (waiting - links).pop()
        links.add(link)
        if link.endswith(".js"):
            script = _get(port, link, headers).decode()
            imported = re.findall(r"""\b(?:from|import)\s*["'](\.[^"']+)["']""", script)
            waiting |= {posixpath.normpath(posixpath.join(posixpath.dirname(link), name)) for name in imported}
    fonts = {link for link in links if "pretendard" in link}
    total = sum(len(_get(port, link, {**headers, "Accept-Encoding": "br, gzip"})) for link in links - fonts)
    return total, len(gzip.compress(html, 6))


def _get(port: int, path: str, headers: dict[str, str]) -> bytes:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise SystemExit(f"{path}: {response.status}")
    return body
