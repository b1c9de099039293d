"""Measure the nightly comparison of alerts over many events: how long it takes, and how much memory it needs.

`python -m benchmarks.accuracy` measures that alone and writes its part of `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import sessionmaker

from benchmarks.databases import CHOICES, databases
from benchmarks.results import ACCURACY, RESULTS, machine, put, row, rule, say
from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Context
from console.core.database import make_engine
from console.domain.alerts.alerts import ESCALATED
from console.domain.tracker.tracker import REMEDIATION
from console.models.alerts import AlertDelivery
from console.models.base import Base
from console.models.jobs import JobRun, JobSchedule
from console.models.tracker import TrackerEvent, TrackerItem
from console.services.alerts import accuracy
from console.services.alerts import channels as alert_channels
from tests.factories.alert_history import KPI, LINES

# Each item is late and told every four hours for two weeks; people work on it meanwhile.
EVENTS_PER_ITEM = 100
TOLD = 84
BATCH = 5000
HOUR = timedelta(hours=1)


def fill(engine: Engine, config: Config, now: datetime, events: int) -> None:
    """Write items with so many events in all, the alerts about them, and the runs of the schedule."""
    items = max(1, events // EVENTS_PER_ITEM)
    with engine.begin() as connection:
        for batch in _batches(_items(items, now)):
            connection.execute(insert(TrackerItem), batch)
    with engine.begin() as connection:
        for batch in _batches(_events(items, now)):
            connection.execute(insert(TrackerEvent), batch)
    with engine.begin() as connection:
        connection.execute(insert(AlertDelivery), list(_alerts(config, now)))
        connection.execute(insert(JobSchedule), [_line(line, now) for line in LINES])
        connection.execute(insert(JobRun), list(_runs(now)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _told(now: datetime, number: int) -> datetime:
    return now - timedelta(days=14) + HOUR * (4 * number + 1)


def _items(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    old = now - timedelta(days=20)
    for number in range(1, count + 1):
        yield {
            "id": number,
            "tracker": REMEDIATION.key,
            "site_key": "",
            "item_type": "manual",
            "item_key": f"manual-{number}",
            "number": number,
            "status": "in_progress",
            "assignee": "kim",
            "due_at": now - timedelta(days=15),
            "sla_hours": 24,
            "first_seen_at": old,
            "opened_at": old,
            "created_at": old,
            "updated_at": now,
        }


def _events(items: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield what happened in the order of time, so that the events of an item lie far apart as they do in life."""
    plain = {"tracker": REMEDIATION.key, "actor": "system"}
    for number in range(EVENTS_PER_ITEM):
        said = number < TOLD
        at = _told(now, number) if said else now - timedelta(days=13) + HOUR * (18 * (number - TOLD))
        for item_id in range(1, items + 1):
            if said:
                yield {**plain, "item_id": item_id, "at": at, "kind": "escalated", "old": {}, "new": {"level": 2}}
            else:
                assigned = {"assignee": "kim", "assignee_user_id": 1, "assigned_at": at.isoformat()}
                yield {**plain, "item_id": item_id, "at": at, "kind": "assigned", "old": assigned, "new": assigned}


def _alerts(config: Config, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(TOLD):
        at = _told(now, number)
        for one in alert_channels.built_in(config):
            yield {
                "message_id": f"msg_{number}_{one.key}",
                "event_type": ESCALATED,
                "channel": one.key,
                "target": one.label,
                "status": "success",
                "attempt_count": 1,
                "last_attempt_at": at,
                "created_at": at,
                "updated_at": at,
            }


def _line(line: Any, now: datetime) -> dict[str, Any]:
    return {"key": line.key, "job_name": line.job, "known_since": now - timedelta(days=20), "cursor_at": now}


def _runs(now: datetime) -> Iterator[dict[str, Any]]:
    instant = (now - timedelta(days=14)).replace(minute=0, second=0, microsecond=0)
    while instant <= now:
        for line, at in ((LINES[0], instant + HOUR / 3), (KPI, instant + HOUR * 5 / 6)):
            if at <= now and (line is not KPI or at.hour % 6 == 0):
                yield {
                    "job_name": line.job,
                    "trigger": "cron",
                    "state": "finished",
                    "status": "success",
                    "executed": True,
                    "requested_by": "scheduler",
                    "requested_at": at,
                    "scheduled_for": at,
                    "started_at": at,
                    "finished_at": at,
                }
        instant += HOUR


def measure(url: str, events: int) -> tuple[int, int, float, float, int]:
    """Return events, items, seconds, growth of memory in MB, and how much was found wrong."""
    now = datetime.now(UTC).replace(minute=45, second=0, microsecond=0)
    config = Config.for_tests(ALERT_WEBHOOK_URLS="https://a.example/x; https://b.example/x")
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    say(f"writing {events:,} events")
    fill(engine, config, now, events)
    say("comparing")
    with sessionmaker(engine)() as session:
        ctx = Context(session, FixedClock(now), SYSTEM, config)
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        found = accuracy.measure(ctx, LINES).accuracy
        seconds = time.perf_counter() - start
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    engine.dispose()
    say(f"{found.event_count:,} events of {found.item_count:,} items in {seconds:.1f} s, {grown:.0f} MB more")
    return found.event_count, found.item_count, seconds, grown, sum(found.labels.values())


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    made = [f"{datetime.now(UTC):%Y-%m-%d}, {machine()}.\n\n"]
    made += [row("database", "events", "items", "time, goal ≤ 30 s", "more memory", "found wrong, 0 are"), rule(6)]
    for name, url in databases(options.database, "bench"):
        events, items, seconds, grown, wrong = measure(url, options.events)
        made.append(row(name, f"{events:,}", f"{items:,}", f"{seconds:.1f} s", f"{grown:.0f} MB", wrong))
    put(ACCURACY, "".join(made), options.output)


if __name__ == "__main__":
    main()
