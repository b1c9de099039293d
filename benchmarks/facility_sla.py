"""Measure SLA escalation, what-if and replay over many orders: how long they take, and how many queries they need.

`python -m benchmarks.facility_sla` measures that alone and writes its part of `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, insert, text
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.databases import CHOICES, databases
from benchmarks.results import RESULTS, SLA, machine, put, row, rule, say
from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Context, start_writing
from console.core.database import make_engine
from console.domain.facility_sla import replay as rules
from console.domain.facility_sla.policy import BUILT_IN, HOURS, SlaPolicy, due_after
from console.domain.work_orders.words import rank
from console.models.base import Base
from console.models.work_orders import SlaPass, WorkOrder, WorkOrderEvent
from console.services.facility_sla import history, policies, replays, whatif
from console.services.facility_sla.whatif import Wish
from console.services.work_orders import escalation

SITES = tuple(f"site {number:02}" for number in range(20))
YEAR, QUARTER = timedelta(days=365), timedelta(minutes=15)
BATCH = 5000
Row = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """What was measured: seconds and queries of each step, and whether the replay proved itself."""

    escalation: tuple[float, int]
    what_if: tuple[float, int]
    replay: tuple[float, int]
    orders: int
    events: int
    proven: bool


def lived(count: int, now: datetime) -> tuple[list[Row], list[Row]]:
    """Return orders of a year, most of them done, and what happened to them in the order of time."""
    chance = random.Random(7)
    orders, events = [], []
    for number in range(1, count + 1):
        at = now - YEAR + YEAR * (number / (count + 1))
        priority = chance.choice(tuple(HOURS))
        due = due_after(BUILT_IN, priority, at)
        done = at + timedelta(hours=chance.choice((1, 3, 7, 20, 60)))
        over = done < now
        site, status = chance.choice(SITES), "completed" if over else "acked"
        orders.append(_order(number, site, status, priority, due, at, done if over else None))
        told = [("created", at, None, "open"), ("status_changed", at + QUARTER, "open", "acked")]
        if over:
            told.append(("status_changed", done, "acked", "completed"))
        events += [_event(number, kind, when, old, new, priority, due) for kind, when, old, new in told if when < now]
    return orders, sorted(events, key=lambda one: one["created_at"])


def _order(
    number: int, site: str, status: str, priority: str, due: datetime, at: datetime, done: datetime | None
) -> Row:
    return {
        "id": number,
        "title": f"Order {number}",
        "site": site,
        "location": "B1",
        "priority": priority,
        "priority_rank": rank(priority),
        "status": status,
        "due_at": due,
        "acknowledged_at": None if status == "open" else at,
        "completed_at": done,
        "created_by": "kim",
        "updated_by": "kim",
        "created_at": at,
        "updated_at": at,
    }


def _event(number: int, kind: str, at: datetime, old: str | None, new: str, priority: str, due: datetime) -> Row:
    return {
        "work_order_id": number,
        "event_type": kind,
        "from_status": old,
        "to_status": new,
        "detail_json": {"due_source": "default"} if kind == "created" else {},
        "created_at": at,
        "priority": priority,
        "due_at": due,
    }


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _write(engine: Engine, model: Any, rows: list[Row]) -> None:
    with engine.begin() as connection:
        for batch in _batches(iter(rows)):
            connection.execute(insert(model), batch)


def _record(engine: Engine, ctx: Context, now: datetime) -> None:
    """Put on record what the escalation of that year would have done, pass by pass."""
    passes: list[Row] = []
    at = now - YEAR
    while at < now:
        passes.append({"at": at, "row_limit": 500, "escalated_count": 0, "actor": "system"})
        at += QUARTER
    _write(engine, SlaPass, passes)
    start = now - YEAR
    found = history.of_period(ctx, start, now)
    fates = rules.walk(found.starts, found.steps, found.passes, found.policies, start=start, end=now)
    ctx.rollback()
    told = [
        _event(fate.order_id, "escalated", at, "acked", "acked", fate.priority, fate.due_at)
        for fate in fates.values()
        for at in fate.escalations
    ]
    _write(engine, WorkOrderEvent, told)


def _timed(engine: Engine, work: Callable[[], Any]) -> tuple[Any, float, int]:
    seen: list[str] = []

    def count(*args: Any) -> None:
        seen.append(args[2])

    event.listen(engine, "before_cursor_execute", count)
    start = time.perf_counter()
    made = work()
    seconds = time.perf_counter() - start
    event.remove(engine, "before_cursor_execute", count)
    return made, seconds, len(seen)


def measure(url: str, count: int) -> Measured:
    """Measure a replay of a year over so many orders, then what-if and escalation over so many open ones."""
    now = datetime.now(UTC).replace(microsecond=0)
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    orders, events = lived(count, now)
    say(f"writing {len(orders):,} orders and {len(events):,} events")
    _write(engine, WorkOrder, orders)
    _write(engine, WorkOrderEvent, events)
    with sessionmaker(engine)() as session:
        ctx = Context(session, FixedClock(now), SYSTEM, Config.for_tests())
        _record(engine, ctx, now)
        say("replaying")
        wanted = SlaPolicy({**HOURS, "high": 12, "low": 48}, 30)
        made, *replayed = _timed(engine, lambda: replays.run(ctx, wanted, site=None, days=365))
        ctx.rollback()
        _many_open(engine, session, ctx, count, now)
        say("what-if and escalation")
        _found, *guessed = _timed(engine, lambda: whatif.measured(ctx, wanted, Wish(limit=20_000, sample_size=1000)))
        ctx.rollback()
        start_writing(session)
        _done, *escalated = _timed(engine, lambda: escalation.escalate(ctx, limit=2000))
        ctx.rollback()
    engine.dispose()
    seconds = [(float(one[0]), int(one[1])) for one in (escalated, guessed, replayed)]
    return Measured(seconds[0], seconds[1], seconds[2], made.orders, made.events, made.proven)


def _many_open(engine: Engine, session: Session, ctx: Context, count: int, now: datetime) -> None:
    """Open so many orders that are late, a quarter of the sites with a policy and a long grace of their own."""
    late = [
        _order(count + number, SITES[number % 20], "open", "medium", now - timedelta(minutes=number % 3000), now, None)
        for number in range(1, count + 1)
    ]
    _write(engine, WorkOrder, late)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    start_writing(session)
    for site in SITES[::4]:
        policies.put(ctx, SlaPolicy(HOURS, 1440), site=site)
    ctx.commit()


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.facility_sla", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    made = [
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}. As many orders are open and late as lived within the year.\n\n"
    ]
    heads = ("database", "orders", "events", "replay of a year, goal ≤ 5 s", "what-if, goal ≤ 1 s")
    made += [row(*heads, "escalation of 2,000, goal ≤ 3 s and 20 queries", "proven"), rule(7)]
    for name, url in databases(options.database, "bench"):
        found = measure(url, options.orders)
        times = [f"{seconds:.2f} s, {queries} queries" for seconds, queries in (found.replay, found.what_if)]
        told = f"{found.escalation[0]:.2f} s, {found.escalation[1]} queries"
        proven = "yes" if found.proven else "no"
        made.append(row(name, f"{found.orders:,}", f"{found.events:,}", *times, told, proven))
        say(made[-1].strip())
    put(SLA, "".join(made), options.output)


if __name__ == "__main__":
    main()
