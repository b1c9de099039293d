"""Measure the overview and the handover brief over many orders: cold, warm and right after a write.

`python -m benchmarks.overview` measures that alone and writes its part of `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, insert, text
from sqlalchemy.orm import sessionmaker

from benchmarks.databases import CHOICES, databases
from benchmarks.results import OVERVIEW, RESULTS, machine, put, row, rule, say
from console import create_app
from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import Context, start_writing
from console.domain.handover.requests import BriefAsked
from console.domain.work_orders.words import rank
from console.models.alerts import AlertDelivery
from console.models.base import Base
from console.models.inspections import Inspection
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.common import query_cache
from console.services.handover import brief as briefs
from console.services.handover import changes, shifts
from console.services.home import dashboard, overview
from console.services.identity import passwords
from console.services.jobs import registry
from console.services.jobs import schedule as run_schedule
from console.services.jobs.schedule import ScheduleHealth
from console.services.work_orders import events
from console.web.extensions import db
from tests.conftest import actor_of
from tests.factories import make_site, make_user
from tests.support.people import PASSWORD, BrowserClient

SITES = tuple(f"site {number:02}" for number in range(20))
ORDERS, DELIVERIES, INSPECTIONS, OPEN = 100_000, 200_000, 60_000, 2_000
YEARS = timedelta(days=3 * 365)
BATCH = 5_000
Row = dict[str, Any]


def _orders(rng: random.Random, now: datetime, count: int, opened: int) -> Iterator[tuple[Row, Row]]:
    for number in range(1, count + 1):
        is_open = number > count - opened
        at = now - (timedelta(days=rng.random() * 20) if is_open else rng.random() * YEARS)
        priority = rng.choice(("low", "medium", "high", "critical"))
        due = at + timedelta(hours=rng.choice((4, 24, 72, 600)))
        late = is_open and due < now
        order = {
            "id": number,
            "title": f"order {number}",
            "site": rng.choice(SITES),
            "location": "B1",
            "priority": priority,
            "priority_rank": rank(priority),
            "status": rng.choice(("open", "acked")) if is_open else "completed",
            "assignee": rng.choice((None, "kim", "lee")),
            "due_at": due,
            "completed_at": None if is_open else min(now, at + timedelta(hours=rng.random() * 90)),
            "is_escalated": late and rng.random() < 0.5,
            "created_by": "kim",
            "updated_by": "kim",
            "created_at": at,
            "updated_at": at,
        }
        told = "escalated" if rng.random() < 0.1 else "status_changed"
        yield order, {
            "work_order_id": number, "event_type": told, "created_at": at, "priority": priority, "due_at": due
        }  # fmt: skip


def _deliveries(rng: random.Random, now: datetime, count: int) -> Iterator[Row]:
    for number in range(count):
        at, site = now - rng.random() * YEARS, rng.choice(SITES)
        yield {
            "message_id": f"benchmark-{number}",
            "event_type": "sla_escalation",
            "channel": "primary",
            "target": "https://hooks.test/ops",
            "site": site,
            "payload_json": {"site": site},
            "status": rng.choices(("success", "dead"), (97, 3))[0],
            "last_attempt_at": at,
            "created_at": at,
            "updated_at": at,
        }


def _inspections(rng: random.Random, now: datetime, count: int) -> Iterator[Row]:
    for number in range(count):
        at = now - rng.random() * YEARS
        yield {
            "site": rng.choice(SITES),
            "location": "B1",
            "cycle": "monthly",
            "inspector": "kim",
            "inspected_at": at,
            "risk_level": rng.choices(("normal", "warning", "danger"), (90, 7, 3))[0],
            "risk_flags": [],
            "finding_names": [],
            "rule_version": "1",
            "created_by": f"bench{number}",
            "created_at": at,
        }


def fill(engine: Engine, now: datetime, scale: float) -> None:
    """Write three years of orders, alerts and inspections at twenty sites."""
    rng = random.Random(20261130)
    pairs = list(_orders(rng, now, int(ORDERS * scale), int(OPEN * scale)))
    made: tuple[tuple[Any, Iterator[Row]], ...] = (
        (WorkOrder, (order for order, _event in pairs)),
        (WorkOrderEvent, (told for _order, told in pairs)),
        (AlertDelivery, _deliveries(rng, now, int(DELIVERIES * scale))),
        (Inspection, _inspections(rng, now, int(INSPECTIONS * scale))),
    )
    for table, rows in made:
        while chunk := list(islice(rows, BATCH)):
            with engine.begin() as connection:
                connection.execute(insert(table), chunk)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            # Rows that were written with their numbers have not moved the counter.
            connection.execute(text("SELECT setval('work_orders_id_seq', (SELECT max(id) FROM work_orders))"))
        connection.execute(text("ANALYZE"))


def _times(work: Callable[[], object], count: int, before: Callable[[], object] | None = None) -> tuple[float, float]:
    """Return the median and the 95th percentile of so many turns in ms; `before` each is not counted."""
    taken = []
    for _turn in range(count + 1):
        if before is not None:
            before()
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    rest = sorted(taken[1:])
    return statistics.median(rest), rest[min(len(rest) - 1, int(0.95 * len(rest)))]


def _schedule(ctx: Context) -> ScheduleHealth:
    return run_schedule.health(ctx, registry.schedule(), registry.find)


def measure(url: str, *, scale: float, count: int) -> list[str]:
    """Return the lines of the table for one database."""
    now = datetime.now(UTC)
    clock = FixedClock(now)
    folder = tempfile.mkdtemp(prefix="kaos-bench-overview-")
    config = Config.for_tests(DATABASE_URL=url, DATA_DIR=folder, API_RATE_LIMIT_ENABLED="0")
    app = create_app(config, clock)
    with app.app_context():
        engine = db.engine
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    factory = sessionmaker(engine)
    with factory() as session:
        for site in SITES:
            make_site(session, site, now=now)
        hashed = passwords.make_hash(config, PASSWORD)
        make_user(session, now=now, role="owner", username="bench", password_hash=hashed)
        session.commit()
    fill(engine, now, scale)
    reader = BrowserClient(app, app.response_class)
    reader.sign_in("bench")
    actor = actor_of("owner", username="bench")
    say(f"{int(ORDERS * scale):,} orders are there")

    def reading(work: Callable[[Context], object]) -> Callable[[], object]:
        def run() -> object:
            with factory() as session:
                return work(Context(session, clock, actor, config, only_reads=True))

        return run

    def cold() -> None:
        query_cache.forget(engine)

    def write() -> None:
        with factory() as session:
            ctx = Context(session, clock, actor, config)
            start_writing(session)
            events.comment(ctx, 1, "seen")
            ctx.commit()

    def give(ctx: Context) -> object:
        return changes.give(ctx, SITES[0], getattr(shifts.newest(ctx, SITES[0]), "id", 0))

    def written() -> None:
        with factory() as session:
            ctx = Context(session, clock, actor, config)
            start_writing(session)
            give(ctx)
            ctx.commit()

    day = reading(
        lambda ctx: overview.read(ctx, None, lambda own: run_schedule.health(own, registry.schedule(), registry.find))
    )
    measured: tuple[tuple[str, int, Callable[[], object], Callable[[], object] | None], ...] = (
        ("overview, nothing remembered", 100, day, cold),
        ("overview after a write of an order", 60, day, write),
        ("its page, nothing remembered", 100, lambda: reader.get("/overview"), cold),
        ("its page after a write of an order", 60, lambda: reader.get("/overview"), write),
        ("handover brief of all sites", 150, reading(lambda ctx: briefs.brief(ctx, BriefAsked())), None),
        ("handover brief of a site", 150, reading(lambda ctx: briefs.brief(ctx, BriefAsked(SITES[0]))), None),
        ("dashboard, 90 days", 150, reading(lambda ctx: dashboard.summary(ctx, days=90)), None),
        ("its trends, 90 days", 150, reading(lambda ctx: dashboard.trends(ctx, days=90)), None),
        ("what a site hands over", 150, reading(lambda ctx: shifts.preview(ctx, SITES[0])), None),
        ("handing it over", 300, written, None),
    )
    lines = []
    for what, goal, work, before in measured:
        asked: list[str] = []
        median, worst = _times(work, count, before)
        if before is not None:
            before()
        event.listen(engine, "before_cursor_execute", listener := lambda *args, asked=asked: asked.append(args[2]))
        work()
        event.remove(engine, "before_cursor_execute", listener)
        lines.append(row(what, f"{median:.0f} / {worst:.0f} ms", f"≤ {goal} ms", len(asked)))
        say(lines[-1].strip())
    engine.dispose()
    return lines


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overview", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    made = [f"{datetime.now(UTC):%Y-%m-%d}, {machine()}. Median / P95 of {options.count} turns, statements of one.\n"]
    for name, url in databases(options.database, "bench_overview"):
        say(f"{name}: filling")
        lines = measure(url, scale=options.scale, count=options.count)
        made += [f"\n{name}:\n\n", "| what | measured | goal | statements |\n", rule(4), *lines]
    put(OVERVIEW, "".join(made), options.output)


if __name__ == "__main__":
    main()
