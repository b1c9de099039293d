"""Evidence of five megabytes, uploaded as a phone would: the server's own time, and what its memory makes of it."""

from __future__ import annotations

import http.client
import json
import os
from uuid import uuid4

from benchmarks.server import HOST, memory_kib
from console.web.timing import HEADER

SIZE = 5_000_000
COUNT = 12
TRACKER = "/api/ops/governance/gate/remediation/tracker"


def measure(port: int, pid: int, headers: dict[str, str]) -> list[tuple[str, str, str]]:
    """Upload to several items one after another; returns `(what, measured, goal)`."""
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    ids = _items(connection, headers)
    times = [_upload(connection, headers, ids[0])]
    before = memory_kib(pid)
    times += [_upload(connection, headers, item) for item in ids]
    grown = max(0, memory_kib(pid) - before)
    connection.close()
    name = f"upload of {SIZE / 1e6:.0f} MB, {len(times)} one after another"
    return [
        (f"{name}: slowest, server time", f"{max(times):.0f} ms", "≤ 300 ms"),
        ("memory growth of the web process meanwhile", f"{grown / 1024:.1f} MB", "≤ 8 MB"),
    ]


def _items(connection: http.client.HTTPConnection, headers: dict[str, str]) -> list[int]:
    connection.request("GET", f"{TRACKER}/items?limit={COUNT}", headers=headers)
    return [item["id"] for item in json.loads(connection.getresponse().read())]


def _upload(connection: http.client.HTTPConnection, headers: dict[str, str], item: int) -> float:
    """Upload a text file that no two uploads share; give the milliseconds that the server names."""
    mark = uuid4().hex
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="log.txt"\r\n'
        "Content-Type: text/plain\r\n\r\n"
    )
    body = head.encode() + os.urandom(SIZE // 2).hex().encode() + f"\r\n--{mark}--\r\n".encode()
    content = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    connection.request("POST", f"{TRACKER}/items/{item}/evidence", body=body, headers={**headers, **content})
    response = connection.getresponse()
    said = response.read()
    if response.status != 201:
        raise SystemExit(f"upload: {response.status} {said[:200]!r}")
    return float(response.headers[HEADER])
