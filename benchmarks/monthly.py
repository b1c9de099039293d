"""Measure the monthly report, the paper of the council and its PDF, over three years of work orders.

`python -m benchmarks.monthly` measures that alone and writes its part of `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import io
import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import sessionmaker

from benchmarks.databases import CHOICES, databases
from benchmarks.reports import times
from benchmarks.results import MONTHLY, RESULTS, machine, put, row, rule, say
from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Context, unit_of_work
from console.core.database import make_engine
from console.domain.inspections.risk import RULE_VERSION
from console.domain.reports import monthly as rules
from console.domain.reports.periods import Period
from console.domain.work_orders.words import PRIORITIES, TRADES, rank
from console.models.base import Base
from console.models.inspections import Inspection
from console.models.work_orders import WorkOrder
from console.services.evidence import subjects
from console.services.evidence.files import Upload
from console.services.reports import month_closing, month_paper, monthly, months
from console.services.work_orders import evidence
from tests.support.files import photo

ORDERS, INSPECTIONS, DAYS = 100_000, 30_000, 3 * 365
SITES = ("한빛마을 3단지", "푸른숲 타워", "서초 오피스센터", "해운대 마리나")
# One month has four times as many orders as the others.
BUSY = 4
CHUNK = 5_000
SEOUL = ZoneInfo("Asia/Seoul")

_COLUMNS = "priority, due_at, event_type, actor_username, to_status, created_at, is_escalated"
_CREATED = "priority, due_at, 'created', 'bench', 'open', created_at, false FROM work_orders"
_DONE = (
    "priority, due_at, 'status_changed', 'bench', 'completed', completed_at, false FROM work_orders"
    " WHERE status = 'completed'"
)


def _instants(rng: random.Random, now: datetime, count: int, busy: Period) -> Iterator[datetime]:
    length = int((busy.end - busy.start).total_seconds())
    share = BUSY / (DAYS / 30.4 + BUSY)
    for _number in range(count):
        if rng.random() < share:
            yield busy.start + timedelta(seconds=rng.randrange(length))
        else:
            yield now - timedelta(seconds=rng.randrange(DAYS * 86_400))


def _orders(rng: random.Random, now: datetime, count: int, busy: Period) -> Iterator[dict[str, Any]]:
    for number, at in enumerate(_instants(rng, now, count, busy)):
        priority = rng.choices(PRIORITIES, (3, 15, 60, 22))[0]
        done = rng.random() < (0.97 if at < now - timedelta(days=20) else 0.5)
        finished = min(at + timedelta(hours=rng.expovariate(1 / 18)), now)
        yield {
            "title": f"지하 {number % 5 + 1}층 배수펌프 소음 {number}",
            "site": SITES[min(number % 7, 3)],
            "location": f"{number % 30 + 101}동",
            "priority": priority,
            "priority_rank": rank(priority),
            "status": "completed" if done else "open",
            "trade": TRADES[number % len(TRADES)],
            "due_at": at + timedelta(hours=24),
            "completed_at": finished if done else None,
            "resolution_notes": "베어링을 바꾸고 시운전을 마쳤습니다." if done else "",
            "is_escalated": number % 40 == 0,
            "created_by": "bench",
            "updated_by": "bench",
            "created_at": at,
            "updated_at": finished if done else at,
        }


def _inspections(rng: random.Random, now: datetime, count: int, busy: Period) -> Iterator[dict[str, Any]]:
    for number, at in enumerate(_instants(rng, now, count, busy)):
        level = rng.choices(("normal", "warning", "danger"), (90, 8, 2))[0]
        yield {
            "site": SITES[number % 4],
            "location": f"기계실 {number % 9}",
            "cycle": "daily",
            "inspector": "bench",
            "inspected_at": at,
            "risk_level": level,
            "risk_flags": [] if level == "normal" else [f"point:p{number % 12}"],
            "finding_names": [] if level == "normal" else ["점"],
            "rule_version": RULE_VERSION,
            "created_by": "bench",
            "created_at": at,
        }


def _fill(engine: Engine, now: datetime, busy: Period, scale: float) -> None:
    rng = random.Random(20261130)
    made = ((WorkOrder, _orders(rng, now, int(ORDERS * scale), busy)),
            (Inspection, _inspections(rng, now, int(INSPECTIONS * scale), busy)))  # fmt: skip
    with engine.begin() as connection:
        for table, rows in made:
            while chunk := [one for _place, one in zip(range(CHUNK), rows, strict=False)]:
                connection.execute(insert(table), chunk)
        for values in (_CREATED, _DONE):
            connection.execute(text(f"INSERT INTO work_order_events (work_order_id, {_COLUMNS}) SELECT id, {values}"))
        connection.execute(text("ANALYZE"))


def _with_photos(factory: Any, config: Config, now: datetime, busy: Period) -> None:
    """Give the orders that the paper shows photos of a phone's size before and after."""
    with factory() as session:
        ctx = Context(session, FixedClock(now), SYSTEM, config)
        faults = months.view(ctx, SITES[3], busy.label).document["faults"]
    for one in faults:
        for phase in ("before", "after"):
            with unit_of_work(factory, actor=SYSTEM, clock=FixedClock(now), config=config, write=False) as ctx:
                upload = Upload(io.BytesIO(photo(1600, 1200)), "photo.jpg", "image/jpeg")
                subjects.attach(ctx, evidence.FILES, one["ids"][0], upload, part=phase)


def measure(url: str, *, scale: float, count: int) -> list[str]:
    """Return the lines of the table for one database."""
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    config = Config.for_tests(DATABASE_URL=url, DATA_DIR=tempfile.mkdtemp(prefix="kaos-bench-monthly-"))
    now, site = datetime.now(UTC), SITES[3]
    busy = rules.before(rules.month_of(None, SEOUL, now))
    _fill(engine, now, busy, scale)
    factory = sessionmaker(engine)
    _with_photos(factory, config, now, busy)

    def ctx_of(session: Any) -> Context:
        return Context(session, FixedClock(now), SYSTEM, config)

    def report(of: str | None, as_of: datetime | None = None) -> Any:
        with factory() as session:
            return monthly.report(ctx_of(session), busy.label, of, as_of=as_of)

    def document() -> Any:
        with factory() as session:
            return months.view(ctx_of(session), site, busy.label).document

    def listed() -> Any:
        with factory() as session:
            return months.listed(ctx_of(session), site)

    drawn: dict[str, bytes] = {}

    def draw(language: str) -> None:
        drawn[language] = month_paper.draw(month_paper.paper(read, language))

    read = document()
    with factory() as session:
        total = session.query(WorkOrder).count()
        within = (WorkOrder.created_at >= busy.start, WorkOrder.created_at < busy.end)
        mine = session.query(WorkOrder).where(WorkOrder.site == site, *within).count()
    lines = []
    for what, goal, work in (
        (f"report of the busiest month of a site ({mine:,} of {total:,} orders)", 300, lambda: report(site)),
        ("the same of all sites", 300, lambda: report(None)),
        ("the same as of the end of the month, from the histories", 300, lambda: report(None, busy.end)),
        ("its paper with photos, read", 1000, document),
        ("the list of thirteen months", 300, listed),
        ("its PDF in Korean", 1500, lambda: draw("ko")),
        ("its PDF in English", 1500, lambda: draw("en")),
    ):
        median, worst = times(work, count)
        lines.append(row(what, f"{median:.0f} / {worst:.0f} ms", f"≤ {goal:,} ms"))
        say(lines[-1].strip())
    size = max(map(len, drawn.values()))
    lines.append(row("size of the larger PDF", f"{size / 1024:,.0f} KiB", "≤ 1 MB"))
    say(lines[-1].strip())
    with unit_of_work(factory, actor=SYSTEM, clock=FixedClock(now), config=config, write=False) as ctx:
        month_closing.freeze(ctx, site, busy.label, edit=0)
    median, worst = times(lambda: report(site), count)
    lines.append(row("report of the month once it is closed", f"{median:.1f} / {worst:.1f} ms", "≤ 300 ms"))
    say(lines[-1].strip())
    engine.dispose()
    return lines


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monthly", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    made = [f"{datetime.now(UTC):%Y-%m-%d}, {machine()}. Median / worst of {options.count} turns.\n"]
    for name, url in databases(options.database, "bench_monthly"):
        say(f"{name}: filling")
        lines = measure(url, scale=options.scale, count=options.count)
        made += [f"\n{name}:\n\n", "| what | measured | goal |\n", rule(3), *lines]
    put(MONTHLY, "".join(made), options.output)


if __name__ == "__main__":
    main()
