"""Weeks of runs and alerts, and quality reports that were made of them when they were over."""

from __future__ import annotations

from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Context
from console.domain.jobs import names as job_names
from console.models.alerts import AlertDelivery
from console.models.jobs import JobRun
from console.services.gate import gate
from console.services.jobs import engine, registry

# Jobs with the hours between their runs, and every how manieth of these failed and warned; 0 is none.
DAILY = ((job_names.GATE, 24, 9, 4), (job_names.ALERT_RETRY, 6, 23, 0), (job_names.EVIDENCE_INTEGRITY, 24, 0, 0))


def run_row(name: str, at: datetime, status: str = "success", **detail: Any) -> JobRun:
    """Return a run of the schedule that ended at `at`, not stored yet."""
    return JobRun(
        job_name=name,
        trigger="cron",
        state="finished",
        status=status,
        executed=True,
        requested_at=at,
        started_at=at,
        finished_at=at,
        detail_json=detail,
    )


def alert_row(at: datetime, status: str = "success") -> AlertDelivery:
    """Return an alert that was raised at `at`, not stored yet."""
    return AlertDelivery(
        message_id=token_hex(16),
        event_type="ops_governance_gate",
        channel="primary",
        target="https://hooks.test/ops",
        status=status,
        last_attempt_at=at,
        created_at=at,
        updated_at=at,
    )


def fill_weeks(session: Session, now: datetime, weeks: int) -> None:
    """Store the runs, daily checks and alerts of so many weeks before `now`: the farther back, the worse."""
    for name, hours, failed, warned in DAILY:
        for turn in range(weeks * 168 // hours):
            bad = failed and turn % failed == failed - 1
            status = "critical" if bad else "warning" if warned and turn % warned == 1 else "success"
            session.add(run_row(name, now - timedelta(hours=turn * hours + 1), status))
    for days in range(weeks * 7):
        at, found = now - timedelta(days=days, hours=2), max(0, days // 7 - 2) if days % 5 == 3 else 0
        status = "critical" if found else "success"
        session.add(run_row(gate.DAILY_CHECK, at, status, critical_count=found))
        session.add_all(alert_row(at, "failed" if (days + turn) % 6 == 0 else "success") for turn in range(2))
    session.commit()


def produce(factory: sessionmaker[Session], config: Config, at: datetime, window: str = "weekly") -> int:
    """Make the report of the week or month that was over at `at`, as the schedule does; returns the run's id."""
    with factory() as session:
        ctx = Context(session, FixedClock(at), SYSTEM, config)
        job = registry.get({"weekly": job_names.QUALITY_WEEKLY, "monthly": job_names.QUALITY_MONTHLY}[window])
        return engine.execute(ctx, job, {}, trigger="cron", worker="tests").run.id
