"""Measure reading and storing response times with ten million samples of 30 days: snapshot, page, flush, retention.

`python -m benchmarks.latency` writes its part of `benchmarks/RESULTS.md`.
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
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import sessionmaker

from benchmarks import server
from benchmarks.databases import CHOICES, databases
from benchmarks.results import LATENCY, RESULTS, machine, put, row, rule, say
from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Context, start_writing
from console.core.database import make_engine
from console.core.revisions import SILENT
from console.domain.reliability.buckets import floor
from console.models.base import Base
from console.models.reliability import LatencySample
from console.services.identity import passwords
from console.services.reliability import buckets, latency, routes
from console.services.reliability.latency import Sample
from tests.factories import make_user

DAYS = 30
BATCH = 20_000
ROUNDS = 60
GOAL_SNAPSHOT, GOAL_PAGE, GOAL_FLUSH = 100, 60, 1.0


def made(count: int, now: datetime, keys: list[str], chance: random.Random) -> Iterator[list[Sample]]:
    """Yield samples in batches, oldest first, evenly over 30 days; every fortieth is slow, every thousandth fails."""
    step = timedelta(days=DAYS) / count
    batch = []
    for number in range(count):
        key = keys[number % len(keys)]
        method, path = key.split(" ", 1)
        duration = chance.lognormvariate(3.6, 0.7) if number % 40 else 500.0 + number % 700
        failed = number % 1000 == 999
        at = now - timedelta(days=DAYS) + step * (number + 1)
        batch.append(Sample(key, method, path, round(duration, 3), 500 if failed else 200, failed, at))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def fill(engine: Engine, config: Config, count: int, now: datetime) -> None:
    """Store the samples and their sums, as the monitor does, in larger batches."""
    keys = [target.key for target in latency.targets_of(config)]
    clock, done = FixedClock(now), 0
    with sessionmaker(engine.execution_options(**{SILENT: True}))() as session:
        start_writing(session)
        ctx = Context(session, clock, SYSTEM, config)
        for batch in made(count, now, keys, random.Random(7)):
            session.connection().execute(insert(LatencySample), [vars(sample) for sample in batch])
            buckets.add(ctx, batch, config["API_LATENCY_P95_WARNING_MS"])
            session.commit()
            start_writing(session)
            done += len(batch)
            if done % 1_000_000 < BATCH:
                say(f"{done:,} samples stored")
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def timed(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return P50 and P95 in milliseconds of so many rounds, after a first one."""
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    return statistics.median(times), times[max(0, int(len(times) * 0.95) - 1)]


def over_http(
    environ: dict[str, str], username: str, addresses: Sequence[str], rounds: int
) -> dict[str, tuple[float, float]]:
    """Return P50 and P95 in milliseconds of addresses that answer, over HTTP, one request after another."""
    found = {}
    with server.web_server(environ) as (port, _pid):
        cookie = server.sign_in(port, username)
        connection = http.client.HTTPConnection(server.HOST, port, timeout=120)

        def ask(address: str) -> int:
            connection.request("GET", address, headers={"Cookie": cookie})
            response = connection.getresponse()
            response.read()
            return response.status

        for address in addresses:
            if ask(address) == 200:
                found[address] = timed(partial(ask, address), rounds)
        connection.close()
    return found


def flush(engine: Engine, config: Config, now: datetime) -> float:
    """Return the milliseconds that storing one sample costs, in batches of the size that a busy process has."""
    keys = [target.key for target in latency.targets_of(config)]
    spent, count = 0.0, 0
    for number in range(20):
        batch = next(made(500, now + timedelta(seconds=2 * number), keys, random.Random(number)))
        at = now + timedelta(seconds=2 * number)
        batch = [replace(one, sampled_at=at) for one in batch]
        start = time.perf_counter()
        with sessionmaker(engine)() as session:
            start_writing(session)
            latency.store(Context(session, FixedClock(at), SYSTEM, config), batch)
            session.commit()
        spent += (time.perf_counter() - start) * 1000
        count += len(batch)
    return spent / count


def measure(url: str, count: int, rounds: int) -> list[tuple[str, str, str, bool]]:
    """Return what was measured, its goal, and whether it was reached."""
    folder = Path(tempfile.mkdtemp(prefix="kaos-bench-"))
    environ = server.environment(folder, url, "")
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    config = Config.load(environ)
    subprocess.run([sys.executable, "-m", "flask", "db", "upgrade"], cwd=server.ROOT, env=environ, check=True)
    subprocess.run([sys.executable, "-m", "flask", "owner", "ensure"], cwd=server.ROOT, env=environ, check=True)
    with sessionmaker(engine)() as session:
        hashed = passwords.make_hash(config, server.PASSWORD)
        make_user(session, now=datetime.now(UTC), username="reader-0", role="owner", password_hash=hashed)
        session.commit()
    # Samples end a few minutes ahead, so that the windows are full while the measurement runs.
    now = floor(datetime.now(UTC), 5) + timedelta(minutes=5)
    fill(engine, config, count, now)
    with sessionmaker(engine)() as session:
        ctx = Context(session, FixedClock(now), SYSTEM, config)
        snapshot = _fresh(ctx, lambda: latency.snapshot(ctx), rounds)
        listed = _fresh(ctx, lambda: routes.read(ctx), rounds)
        key = latency.targets_of(config)[0].key
        found = routes.read(ctx)
        month = _fresh(ctx, lambda: routes.detail(ctx, found, key, 30), rounds)
    addresses = [f"/ops/latency?days={days}" for days in (1, 30)]
    asked = over_http(environ, "reader-0", addresses, rounds)
    pages = [asked[address] for address in addresses]
    watched = over_http(environ, "reader-0", [one.path for one in latency.targets_of(config)], rounds)
    cost = flush(engine, config, now)
    engine.dispose()
    # The samples are spread evenly over the watched routes, so the mean of these is what a watched request takes.
    share = 100 * cost / statistics.fmean(p50 for p50, _p95 in watched.values())
    quickest = min(watched, key=lambda address: watched[address][0])
    return [
        ("snapshot, P50 / P95", _pair(snapshot), f"≤ {GOAL_SNAPSHOT} ms", snapshot[1] <= GOAL_SNAPSHOT),
        ("all routes with rules and budgets, P50 / P95", _pair(listed), "–", True),
        ("one route over 30 days, P50 / P95", _pair(month), "–", True),
        ("page, 24 hours, P50 / P95", _pair(pages[0]), f"P95 ≤ {GOAL_PAGE} ms", pages[0][1] <= GOAL_PAGE),
        ("page, 30 days, P50 / P95", _pair(pages[1]), f"P95 ≤ {GOAL_PAGE} ms", pages[1][1] <= GOAL_PAGE),
        (
            f"storing a sample, and its share of a watched request (mean of {len(watched)} routes)",
            f"{cost:.3f} ms, {share:.2f} %",
            f"≤ {GOAL_FLUSH:g} %",
            share <= GOAL_FLUSH,
        ),
        (f"its share of the quickest of them, {quickest}", f"{100 * cost / watched[quickest][0]:.2f} %", "–", True),
    ]


def _fresh(ctx: Context, work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return P50 and P95 in milliseconds of reads that each begin a transaction of their own."""

    def once() -> None:
        ctx.session.rollback()
        work()

    return timed(once, rounds)


def _pair(times: tuple[float, float]) -> str:
    return f"{times[0]:.1f} / {times[1]:.1f} ms"


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    text = f"{datetime.now(UTC):%Y-%m-%d}, {machine()}; {options.samples:,} samples of {DAYS} days.\n"
    for name, url in databases(options.database, "bench"):
        text += f"\n{name}:\n\n" + row("what", "measured", "goal", "reached") + rule(4)
        for what, number, goal, reached in measure(url, options.samples, options.rounds):
            text += row(what, number, goal, "yes" if reached else "**no**")
            print(name, what, number, goal, reached, sep=" | ", flush=True)
        put(LATENCY, text, options.output)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "")
    main()
