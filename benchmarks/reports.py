"""Measure the monthly quality report and its papers over a full month.

`python -m benchmarks.reports` measures that alone and writes its part of `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import sessionmaker

from benchmarks.databases import CHOICES, databases
from benchmarks.results import REPORTS, RESULTS, machine, put, row, rule, say
from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Context
from console.core.database import make_engine
from console.core.serialize import plain
from console.domain.jobs import names as job_names
from console.domain.reports import periods
from console.domain.reports.quality import as_document
from console.models.alerts import AlertDelivery
from console.models.base import Base
from console.models.jobs import JobRun
from console.services.reports import paper, quality

# What a large customer has in a month, and as much in each of the five months around it.
RUNS, ALERTS, MONTHS = 60_000, 20_000, 6
JOBS = (job_names.GATE, job_names.AUTOPILOT, job_names.ALERT_RETRY, job_names.AUDIT_VERIFY, "ops_daily_check")
CHUNK = 5_000


def _runs(rng: random.Random, start: datetime, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        at = start + timedelta(seconds=rng.randrange(int(MONTHS * 30.4 * 86_400)))
        name = JOBS[number % len(JOBS)]
        yield {
            "job_name": name,
            "trigger": "cron",
            "state": "finished",
            "status": rng.choices(("success", "warning", "critical"), (92, 5, 3))[0],
            "executed": True,
            "requested_at": at,
            "started_at": at,
            "finished_at": at,
            "detail_json": {"critical_count": number % 3} if name == "ops_daily_check" else {"checked": number},
        }


def _alerts(rng: random.Random, start: datetime, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        at = start + timedelta(seconds=rng.randrange(int(MONTHS * 30.4 * 86_400)))
        yield {
            "message_id": f"benchmark-{number}",
            "event_type": job_names.GATE,
            "channel": "primary",
            "target": "https://hooks.test/ops",
            "status": rng.choices(("success", "dead"), (97, 3))[0],
            "last_attempt_at": at,
            "created_at": at,
            "updated_at": at,
        }


def _fill(engine: Engine, start: datetime, scale: float) -> None:
    rng = random.Random(20260401)
    made = ((JobRun, _runs(rng, start, int(RUNS * MONTHS * scale))),
            (AlertDelivery, _alerts(rng, start, int(ALERTS * MONTHS * scale))))  # fmt: skip
    with engine.begin() as connection:
        for table, rows in made:
            while chunk := [one for _place, one in zip(range(CHUNK), rows, strict=False)]:
                connection.execute(insert(table), chunk)
        connection.execute(text("ANALYZE"))


def times(work: Callable[[], object], count: int) -> tuple[float, float]:
    """Return the median and the worst of so many turns in milliseconds, after a first one that does not count."""
    work()
    taken = []
    for _turn in range(count):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken), max(taken)


def measure(url: str, *, scale: float, count: int) -> list[str]:
    """Return the lines of the table for one database."""
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    config = Config.for_tests(DATABASE_URL=url, DATA_DIR=tempfile.mkdtemp(prefix="kaos-bench-reports-"))
    now = datetime.now(UTC)
    _fill(engine, now - timedelta(days=MONTHS * 30.4), scale)
    period = periods.month_before(now, ZoneInfo(config["BUSINESS_TIME_ZONE"]))
    factory = sessionmaker(engine)

    def report() -> dict[str, Any]:
        with factory() as session:
            return plain(as_document(quality.report(Context(session, FixedClock(now), SYSTEM, config), period)))

    document = report()
    runs = f"{document['summary']['job_runs_total']:,} runs, {document['summary']['alert_delivery_total']:,} alerts"
    lines = []
    for what, goal, work in (
        (f"monthly report, {runs}", 300, report),
        ("its PDF in Korean", 1500, lambda: paper.draw(document, "ko")),
        ("its PDF in English", 1500, lambda: paper.draw(document, "en")),
    ):
        median, worst = times(work, count)
        lines.append(row(what, f"{median:.0f} / {worst:.0f} ms", f"≤ {goal:,} ms"))
        say(lines[-1].strip())
    engine.dispose()
    return lines


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reports", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    made = [f"{datetime.now(UTC):%Y-%m-%d}, {machine()}. Median / worst of {options.count} turns.\n"]
    for name, url in databases(options.database, "bench_reports"):
        say(f"{name}: filling")
        lines = measure(url, scale=options.scale, count=options.count)
        made += [f"\n{name}:\n\n", "| what | measured | goal |\n", rule(3), *lines]
    put(REPORTS, "".join(made), options.output)


if __name__ == "__main__":
    main()
