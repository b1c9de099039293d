"""Measure what writing costs, and what reading costs while somebody else writes.

`python -m benchmarks.writes` measures that alone, on a small company.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import sessionmaker

from benchmarks import data, server
from console.core.config import Config
from console.core.database import make_engine
from console.models.base import Base
from tests.factories import make_token, make_user
from tests.support.holder import writing_elsewhere
from tests.support.postgres import postgres_url

TRACKER = "/api/ops/governance/gate/remediation/tracker"
CONNECTIONS = 8
READS = ("/board?view=table", "/overview", f"{TRACKER}/items?limit=50", "/api/auth/me")


def changes(
    port: int,
    headers: dict[str, str],
    *,
    seconds: float,
    path: str = f"{TRACKER}/items/",
    field: str = "completion_note",
    ids: Sequence[int] = range(1, 20 * CONNECTIONS + 1),
) -> tuple[float, float, float]:
    """Change items, or what else has `ids` behind `path`, from eight connections: a text `field` of each.

    Return changes per second, P50 and the slowest of a hundred, in ms.
    """
    times: list[list[float]] = [[] for _ in range(CONNECTIONS)]
    wrong: list[tuple[int, bytes]] = []
    begin = time.perf_counter() + 1.0
    end = begin + seconds

    def work(number: int) -> None:
        connection = http.client.HTTPConnection(server.HOST, port, timeout=60)
        turn = 0
        while (start := time.perf_counter()) < end:
            turn += 1
            item = ids[number * 20 + turn % 20]
            # A text that the item does not have: a change that changes nothing writes nothing.
            body = json.dumps({field: f"{number}-{turn}-{start}"})
            sent = {**headers, "Content-Type": "application/json"}
            connection.request("PATCH", f"{path}{item}", body=body, headers=sent)
            response = connection.getresponse()
            text = response.read()
            if response.status != 200:
                wrong.append((response.status, text[:200]))
            elif start >= begin:
                times[number].append(time.perf_counter() - start)
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(f"{len(wrong)} changes failed, the first with {wrong[0]}")
    all_times = [value * 1000 for part in times for value in part]
    hundreds = [max(all_times[at : at + 100]) for at in range(0, len(all_times) - 99, 100)]
    return len(all_times) / seconds, statistics.median(all_times), statistics.median(hundreds)


def slowest_read(port: int, callers: list[dict[str, str]]) -> float:
    """Return the milliseconds of the slowest of a few reads of every caller."""
    slowest = 0.0
    for headers in callers:
        connection = http.client.HTTPConnection(server.HOST, port, timeout=60)
        for _ in range(3):
            for path in READS:
                start = time.perf_counter()
                connection.request("GET", path, headers=headers)
                connection.getresponse().read()
                slowest = max(slowest, (time.perf_counter() - start) * 1000)
        connection.close()
    return slowest


def measure(
    port: int, url: str, cookie: dict[str, str], tokens: list[str], *, seconds: float
) -> list[tuple[str, str, str]]:
    """Return `(what, measured, goal)`. The last token was never used: its first use is due to be noted."""
    headers = {"X-Admin-Token": tokens[0]}
    for path in READS:
        connection = http.client.HTTPConnection(server.HOST, port, timeout=60)
        connection.request("GET", path, headers=headers)
        connection.getresponse().read()
    with writing_elsewhere(url):
        held = slowest_read(port, [cookie, headers, {"X-Admin-Token": tokens[-1]}])
    rate, middle, worst = changes(port, headers, seconds=seconds)
    return [
        ("slowest read while another process holds the right to write", f"{held:.0f} ms", "≤ 200 ms"),
        (f"audited change of an item, {CONNECTIONS} connections", f"{rate:.0f}/s, P50 {middle:.0f} ms", "≥ 250/s"),
        ("the same, slowest of a hundred (median of them)", f"{worst:.0f} ms", "≤ 300 ms"),
    ]


def _alone(name: str, url: str, scale: float, seconds: float) -> None:
    folder = Path(tempfile.mkdtemp(prefix="kaos-bench-"))
    environ = server.environment(folder, url, "")
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    now = datetime.now(UTC)
    subprocess.run([sys.executable, "-m", "flask", "db", "upgrade"], cwd=server.ROOT, env=environ, check=True)
    data.fill(engine, Config.load(environ), now=now, scale=scale)
    subprocess.run([sys.executable, "-m", "flask", "owner", "ensure"], cwd=server.ROOT, env=environ, check=True)
    with sessionmaker(engine)() as session:
        user = make_user(session, now=now, username="writer", role="owner")
        tokens = [make_token(session, user, now=now, plain=f"kaos_benchmark_token_number_{n}_only") for n in range(2)]
        session.commit()
    engine.dispose()
    with server.web_server(environ) as (port, pid):
        cookie = {"Cookie": server.sign_in(port), "Accept": "text/html"}
        for cells in measure(port, url, cookie, tokens, seconds=seconds):
            print(name, *cells, sep=" | ", flush=True)
        print(name, f"{server.memory_kib(pid) / 1024:.0f} MB resident, load {os.getloadavg()[0]:.1f}", sep=" | ")


def main() -> None:
    """Measure on both databases."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.writes", description=__doc__)
    parser.add_argument("--scale", type=float, default=0.02, help="make the data smaller by this factor")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the load")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="kaos-bench-db-")
    _alone("SQLite", f"sqlite:///{folder}/facility.db", options.scale, options.seconds)
    _alone("PostgreSQL", postgres_url("bench"), options.scale, options.seconds)


if __name__ == "__main__":
    main()
