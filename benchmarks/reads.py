"""Measure reading in five ways: cold, after somebody's write, after a write to something else, unchanged, conditional.

`python -m benchmarks.reads` measures that alone and writes its part of `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.orm import sessionmaker

from benchmarks import data, server
from benchmarks.databases import CHOICES, databases
from benchmarks.results import READS, RESULTS, machine, put, row, rule
from console.core.config import Config
from console.core.database import make_engine
from console.models.base import Base
from console.services.identity import passwords
from tests.factories import make_token, make_user

PEOPLE = 8
BOARD = "/board?view=table"
ITEMS = "/api/ops/governance/gate/remediation/tracker/items?limit=50"
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
HEAD = (
    *("what", "(a) cold", "(b) after a write to one of its rows, P50 / P95", "(c) after another write"),
    *("(d) unchanged", "(e) unchanged, conditional", "five writes a second beside", "memory"),
)
GOALS = ("goal", "–", "P95 page ≤ 30, API ≤ 15 ms", "like (d)", "≥ 300, ≥ 600", "≥ 1,000", "≥ 150", "≤ 200 MB")
Caller = dict[str, str]
Write = Callable[[], None]


def ask(connection: http.client.HTTPConnection, path: str, headers: Caller) -> tuple[float, int, int, Caller]:
    """Send one request; return milliseconds, status, bytes of the body, and the tags of the answer."""
    start = time.perf_counter()
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    tags = {"HX-PTag": response.getheader("HX-PTag") or "", "If-None-Match": response.getheader("ETag") or ""}
    return (time.perf_counter() - start) * 1000, response.status, len(body), {k: v for k, v in tags.items() if v}


def one_by_one(port: int, path: str, headers: Caller, count: int, before: Write = lambda: None) -> tuple[float, float]:
    """Return P50 and P95 in milliseconds of requests one after another, each after `before`."""
    connection = http.client.HTTPConnection(server.HOST, port, timeout=120)
    ask(connection, path, headers)
    times = []
    for _ in range(count):
        before()
        taken, status, _size, _tags = ask(connection, path, headers)
        if status != 200:
            raise SystemExit(f"{path} answered {status}")
        times.append(taken)
    connection.close()
    times.sort()
    return statistics.median(times), times[max(0, int(len(times) * 0.95) - 1)]


def crowd(port: int, path: str, people: list[Caller], seconds: float, *, conditional: bool = False) -> float:
    """Return the answers per second of eight people at once, after a first second; with their tags if asked for."""
    counts = [0] * len(people)
    begin = time.perf_counter() + 1.0

    def work(number: int) -> None:
        connection = http.client.HTTPConnection(server.HOST, port, timeout=120)
        headers = people[number]
        tags: Caller = {}
        while (now := time.perf_counter()) < begin + seconds:
            _taken, status, _size, sent = ask(connection, path, {**headers, **(tags if conditional else {})})
            tags = sent or tags
            counts[number] += now >= begin and status == (304 if conditional else 200)
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


@contextmanager
def five_a_second(write: Write) -> Iterator[None]:
    """Write five times a second meanwhile."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.2):
            write()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


def writers(engine: Engine, items: int) -> tuple[Write, Write]:
    """Return what changes an item, and what changes something that no list of items shows."""

    def item() -> None:
        with engine.begin() as connection:
            changed = "UPDATE tracker_items SET version = version + 1, owner_role = :role WHERE id = :id"
            values = {"id": random.randint(1, items), "role": f"Role {random.randint(1, 9)}"}
            connection.execute(text(changed), values)

    def other() -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alert_deliveries SET created_at = created_at WHERE id = 1"))
            connection.execute(text("UPDATE saved_views SET name = name"))

    return item, other


def ways(
    environ: dict[str, str],
    what: str,
    path: str,
    people: list[str],
    row: Write,
    other: Write,
    page: bool,
    seconds: float,
    count: int,
) -> tuple[str, ...]:
    """Return the row of the table of one address: `people` are user names of a page, tokens of an API.

    `row` changes what the address shows, `other` something else.
    """
    with server.web_server(environ) as (port, pid):
        if page:
            callers = [{"Cookie": server.sign_in(port, name), "Accept": "text/html"} for name in people]
            polls = [{**caller, **PARTIAL} for caller in callers]
        else:
            callers = polls = [{"X-Admin-Token": token} for token in people]
        connection = http.client.HTTPConnection(server.HOST, port, timeout=120)
        cold = ask(connection, path, callers[0])[0]
        after_row = one_by_one(port, path, callers[0], count, row)
        after_other = one_by_one(port, path, callers[0], count, other)
        full = crowd(port, path, callers, seconds)
        tagged = crowd(port, path, polls, seconds, conditional=True)
        with five_a_second(row):
            written = crowd(port, path, callers, seconds)
        memory = server.memory_kib(pid) / 1024
    return (
        what,
        f"{cold:.0f} ms",
        f"{after_row[0]:.1f} / {after_row[1]:.1f} ms",
        f"{after_other[0]:.1f} / {after_other[1]:.1f} ms",
        f"{full:.0f}/s",
        f"{tagged:.0f}/s",
        f"{written:.0f}/s",
        f"{memory:.0f} MB",
    )


def prepared(url: str, environ: dict[str, str]) -> Engine:
    """Return the engine of a database that has every table and nothing in it."""
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    subprocess.run([sys.executable, "-m", "flask", "db", "upgrade"], cwd=server.ROOT, env=environ, check=True)
    return engine


def readers(engine: Engine, config: Config, now: datetime) -> tuple[list[str], list[str]]:
    """Add the people who read; return their user names and their tokens."""
    names = [f"reader-{number}" for number in range(PEOPLE)]
    with sessionmaker(engine)() as session:
        hashed = passwords.make_hash(config, server.PASSWORD)
        users = [make_user(session, now=now, username=name, role="manager", password_hash=hashed) for name in names]
        tokens = [make_token(session, one, now=now, plain=f"kaos_benchmark_{one.username}_token") for one in users]
        session.commit()
    return names, tokens


def measure(url: str, items: int, *, seconds: float, count: int) -> list[tuple[str, ...]]:
    """Return a row of the table for the board and one for the items API, with the goal of each way."""
    folder = Path(tempfile.mkdtemp(prefix="kaos-bench-"))
    environ = server.environment(folder, url, "")
    now = datetime.now(UTC)
    config = Config.load(environ)
    engine = prepared(url, environ)
    data.fill(engine, config, now=now, scale=items / data.ITEMS)
    subprocess.run([sys.executable, "-m", "flask", "owner", "ensure"], cwd=server.ROOT, env=environ, check=True)
    names, tokens = readers(engine, config, now)
    item, other = writers(engine, items)
    rows: list[tuple[str, ...]] = []
    for what, path in (("board, table, 50 rows", BOARD), ("items API, 50 rows", ITEMS)):
        named = f"{what}, {items:,} items"
        page = path == BOARD
        rows.append(ways(environ, named, path, names if page else tokens, item, other, page, seconds, count))
        print(*rows[-1], sep=" | ", flush=True)
    engine.dispose()
    return rows


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reads", description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000, 300_000])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    made = [
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}; the load runs on the same cores. (d), (e) and the last but one: ",
        f"{PEOPLE} people at once, each with a session or token of their own.\n",
    ]
    for name, url in databases(options.database, "bench"):
        made.append(f"\n{name}:\n\n{row(*HEAD)}{rule(len(HEAD))}{row(*GOALS)}")
        for items in options.items:
            rows = measure(url, items, seconds=options.seconds, count=options.count)
            made += [row(*cells) for cells in rows]
        put(READS, "".join(made), options.output)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "")
    main()
