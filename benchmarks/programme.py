"""Measure the metrics and the page of a week over three years of facts at twenty sites.

`python -m benchmarks.programme` measures that alone and writes its part of `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import gc
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, insert, select, text, update
from sqlalchemy.orm import sessionmaker

from benchmarks.databases import CHOICES, databases
from benchmarks.results import PROGRAMME, RESULTS, machine, put, row, rule, say
from console import create_app
from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Context
from console.core.database import make_engine
from console.domain.programme.catalogue import WEEKS, calendar
from console.domain.programme.measures import OF_WEEK
from console.domain.work_orders.words import PRIORITIES, rank
from console.models.alerts import AlertDelivery
from console.models.audit import AuditChainHead, AuditLog
from console.models.base import Base
from console.models.inspections import Inspection
from console.models.tracker import TrackerItem
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.identity import passwords
from console.services.programme import metrics
from console.services.programme import weeks as programme
from tests.factories import make_site, make_token, make_user
from tests.support.people import PASSWORD, BrowserClient

SITES = tuple(f"site {number:02}" for number in range(20))
YEARS = timedelta(days=3 * 365)
ORDERS, INSPECTIONS, ENTRIES, ALERTS, PEOPLE = 120_000, 60_000, 400_000, 40_000, 200
TITLES = tuple(f"title {number}" for number in range(400))
BATCH = 5000
Row = dict[str, Any]


def _orders(chance: random.Random, count: int, now: datetime) -> Iterator[Row]:
    for number in range(1, count + 1):
        at = now - YEARS + YEARS * (number / (count + 1))
        priority = chance.choice(PRIORITIES)
        done = at + timedelta(hours=chance.choice((1, 3, 7, 20, 60, 200)))
        over = done < now
        yield {
            "id": number,
            "title": chance.choice(TITLES),
            "site": chance.choice(SITES),
            "location": "B1",
            "priority": priority,
            "priority_rank": rank(priority),
            "status": "completed" if over else "acked",
            "due_at": at + timedelta(hours=24),
            "acknowledged_at": at + timedelta(minutes=chance.randrange(1, 300)),
            "completed_at": done if over else None,
            "is_escalated": chance.random() < 0.2,
            "created_by": "kim",
            "updated_by": "kim",
            "created_at": at,
            "updated_at": at,
        }


def _events(chance: random.Random, orders: Iterator[Row], now: datetime) -> Iterator[Row]:
    for order in orders:
        steps = [("created", order["created_at"], "open"), ("status_changed", order["acknowledged_at"], "acked")]
        steps += [("status_changed", order["completed_at"], "completed")] if order["completed_at"] else []
        for kind, at, status in steps:
            if at < now:
                yield {
                    "work_order_id": order["id"],
                    "event_type": kind,
                    "actor_username": f"person{chance.randrange(PEOPLE)}",
                    "to_status": status,
                    "created_at": at,
                    "priority": order["priority"],
                    "due_at": order["due_at"],
                }


def _inspections(chance: random.Random, count: int, now: datetime) -> Iterator[Row]:
    for number in range(count):
        at, who = now - YEARS * (number / count), f"person{chance.randrange(PEOPLE)}"
        yield {
            "site": chance.choice(SITES),
            "location": "B1",
            "cycle": "daily",
            "inspector": who,
            "inspected_at": at,
            "risk_level": chance.choices(("normal", "warning", "danger"), (90, 8, 2))[0],
            "rule_version": "1",
            "created_by": who,
            "created_at": at,
        }


def _entries(chance: random.Random, count: int, now: datetime, first: int) -> Iterator[Row]:
    words = ("auth_login_success", "work_order_update", "report_monthly_export_csv", "ops_handover_brief_view")
    for number in range(count):
        at = now - YEARS + YEARS * (number / count)
        yield {
            "actor_username": f"person{chance.randrange(PEOPLE)}",
            "action": chance.choices(words, (30, 68, 1, 1))[0],
            "resource_type": "report",
            "resource_id": chance.choice(SITES),
            "status": "denied" if chance.random() < 0.01 else "success",
            "created_at": at,
            "created_text": at.isoformat(),
            "seq": first + number + 1,
        }


def _alerts(chance: random.Random, count: int, now: datetime) -> Iterator[Row]:
    for number in range(count):
        at = now - YEARS * (number / count)
        yield {
            "message_id": f"benchmark-{number}",
            "event_type": "sla_escalation",
            "channel": "primary",
            "target": "https://hooks.test/ops",
            "site": chance.choice(SITES),
            "status": chance.choices(("success", "failed"), (97, 3))[0],
            "last_attempt_at": at,
            "created_at": at,
            "updated_at": at,
        }


def _people(engine: Engine, now: datetime, config: Config) -> int:
    """Add sites, people and the items of every week; returns the number of the newest audit entry."""
    with sessionmaker(engine)() as session:
        for name in SITES:
            make_site(session, name, now=now)
        for number in range(PEOPLE):
            scope = ("*",) if number % 10 == 0 else (SITES[number % len(SITES)],)
            user = make_user(session, now=now, username=f"person{number}", role="operator", site_scope=scope)
            make_token(session, user, now=now)
        hashed = passwords.make_hash(config, PASSWORD)
        make_user(session, now=now, username="reader", role="manager", password_hash=hashed)
        session.commit()
        ctx = Context(session, FixedClock(now), SYSTEM, config)
        for week in WEEKS.values():
            for name in SITES:
                programme.bootstrap(ctx, week, name)
        session.commit()
        return session.scalar(select(func.max(AuditLog.seq))) or 0


def _fill(engine: Engine, now: datetime, scale: float, config: Config) -> None:
    chance = random.Random(20260601)
    orders = list(_orders(chance, int(ORDERS * scale), now))
    made: tuple[tuple[Any, Iterator[Row]], ...] = (
        (WorkOrder, iter(orders)),
        (WorkOrderEvent, _events(chance, iter(orders), now)),
        (Inspection, _inspections(chance, int(INSPECTIONS * scale), now)),
        (AuditLog, _entries(chance, int(ENTRIES * scale), now, _people(engine, now, config))),
        (AlertDelivery, _alerts(chance, int(ALERTS * scale), now)),
    )
    with engine.begin() as connection:
        for table, rows in made:
            while batch := list(islice(rows, BATCH)):
                connection.execute(insert(table), batch)
    with engine.begin() as connection:
        newest = select(func.max(AuditLog.seq)).scalar_subquery()
        connection.execute(update(AuditChainHead).values(seq=newest))
        connection.execute(text("ANALYZE"))


def _p95(work: Callable[[], object], count: int, before: Callable[[], object] = lambda: None) -> float:
    """Return the P95 of so many turns in milliseconds, after a first one that does not count."""
    before()
    work()
    taken = []
    for _turn in range(count):
        before()
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return sorted(taken)[max(0, int(len(taken) * 0.95) - 1)]


def _metrics(engine: Engine, now: datetime, config: Config, count: int) -> list[str]:
    factory, lines, worst = sessionmaker(engine), [], 0.0

    def one(key: str, site: str | None) -> None:
        with factory() as session:
            metrics.snapshot(Context(session, FixedClock(now), SYSTEM, config), key, site, OF_WEEK[key[:3]].default)

    for metric in OF_WEEK.values():
        for site in (None, SITES[3]):
            taken = _p95(partial(one, metric.key, site), count)
            worst = max(worst, taken)
            say(f"{metric.key} {'one site' if site else 'all sites'}: {taken:.0f} ms")
    lines.append(row("any metric, all sites or one", f"{worst:.0f} ms", "≤ 150 ms"))
    start = time.perf_counter()
    for metric in OF_WEEK.values():
        one(metric.key, None)
    lines.append(row("all metrics of all weeks, all sites", f"{time.perf_counter() - start:.2f} s", "≤ 3 s"))
    return lines


def _pages(engine: Engine, url: str, now: datetime, count: int) -> list[str]:
    config = Config.for_tests(DATABASE_URL=url, DATA_DIR=tempfile.mkdtemp(prefix="kaos-bench-programme-"))
    app = create_app(config, FixedClock(now))
    client = BrowserClient(app, app.response_class)
    assert client.sign_in("reader").status_code == 303
    lines = []

    def page(code: str) -> None:
        assert client.get(f"/programme/{code}?site={SITES[3]}").status_code == 200

    def touch(table: Any, first: Any) -> None:
        with engine.begin() as connection:
            connection.execute(update(table).where(table.id == first).values(updated_at=datetime.now(UTC)))

    def forget() -> None:
        # An order changes: whatever was counted from orders has to be counted again.
        touch(WorkOrder, 1)

    def write_elsewhere() -> None:
        # An item of another week: nothing that the figures of this one were counted from.
        touch(TrackerItem, select(func.min(TrackerItem.id)).where(TrackerItem.tracker == "w02").scalar_subquery())

    # As the web processes do: what was loaded is looked through by no collection.
    gc.collect()
    gc.freeze()
    cold, slowest = max((_p95(partial(page, code), count, forget), code) for code in calendar())
    warm = _p95(lambda: page("w07"), count, write_elsewhere)
    lines.append(row("page of a week, nothing remembered", f"{slowest.upper()}: {cold:.0f} ms", "≤ 100 ms"))
    lines.append(row("page of a week after a write to another subject", f"{warm:.0f} ms", "≤ 60 ms"))
    return lines


def measure(url: str, *, scale: float, count: int) -> list[str]:
    """Return the lines of the table for one database."""
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    config = Config.for_tests(DATABASE_URL=url, DATA_DIR=tempfile.mkdtemp(prefix="kaos-bench-programme-"))
    now = datetime.now(UTC)
    _fill(engine, now, scale, config)
    lines = [*_metrics(engine, now, config, count), *_pages(engine, url, now, count)]
    for line in lines:
        say(line.strip())
    engine.dispose()
    return lines


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.programme", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    made = [f"{datetime.now(UTC):%Y-%m-%d}, {machine()}. P95 of {options.count} turns.\n"]
    for name, url in databases(options.database, "bench_programme"):
        say(f"{name}: filling")
        lines = measure(url, scale=options.scale, count=options.count)
        made += [f"\n{name}, {int(ORDERS * options.scale):,} orders at {len(SITES)} sites:\n\n"]
        made += ["| what | measured | goal |\n", rule(3), *lines]
    put(PROGRAMME, "".join(made), options.output)


if __name__ == "__main__":
    main()
