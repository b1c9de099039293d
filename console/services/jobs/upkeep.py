"""Keeping runs moving: those whose worker is gone, those that wait, and those that nobody needs any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from console.core.context import Context
from console.domain.jobs.runs import CRON, FINISHED, QUEUED, RUNNING, STORE_LOST, WORKER_LOST, Watch, is_lost
from console.models.jobs import JobRun
from console.services.jobs.runs import changed, skipped, state_is

log = structlog.get_logger("jobs")

_MESSAGES = {
    WORKER_LOST: "The worker disappeared; nothing of the run was kept",
    STORE_LOST: "The database went away; nothing of the run was kept",
}


def next_in_line(ctx: Context, *, name: str | None = None) -> list[int]:
    """Return the runs that could begin now: of each job that does not run, the one that waits longest."""
    other = aliased(JobRun)
    busy = exists().where(other.job_name == JobRun.job_name, state_is(RUNNING, other))
    query = select(func.min(JobRun.id)).where(state_is(QUEUED), ~busy).group_by(JobRun.job_name)
    if name is not None:
        query = query.where(JobRun.job_name == name)
    return sorted(ctx.session.scalars(query))


@dataclass(frozen=True)
class _Seen:
    token: str | None
    heartbeat_at: datetime
    since: float


class Reaper:
    """Closes the runs of workers that are gone. It has to look more than once: see `console.domain.jobs.runs.is_lost`.

    `ticks` counts seconds and is never set back.
    """

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._seen: dict[int, _Seen] = {}

    def reap(self, ctx: Context) -> list[int]:
        """Close what is lost and return the ids; `ctx` starts reading and turns to writing when needed."""
        now, tick = ctx.now(), self._ticks()
        columns = (JobRun.id, JobRun.claim_token, JobRun.heartbeat_at, JobRun.started_at, JobRun.lease_seconds)
        running = ctx.session.execute(select(*columns).where(state_is(RUNNING))).all()
        seen: dict[int, _Seen] = {}
        lost = []
        for row in running:
            beat = row.heartbeat_at or row.started_at
            before = self._seen.get(row.id)
            still = before is not None and (before.token, before.heartbeat_at) == (row.claim_token, beat)
            seen[row.id] = before if still and before is not None else _Seen(row.claim_token, beat, tick)
            watch = Watch(beat, timedelta(seconds=tick - seen[row.id].since))
            if is_lost(watch, lease=timedelta(seconds=row.lease_seconds), now=now):
                lost.append((row.id, row.claim_token, max(now, row.started_at)))
        self._seen = seen
        if not lost:
            return []
        ctx.begin_write()
        return [run_id for run_id, token, ended in lost if _close(ctx, run_id, ended, JobRun.claim_token == token)]


def close_dead(ctx: Context, run_id: int, claimed_by: str) -> bool:
    """Close a run at once whose worker process is known to have died; False when it had ended before."""
    return _close(ctx, run_id, ctx.now(), JobRun.claimed_by == claimed_by)


def close_cut_off(ctx: Context, run_id: int, token: str) -> bool:
    """Close a run whose database went away in the middle and is back; False when somebody else has closed it."""
    return _close(ctx, run_id, ctx.now(), JobRun.claim_token == token, STORE_LOST)


def _close(ctx: Context, run_id: int, now: datetime, whose: ColumnElement[bool], code: str = WORKER_LOST) -> bool:
    """Close a lost run. Nothing of it was kept, so a run of the schedule is put into the queue once more."""
    closed = changed(
        ctx,
        update(JobRun)
        .where(JobRun.id == run_id, JobRun.state == RUNNING, whose)
        .values(
            state=FINISHED,
            status="critical",
            finished_at=now,
            error_code=code,
            detail_json={"error": code, "message": _MESSAGES[code]},
            version=JobRun.version + 1,
        ),
    )
    if not closed:
        return False
    row = ctx.session.get_one(JobRun, run_id, populate_existing=True)
    log.error(code, run_id=run_id, job_name=row.job_name, claimed_by=row.claimed_by)
    if row.trigger == CRON and row.scheduled_for is not None and row.retry_of is None:
        again = JobRun(
            job_name=row.job_name,
            trigger=CRON,
            state=QUEUED,
            options_json=row.options_json,
            dry_run=row.dry_run,
            requested_by="scheduler",
            requested_at=now,
            request_id=row.request_id,
            retry_of=row.id,
            catch_up=True,
        )
        ctx.session.add(again)
        ctx.session.flush()
    return True


@dataclass(frozen=True)
class Pruned:
    """How many finished runs were removed, by job; `more` tells that the limit was reached."""

    deleted: int
    by_job: dict[str, int]
    keep_days: int
    skipped_days: int
    keep_per_job: int
    more: bool


def prune(ctx: Context, *, keep_days: int, skipped_days: int, keep_per_job: int, limit: int) -> Pruned:
    """Remove finished runs older than `keep_days`, at most `limit`, but never the newest `keep_per_job` of a job.

    Runs that found nothing to do go after `skipped_days`: a job that looks every minute would bury the others.
    """
    now = ctx.now()
    old = or_(
        JobRun.finished_at < now - timedelta(days=keep_days),
        and_(JobRun.finished_at < now - timedelta(days=skipped_days), skipped()),
    )
    names = ctx.session.scalars(select(JobRun.job_name).where(JobRun.state == FINISHED, old).distinct()).all()
    by_job: dict[str, int] = {}
    left = limit
    for name in sorted(names):
        mine = (JobRun.job_name == name, JobRun.state == FINISHED)
        newest_first = select(JobRun.id).where(*mine).order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        kept = newest_first.limit(keep_per_job).subquery()
        doomed = (
            select(JobRun.id)
            .where(*mine, old, JobRun.id.not_in(select(kept.c.id)))
            .order_by(JobRun.finished_at, JobRun.id)
            .limit(left)
            .subquery()
        )
        deleted = changed(ctx, delete(JobRun).where(JobRun.id.in_(select(doomed.c.id))))
        if deleted:
            by_job[name] = deleted
            left -= deleted
        if left <= 0:
            break
    return Pruned(sum(by_job.values()), by_job, keep_days, skipped_days, keep_per_job, more=left <= 0)
