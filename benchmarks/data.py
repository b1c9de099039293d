"""Fill an empty database with what a large customer has: sites, items, audit trail and job runs.

Rows are made with a fixed seed and inserted in bulk; the audit rows form a true chain, so that verifying them costs
what it costs in life.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Engine, Table, func, insert, select
from sqlalchemy.orm import Session, sessionmaker

from console.core.clock import SystemClock
from console.core.config import Config
from console.core.context import SYSTEM, unit_of_work
from console.domain.audit.entry import Entry, entry_hash, instant_text, keyed_hash
from console.domain.programme.catalogue import WEEKS
from console.models.audit import AuditChainHead, AuditLog
from console.models.automation import BacklogSample, RunFact
from console.models.base import Base
from console.models.identity import Site, User
from console.models.jobs import JobRun
from console.models.tracker import TrackerEvent, TrackerItem, TrackerRun
from console.services.audit.keys import chain_keys
from console.services.programme import weeks as programme

SITES = 20
PEOPLE = 40
ITEMS = 50_000
# What the automation is measured with.
MANY_ITEMS = 100_000
MANY_EVENTS = 1_000_000
AUTOPILOT_DAYS = 90
AUTOPILOT = "ops_governance_remediation_autopilot"
AUDIT_ROWS = 1_000_000
JOB_RUNS = 200_000
CHUNK = 5_000

STATUSES = ("pending", "in_progress", "blocked", "done")
JOBS = ("ops_governance_gate", "ops_governance_remediation_sync", "audit_checkpoint", "monthly_audit_archive")


def fill(engine: Engine, config: Config, *, now: datetime, scale: float = 1.0) -> None:
    """Fill the tables; `scale` below 1 makes everything smaller by that factor. `now` is aware UTC."""
    rng = random.Random(20260302)
    company(engine, now)
    insert_rows(engine, TrackerRun, [_run(now)])
    insert_rows(engine, TrackerItem, _items(rng, now, 1, int(ITEMS * scale)))
    insert_rows(engine, TrackerEvent, _events(rng, now, int(ITEMS * scale), int(ITEMS * scale)))
    insert_rows(engine, JobRun, _job_runs(rng, now, int(JOB_RUNS * scale)))
    _audit(engine, config, now, int(AUDIT_ROWS * scale))
    analyze(engine)


def company(engine: Engine, now: datetime) -> None:
    """Add the sites and the people."""
    insert_rows(engine, Site, _sites(now))
    insert_rows(engine, User, _people(now))


def grow(engine: Engine, config: Config, *, now: datetime, scale: float = 1.0) -> None:
    """Add to a filled database what the automation is measured with.

    Items and events up to their full numbers, ninety days of hourly autopilot runs, every week begun at every site.
    """
    rng = random.Random(20260309)
    before, items = int(ITEMS * scale), int(MANY_ITEMS * scale)
    insert_rows(engine, TrackerItem, _items(rng, now, before + 1, items))
    insert_rows(engine, TrackerEvent, _events(rng, now, items, int(MANY_EVENTS * scale) - before))
    with engine.connect() as connection:
        newest = connection.scalar(select(func.max(JobRun.id))) or 0
    hours = [number + 1 for number in range(int(24 * AUTOPILOT_DAYS * min(1.0, scale * 10)))]
    insert_rows(engine, JobRun, (_autopilot_run(now, hour) for hour in hours))
    insert_rows(engine, RunFact, (_autopilot_fact(now, newest + hour, hour) for hour in hours))
    insert_rows(engine, BacklogSample, (_sample(rng, now, hour) for hour in hours))
    factory: sessionmaker[Session] = sessionmaker(engine)
    for week in WEEKS.values():
        with unit_of_work(factory, actor=SYSTEM, clock=SystemClock(), config=config) as ctx:
            for number in range(SITES):
                programme.bootstrap(ctx, week, site_name(number))
    analyze(engine)


def analyze(engine: Engine) -> None:
    """Leave the tables as PostgreSQL keeps them by itself once it has run for a while; SQLite does nothing alike."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def insert_rows(engine: Engine, model: type[Base], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows of one table in pieces, each in a transaction of its own; all have the same columns."""
    source = iter(rows)
    table = model.__table__
    assert isinstance(table, Table)
    while chunk := list(islice(source, CHUNK)):
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                _copy(connection, table, chunk)
            else:
                connection.execute(insert(table), chunk)


def _copy(connection: Any, table: Table, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    binds = [table.c[name].type.bind_processor(connection.dialect) for name in names]
    listed = ", ".join(names)
    with connection.connection.cursor() as cursor, cursor.copy(f"COPY {table.name} ({listed}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([bind(row[name]) if bind else row[name] for name, bind in zip(names, binds, strict=True)])


def site_name(number: int) -> str:
    """Return the name of the site with that number."""
    return f"사업장 {number:02d}"


def person(number: int) -> str:
    """Return the user name of the person with that number."""
    return f"person{number:02d}"


def _sites(now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(SITES):
        name = site_name(number)
        yield {"name": name, "name_key": name, "zone": "Asia/Seoul", "created_at": now, "updated_at": now}


def _people(now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(PEOPLE):
        yield {
            "username": person(number),
            "display_name": f"직원 {number:02d}",
            "role": "manager" if number % 5 == 0 else "operator",
            "site_scope": ("*",),
            "permissions": (),
            "created_at": now,
            "updated_at": now,
        }


def _run(now: datetime) -> dict[str, Any]:
    return {
        "tracker": "remediation",
        "site_key": "",
        "last_synced_at": now,
        "gate_generated_at": now,
        "gate_decision": "no_go",
        "created_at": now,
        "updated_at": now,
    }


def _items(rng: random.Random, now: datetime, first: int, last: int) -> Iterator[dict[str, Any]]:
    for number in range(first, last + 1):
        status = rng.choices(STATUSES, (35, 25, 10, 30))[0]
        opened = now - timedelta(hours=rng.randrange(1, 24 * 60))
        done = status == "done"
        assigned = done or rng.random() < 0.7
        who = rng.randrange(PEOPLE)
        site = site_name(rng.randrange(SITES))
        yield {
            "tracker": "remediation",
            "site": site,
            "site_key": site,
            "item_type": "manual",
            "item_key": f"bench-{number}",
            "item_name": f"변전실 {number}호 절연저항 점검과 조치",
            "number": number,
            "rule_status": rng.choice(("fail", "warning")),
            "required": rng.random() < 0.3,
            "priority": rng.choice((1, 3, 4, 4)),
            "owner_role": rng.choice(("Ops Lead", "DR Owner", "Ops PM", "Platform Owner")),
            "sla_hours": 24,
            "action": "원인을 확인하고 조치한 뒤 증빙을 올립니다",
            "reason": "점검 기준을 벗어났습니다",
            "status": status,
            "completion_checked": done,
            "completed_at": now - timedelta(hours=rng.randrange(0, 400)) if done else None,
            "is_active": number % 20 != 0,
            "due_at": opened + timedelta(hours=rng.choice((24, 72, 240, 1600))),
            "first_seen_at": opened,
            "opened_at": opened,
            "assignee": person(who) if assigned else None,
            "assignee_user_id": who + 1 if assigned else None,
            "created_at": opened,
            "updated_at": opened,
        }


def _events(rng: random.Random, now: datetime, items: int, count: int) -> Iterator[dict[str, Any]]:
    for number in range(1, count + 1):
        yield {
            "item_id": (number - 1) % items + 1,
            "tracker": "remediation",
            "site_key": site_name(number % SITES),
            "at": now - timedelta(minutes=rng.randrange(1, 60 * 24 * 60)),
            "actor": person(number % PEOPLE),
            "kind": "status",
            "from_status": "in_progress",
            "to_status": "done" if number % 3 == 0 else "in_progress",
        }


def _job_runs(rng: random.Random, now: datetime, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        started = now - timedelta(minutes=7 * (count - number))
        yield {
            "job_name": JOBS[number % len(JOBS)],
            "trigger": "cron",
            "status": rng.choices(("success", "warning", "critical"), (90, 8, 2))[0],
            "state": "finished",
            "executed": True,
            "requested_by": "schedule",
            "request_id": "",
            "requested_at": started,
            "started_at": started,
            "finished_at": started + timedelta(seconds=2),
            "detail_json": {"decision": "go", "failure_count": 0, "warning_count": number % 3},
        }


def _autopilot_run(now: datetime, hour: int) -> dict[str, Any]:
    started = now - timedelta(hours=hour)
    return {
        "job_name": AUTOPILOT,
        "trigger": "cron",
        "status": "warning" if hour % 5 == 0 else "success",
        "state": "finished",
        "executed": True,
        "requested_by": "schedule",
        "request_id": "",
        "requested_at": started,
        "started_at": started,
        "finished_at": started + timedelta(seconds=3),
        "detail_json": {"skipped": hour % 3 == 0, "open_items": 30_000 + hour},
    }


def _autopilot_fact(now: datetime, run_id: int, hour: int) -> dict[str, Any]:
    skipped = hour % 3 == 0
    return {
        "run_id": run_id,
        "job_name": AUTOPILOT,
        "finished_at": now - timedelta(hours=hour) + timedelta(seconds=3),
        "skipped": skipped,
        "skip_reason": "cooldown_active" if skipped else None,
        "acted": not skipped,
        "planned_auto_assign": True,
        "did_auto_assign": not skipped,
        "open_items": 30_000 + hour,
        "open_items_after": 30_000 + hour,
        "assigned_count": 0 if skipped else 30,
    }


def _sample(rng: random.Random, now: datetime, hour: int) -> dict[str, Any]:
    return {
        "tracker": "remediation",
        "finished_at": now - timedelta(hours=hour),
        "source_job": "ops_governance_remediation_kpi",
        "status": "success",
        "open_items": 30_000 + rng.randrange(500),
        "overdue_count": 9_000 + rng.randrange(200),
    }


def _audit(engine: Engine, config: Config, now: datetime, count: int) -> None:
    keys = chain_keys(config)
    start = now - timedelta(seconds=2 * count)
    ends: dict[str, Any] = {}

    def rows() -> Iterator[dict[str, Any]]:
        running = ""
        for number in range(1, count + 1):
            at = start + timedelta(seconds=2 * number)
            text = instant_text(at)
            entry = Entry(
                actor_user_id=number % PEOPLE + 1,
                actor_username=person(number % PEOPLE),
                action="ops_governance_remediation_tracker_item_update",
                resource_type="ops_governance_remediation_tracker_item",
                resource_id=str(number % ITEMS + 1),
                status="success",
                detail_json='{"status": "in_progress", "assignee": "person01", "completion_checked": false}',
            )
            digest = entry_hash(entry, prev_hash=running, created_text=text)
            yield {
                "actor_user_id": entry.actor_user_id,
                "actor_username": entry.actor_username,
                "action": entry.action,
                "resource_type": entry.resource_type,
                "resource_id": entry.resource_id,
                "status": entry.status,
                "detail_json": entry.detail_json,
                "created_at": at,
                "created_text": text,
                "prev_hash": running or None,
                "entry_hash": digest,
                "seq": number,
                "keyed_hash": keyed_hash(keys.current, number, digest, ""),
                "key_id": keys.current_id,
                "request_id": "",
            }
            running = digest
        ends.update(hash=running, at=start + timedelta(seconds=2 * count))

    insert_rows(engine, AuditLog, rows())
    head = {"id": 1, "seq": count, "head_hash": ends["hash"], "last_created_at": ends["at"].astimezone(UTC)}
    insert_rows(engine, AuditChainHead, [head])
