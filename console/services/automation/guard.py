"""The guard of the autopilot with its two anchors, read from the facts of runs (API contract, section 12.5)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from console.core.context import Context
from console.domain.automation import guard as domain
from console.domain.automation.guard import Anchor, Guard
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import FINISHED
from console.models.automation import RunFact
from console.models.jobs import JobRun


def evaluate(ctx: Context, now: datetime, cooldown_minutes: int, *, force: bool, dry_run: bool) -> Guard:
    """Judge at `now` whether a run may act: two queries."""
    return domain.guard(
        cooldown_minutes,
        last=_last(ctx),
        anchor=_anchor(ctx, now, dry_run=dry_run),
        now=now,
        force=force,
        dry_run=dry_run,
    )


def _last(ctx: Context) -> Anchor | None:
    """Return the newest finished run of any kind: skipped, dry and failed ones count (published)."""
    newest = (
        select(JobRun.id, JobRun.finished_at)
        .where(JobRun.job_name == job_names.AUTOPILOT, JobRun.state == FINISHED)
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(1)
    )
    row = ctx.session.execute(newest).first()
    return Anchor(row.id, row.finished_at) if row is not None and row.finished_at is not None else None


def _anchor(ctx: Context, now: datetime, *, dry_run: bool) -> Anchor | None:
    """Return the newest run that acted and counts for this kind of run; the domain's `anchor_of` in one query."""
    counted = [
        RunFact.job_name == job_names.AUTOPILOT,
        RunFact.acted.is_(True),
        RunFact.finished_at <= now + domain.SKEW,
    ]
    if not dry_run:
        counted.append(RunFact.dry_run.is_(False))
    newest = (
        select(RunFact.run_id, RunFact.finished_at)
        .where(*counted)
        .order_by(RunFact.finished_at.desc(), RunFact.run_id.desc())
        .limit(1)
    )
    row = ctx.session.execute(newest).first()
    return Anchor(row.run_id, row.finished_at) if row is not None else None
