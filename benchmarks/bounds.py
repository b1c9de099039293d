"""The bounds of the web server, measured while nothing else happens: half-sent bodies, long addresses, refusals."""

from __future__ import annotations

import http.client
import socket
import time
from contextlib import ExitStack, closing

from benchmarks.fuzz import HOST, Caller
from benchmarks.server import THREADS
from tests.support.halves import HALVES, post
from tests.support.refusals import EARLY, refused

HELD = 64
WORDS = "&".join(f"assignee=u{number}" for number in range(3000))


def measure(port: int, owner: Caller, auditor: Caller, refusals: int) -> list[tuple[str, str, str]]:
    """Return the lines of the table for a web server; `refusals` of each kind are sent over one connection."""
    slowest = dict.fromkeys(("/health", "/admin/sites"), 0.0)
    for path in slowest:
        # Whoever asks first waits for the templates.
        ask(port, path, owner)
    for kind in HALVES:
        with ExitStack() as held:
            hold(port, kind, held, owner)
            for path in slowest:
                slowest[path] = max(slowest[path], ask(port, path, owner)[1])
    status, seconds = min((ask(port, f"/board?{WORDS}", owner) for _ in range(5)), key=lambda found: found[1])
    lost = [_lost(port, kind, refusals, owner, auditor) for kind in EARLY]
    kinds = ", ".join(HALVES)
    return [
        (f"`/health` beside {HELD} half-sent bodies on {THREADS} threads, slowest of {kinds}",
         f"{slowest['/health'] * 1000:.0f} ms", "≤ 1 s"),
        ("a signed-in page beside them", f"{slowest['/admin/sites'] * 1000:.0f} ms", "≤ 1 s"),
        ("`/board` with 3,000 words", f"{status} in {seconds * 1000:.0f} ms", "refused, ≤ 50 ms"),
        (f"early refusals, {refusals:,} of each of {len(EARLY)} kinds on one connection: lost", str(sum(lost)), "0"),
    ]  # fmt: skip


def hold(port: int, kind: str, held: ExitStack, owner: Caller) -> None:
    """Open connections with half a body of a kind that stay until `held` ends."""
    path, headers, begin = HALVES[kind]
    token = f"X-Admin-Token: {owner.token}\r\n".encode() if kind == "upload" else b""
    for _ in range(HELD):
        connection = held.enter_context(closing(socket.create_connection((HOST, port), timeout=120)))
        connection.sendall(post(path, token + headers, begin))


def ask(port: int, path: str, owner: Caller) -> tuple[int, float]:
    """Ask for a page over a new connection; return its status and the seconds until all of it was there."""
    began = time.monotonic()
    with closing(http.client.HTTPConnection(HOST, port, timeout=120)) as asking:
        asking.request("GET", path, headers={"Cookie": owner.cookie, "Accept": "text/html"})
        answer = asking.getresponse()
        answer.read()
    return answer.status, time.monotonic() - began


def _lost(port: int, kind: str, rounds: int, owner: Caller, auditor: Caller) -> int:
    known = {"{auditor}": auditor.token, "{cookie}": owner.cookie}
    try:
        found, opened = refused(port, kind, rounds, known)
    except (OSError, http.client.HTTPException):
        return rounds
    return sum(status != EARLY[kind][0] for status in found) + opened
