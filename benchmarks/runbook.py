"""Measure the runbook, the daily check and their page over an installation that has lived for long.

`python -m benchmarks.runbook` measures that alone and writes its part of `benchmarks/RESULTS.md`; `--scale 0.01
--samples 20000` does it small, and `--demo` over the demo company instead.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from benchmarks import data, latency, server
from benchmarks.databases import CHOICES, databases
from benchmarks.latency import timed
from benchmarks.results import RESULTS, RUNBOOK, machine, put, row, rule, say
from console.core import logs
from console.core.clock import Clock, FixedClock, SystemClock
from console.core.config import Config
from console.core.context import SYSTEM, Context
from console.core.database import make_engine
from console.domain.jobs import names as job_names
from console.domain.reliability.buckets import floor
from console.models.base import Base
from console.services.gate import gate
from console.services.identity import passwords
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.runbook import runbook
from tests.factories.identity import make_user
from tests.support.statements import statements

GOAL_QUERIES, GOAL_RUNBOOK_MS, GOAL_CHECK_MS, GOAL_PAGE_MS = 15, 150, 2000, 300
DAYS, ROUNDS = 30, 30
READER = "reader-0"
PAGE = "/ops/daily-check"
Line = tuple[str, str, str, bool]


def _installed(url: str, folder: Path) -> dict[str, str]:
    environ = server.environment(folder, url, "")
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    engine.dispose()
    _flask(environ, "db", "upgrade")
    return environ


def _flask(environ: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "-m", "flask", *words], cwd=server.ROOT, env=environ, check=True)


def _reader(engine: Engine, config: Config) -> None:
    with sessionmaker(engine)() as session:
        hashed = passwords.make_hash(config, server.PASSWORD)
        make_user(session, now=datetime.now(UTC), username=READER, role="owner", password_hash=hashed)
        session.commit()


def _lived(engine: Engine, config: Config, now: datetime, scale: float, samples: int) -> None:
    """Fill the tables, and let the jobs that the runbook judges have run: the daily one for thirty days."""
    data.fill(engine, config, now=now, scale=scale)
    latency.fill(engine, config, samples, now)
    once = (job_names.AUDIT_CHECKPOINT, job_names.AUDIT_VERIFY, job_names.QUALITY_WEEKLY)
    for name in (*once, job_names.EVIDENCE_INTEGRITY):
        say(f"running {name}")
        _run(engine, config, FixedClock(now), name)
    say("running the daily checks of thirty days")
    for day in range(DAYS, 0, -1):
        _run(engine, config, FixedClock(now - timedelta(days=day)), job_names.DAILY_CHECK)


def _run(engine: Engine, config: Config, clock: Clock, name: str) -> None:
    with sessionmaker(engine)() as session:
        run_engine.execute(Context(session, clock, SYSTEM, config), registry.get(name))


def measure(url: str, given: argparse.Namespace) -> list[Line]:
    """Return what was measured, its goal, and whether it was reached."""
    folder = Path(tempfile.mkdtemp(prefix="kaos-bench-"))
    environ = _installed(url, folder)
    config = Config.load(environ)
    engine = make_engine(url)
    clock: Clock
    if given.demo:
        say("making the demo company")
        _flask(environ, "demo", "seed")
        clock = SystemClock()
    else:
        # Samples end a few minutes ahead, so that the windows are full while the measurement runs.
        clock = FixedClock(floor(datetime.now(UTC), 5) + timedelta(minutes=5))
        _lived(engine, config, clock.now(), given.scale, given.samples)
    _reader(engine, config)
    with sessionmaker(engine)() as session:
        ctx = Context(session, clock, SYSTEM, config)
        with statements() as seen:
            runbook.snapshot(ctx)
        queries = len(seen)
        book = _timed_fresh(ctx, runbook.snapshot, given.rounds)
        worked = _processor(ctx, given.rounds)
        verdict = _timed_fresh(ctx, gate.snapshot, given.rounds)
    checks = timed(lambda: _run(engine, config, clock, job_names.DAILY_CHECK), given.rounds)
    page = latency.over_http(environ, READER, [PAGE], given.rounds)[PAGE]
    engine.dispose()
    return [
        ("statements of the runbook", str(queries), f"≤ {GOAL_QUERIES}", queries <= GOAL_QUERIES),
        ("runbook, P50 / P95", _pair(book), f"≤ {GOAL_RUNBOOK_MS} ms", book[1] <= GOAL_RUNBOOK_MS),
        ("processor time of it, each", f"{worked:.1f} ms", "–", True),
        ("verdict of the gate, P50 / P95", _pair(verdict), "–", True),
        ("daily check as a run, P50 / P95", _pair(checks), f"≤ {GOAL_CHECK_MS} ms", checks[1] <= GOAL_CHECK_MS),
        ("its page, P50 / P95", _pair(page), f"≤ {GOAL_PAGE_MS} ms", page[1] <= GOAL_PAGE_MS),
    ]


def _timed_fresh(ctx: Context, work: Callable[[Context], Any], rounds: int) -> tuple[float, float]:
    def once() -> None:
        ctx.session.rollback()
        work(ctx)

    return timed(once, rounds)


def _processor(ctx: Context, rounds: int) -> float:
    """Return the milliseconds of this process that a runbook takes: on a shared machine the rest is waiting."""
    start = time.process_time()
    for _ in range(rounds):
        ctx.session.rollback()
        runbook.snapshot(ctx)
    return (time.process_time() - start) * 1000 / rounds


def _pair(times: tuple[float, float]) -> str:
    return f"{times[0]:.1f} / {times[1]:.1f} ms"


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runbook", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--demo", action="store_true", help="measure over the demo company instead")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    given = parser.parse_args()
    logs.configure("warning")
    what = (
        "the demo company" if given.demo else f"scale {given.scale:g}, {given.samples:,} samples, {DAYS} daily checks"
    )
    text = f"{datetime.now(UTC):%Y-%m-%d}, {machine()}; {what}.\n"
    for name, url in databases(given.database, "bench"):
        text += f"\n{name}:\n\n" + row("what", "measured", "goal", "reached") + rule(4)
        for line in measure(url, given):
            text += row(*line[:3], "yes" if line[3] else "**no**")
            print(name, *line, sep=" | ", flush=True)
        put(RUNBOOK, text, given.output)


if __name__ == "__main__":
    main()
