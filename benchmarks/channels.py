"""Measure the alert channels: their figures over 120 days, and that a dead and a slow one delay no other.

`python -m benchmarks.channels` measures that alone and writes its part of `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.databases import CHOICES, databases
from benchmarks.results import CHANNELS, RESULTS, machine, put, row, rule, say
from console.core.clock import FixedClock, SystemClock
from console.core.config import Config
from console.core.context import SYSTEM, Context, unit_of_work
from console.core.database import make_engine
from console.domain.alerts import incidents as rules
from console.domain.alerts.alerts import Channel, Sent, answered
from console.models.alerts import AlertDelivery, AlertIncident
from console.models.base import Base
from console.services.alerts import board, channels, delivery, figures, states
from console.services.alerts import outbox as alerts

NUMBER, DAYS, BATCH, ROUNDS = 200_000, 120, 5000, 15
ADDRESSES = tuple(f"https://receiver{number}.example/x" for number in range(5))
DEAD, SLOW = ADDRESSES[3], ADDRESSES[4]
EVENTS = ("sla_escalation", "ops_daily_check", "ops_governance_remediation_escalation")
CONFIG = Config.for_tests(ALERT_WEBHOOK_URLS=";".join(ADDRESSES))


def _deliveries(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    chance, known = random.Random(7), channels.built_in(CONFIG)
    for number in range(count):
        one = known[number % len(known)]
        at = now - timedelta(days=DAYS) * (count - number) / count
        yield {
            "message_id": f"msg_{number}",
            "event_type": EVENTS[number % len(EVENTS)],
            "channel": one.key,
            "target": one.label,
            "status": chance.choices(("success", "warning", "dead"), (94, 3, 3))[0],
            "payload_json": {"event": "bench", "text": "변전실 절연저항 점검"},
            "attempt_count": 1,
            "last_attempt_at": at,
            "created_at": at,
            "updated_at": at,
        }


def _incidents(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    chance, known = random.Random(8), channels.built_in(CONFIG)
    for number in range(max(10, count // 100)):
        one = known[number % len(known)]
        began = now - timedelta(days=DAYS * chance.random())
        ended = began + timedelta(minutes=chance.randint(1, 600))
        for event in ("", EVENTS[number % len(EVENTS)]):
            yield {
                "channel": one.key,
                "target": one.label,
                "event_type": event,
                "started_at": began,
                "ended_at": min(ended, now),
            }


def _fill(engine: Engine, count: int, now: datetime) -> None:
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        for table, rows in ((AlertDelivery, _deliveries(count, now)), (AlertIncident, _incidents(count, now))):
            while part := list(islice(rows, BATCH)):
                connection.execute(insert(table), part)
        connection.execute(text("ANALYZE"))


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    work()
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        took.append((time.perf_counter() - start) * 1000)
    return median(took), sorted(took)[int(len(took) * 0.95)]


def _reads(engine: Engine, now: datetime) -> Iterator[tuple[str, str, float, float]]:
    starts = tuple(now - timedelta(days=board.DAYS - number) for number in range(board.DAYS))
    with sessionmaker(engine)() as session:
        ctx = Context(session, FixedClock(now), SYSTEM, CONFIG)
        reads: Mapping[str, Callable[[], object]] = {
            "KPI per channel over 120 days": lambda: figures.counted(ctx, event_type=None, windows=(DAYS,)),
            "KPI per channel, published windows": lambda: figures.kpi(ctx),
            "MTTR over 120 days": lambda: rules.window(
                figures.incidents(ctx, event_type=None, days=DAYS), days=DAYS, now=now
            ),
            "MTTR, published windows": lambda: figures.mttr(ctx),
        }
        for what, work in reads.items():
            yield what, "≤ 100 ms", *_timed(_fresh(session, work))
        yield "page of the channels", "–", *_timed(_fresh(session, lambda: board.read(ctx, starts=starts)))


def _fresh(session: Session, work: Callable[[], object]) -> Callable[[], None]:
    """Return the work with a transaction of its own."""

    def once() -> None:
        session.rollback()
        work()

    return once


class Receivers:
    """Five receivers without a network: three that answer at once, one that times out, one that takes its time."""

    def __init__(self, hang: float, slow: float) -> None:
        self._pauses = {DEAD: hang, SLOW: slow}
        self._lock = threading.Lock()
        self.ended: dict[str, float] = {}

    def send(self, channel: Channel, _message_id: str, _payload: Mapping[str, Any], _at: datetime, /) -> Sent:
        """Answer after the pause of the receiver and remember when the last of its messages ended."""
        time.sleep(self._pauses.get(channel.address, 0.002))
        with self._lock:
            self.ended[channel.address] = time.monotonic()
        if channel.address == DEAD and self._pauses[DEAD]:
            return Sent(error="webhook url error: timed out", retryable=True)
        return answered(200)


def _lanes(engine: Engine, count: int, hang: float, slow: float) -> tuple[float, float]:
    """Deliver so many messages; return when the last quick channel had all of its own, and how long all took."""
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    factory = sessionmaker(engine)

    def work() -> AbstractContextManager[Context]:
        return unit_of_work(factory, actor=SYSTEM, clock=SystemClock(), config=CONFIG)

    with work() as ctx:
        for number in range(count // len(ADDRESSES)):
            alerts.raise_alert(ctx, "sla_escalation", {"event": "sla_escalation", "number": number})
    receivers, known = Receivers(hang, slow), {one.key: one for one in channels.built_in(CONFIG)}
    start = time.monotonic()
    delivery.deliver(
        work, receivers, known, most_attempts=10, rules=states.rules_of(CONFIG), limit=2 * count, lasts=600.0
    )
    quick = max(at for address, at in receivers.ended.items() if address not in (DEAD, SLOW))
    return quick - start, time.monotonic() - start


def measure(url: str, count: int, messages: int) -> list[tuple[str, str, str, str]]:
    """Return what was measured on one database: what, goal, median and P95 (or the two times compared)."""
    engine = make_engine(url)
    now = datetime.now(UTC)
    _fill(engine, count, now)
    found = []
    for what, goal, middle, late in _reads(engine, now):
        say(what)
        found.append((what, goal, f"{middle:.0f} ms", f"{late:.0f} ms"))
    plain, _whole = _lanes(engine, messages, 0.0, 0.0)
    beside, whole = _lanes(engine, messages, 5.0, 0.2)
    what = (
        f"{messages:,} deliveries, one of five channels dead and one slow: delay of the others ({whole:.0f} s in all)"
    )
    found.append((what, "≤ 1 s", f"{beside - plain:.2f} s", f"{plain:.1f} → {beside:.1f} s"))
    engine.dispose()
    return found


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.channels", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=NUMBER)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    made = [f"{options.deliveries:,} deliveries of {DAYS} days. {datetime.now(UTC):%Y-%m-%d}, {machine()}.\n\n"]
    made += [row("database", "what", "goal", "median", "P95"), rule(5)]
    for name, url in databases(options.database, "bench"):
        made += [row(name, *cells) for cells in measure(url, options.deliveries, options.messages)]
    put(CHANNELS, "".join(made), options.output)


if __name__ == "__main__":
    main()
