"""What the runbook must know of the alert outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, func, literal_column, select

from console.core.context import Context
from console.domain.alerts.alerts import DEAD, FAILED, WARNING
from console.domain.jobs import names as job_names
from console.domain.runbook.alert_checks import DEAD_WITHIN, RETRY_AGE, RETRY_ATTEMPTS, OutboxFacts
from console.models.alerts import AlertDelivery
from console.models.jobs import JobRun


def facts(ctx: Context) -> OutboxFacts:
    """Count what is due, what failed and what was given up of late: one query of index ranges."""
    now = ctx.now()
    return of(now, ctx.session.execute(select(*columns(now))).one())


def columns(now: datetime) -> tuple[ScalarSelect[Any], ...]:
    """Return the figures of `of` as parts of a statement."""
    due = AlertDelivery.next_attempt_at <= now
    dead = select(func.count()).where(AlertDelivery.status == DEAD, AlertDelivery.last_attempt_at > now - DEAD_WITHIN)
    failed = select(func.count()).where(
        AlertDelivery.status.in_((FAILED, WARNING)),
        AlertDelivery.attempt_count < RETRY_ATTEMPTS,
        AlertDelivery.last_attempt_at <= now - RETRY_AGE,
    )
    # Not a parameter: for some name or other PostgreSQL would walk back through the runs of all jobs until it comes.
    retries = JobRun.job_name == literal_column(f"'{job_names.ALERT_RETRY}'")
    newest = (JobRun.finished_at.desc(), JobRun.id.desc())
    ended = (retries, JobRun.dry_run.is_(False), JobRun.finished_at.is_not(None))
    retried, how = (select(one).where(*ended).order_by(*newest).limit(1) for one in (JobRun.finished_at, JobRun.status))
    oldest = select(func.min(AlertDelivery.next_attempt_at)).where(due)
    parts = (select(func.count()).select_from(AlertDelivery).where(due), oldest, dead, failed, retried, how)
    return tuple(part.scalar_subquery() for part in parts)


def of(now: datetime, row: Sequence[Any]) -> OutboxFacts:
    """Return the facts by the values of `columns`."""
    return OutboxFacts(now, *row)
