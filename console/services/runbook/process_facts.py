"""What is known of the processes: who was seen when, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, exists, func, literal_column, select
from sqlalchemy.orm import aliased

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import CRON, QUEUED, RUNNING
from console.domain.runbook.process_checks import ProcessFacts
from console.models.jobs import JobRun, JobSchedule
from console.models.runbook import PreflightSnapshot
from console.services.jobs.runs import state_is
from console.services.runbook.preflight import LIVE_FOR, WEB


def facts(ctx: Context) -> ProcessFacts:
    """Return when worker and scheduler were last seen and what waits: one query of index ranges."""
    now = ctx.now()
    return of(now, ctx.session.execute(select(*columns(now))).one())


def columns(now: datetime) -> tuple[ScalarSelect[Any], ...]:
    """Return the figures of `of` as parts of a statement."""
    seen = select(func.max(PreflightSnapshot.computed_at))
    web = select(func.min(PreflightSnapshot.started_at)).where(
        PreflightSnapshot.kind == WEB, PreflightSnapshot.computed_at > now - LIVE_FOR
    )
    # A worker that ended as it should takes its report back; what it did last stays. Not a parameter, see alert_facts.
    minutely = JobRun.job_name == literal_column(f"'{job_names.ALERT_DELIVERY}'")
    worked = select(func.max(JobRun.finished_at)).where(minutely, JobRun.trigger == CRON)
    other = aliased(JobRun)
    busy = exists().where(other.job_name == JobRun.job_name, state_is(RUNNING, other))
    waiting = (state_is(QUEUED), ~busy)
    parts = (
        select(func.count()).select_from(JobRun).where(*waiting),
        select(func.min(JobRun.requested_at)).where(*waiting),
        web,
        seen.where(PreflightSnapshot.kind == "worker"),
        worked,
        seen.where(PreflightSnapshot.kind == "scheduler"),
        select(func.max(JobSchedule.cursor_at)),
    )
    return tuple(part.scalar_subquery() for part in parts)


def of(now: datetime, row: Sequence[Any]) -> ProcessFacts:
    """Return the facts by the values of `columns`."""
    count, since, running_since, worker, worked_at, scheduler, cursor = row
    return ProcessFacts(
        now,
        running_since=running_since,
        worker_seen_at=max(filter(None, (worker, worked_at)), default=None),
        scheduler_seen_at=max(filter(None, (scheduler, cursor)), default=None),
        waiting_count=count,
        waiting_since=since,
    )
