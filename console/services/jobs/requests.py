"""Asking for a run of a job, stopping it, trying it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select, update

from console.core.context import SYSTEM, Actor, Context
from console.domain.errors import Conflict
from console.domain.jobs.runs import CANCELLED, FINISHED, MANUAL, QUEUED, RUNNING
from console.domain.text import T
from console.models.jobs import JobRun
from console.services.audit import record as audit
from console.services.jobs.job import Job, read_options, stored_options
from console.services.jobs.runs import Run, changed, row_of, state_is, view

HandOver = Callable[[int], None]
RUN = ("admins:manage", "jobs:run")


def snapshot_of(actor: Actor) -> dict[str, Any]:
    """Return what a worker needs to act for whoever asked; nothing in it is a credential."""
    if actor.kind == "system":
        return {}
    return {
        "kind": actor.kind,
        "username": actor.username,
        "display_name": actor.display_name,
        "role": actor.role,
        "permissions": list(actor.permissions),
        "grants": sorted(actor.grants),
        "site_scope": list(actor.site_scope),
        "user_id": actor.user_id,
    }


def actor_from(snapshot: Mapping[str, Any]) -> Actor:
    """Return the actor that a run works for: whoever asked for it, or the system."""
    if not snapshot:
        return SYSTEM
    return Actor(
        **{
            **snapshot,
            "permissions": tuple(snapshot["permissions"]),
            "grants": frozenset(snapshot["grants"]),
            "site_scope": tuple(snapshot["site_scope"]),
        }
    )


def submit(
    ctx: Context,
    job: Job,
    options: Mapping[str, Any] | BaseModel | None = None,
    *,
    trigger: str = MANUAL,
    dry_run: bool = False,
    words: bool = False,
    hand_over: HandOver,
) -> Run:
    """Ask for a run; a worker carries it out. Returns the run that waits already when the same was asked for before.

    `hand_over(run id)` brings it to the queue after the commit; should that fail, the scheduler does it later.
    Raises PermissionDenied without the job's own permission, and Invalid for options that do not fit (`words` reads
    them from texts).
    """
    ctx.actor.require("admins:manage", job.permission)
    stored = stored_options(read_options(job, options, words=words))
    waiting = ctx.session.scalars(
        select(JobRun)
        .where(
            state_is(QUEUED),
            JobRun.job_name == job.name,
            JobRun.dry_run == dry_run,
            JobRun.requested_by == ctx.actor.username,
            JobRun.scheduled_for.is_(None),
        )
        .order_by(JobRun.id)
    )
    for row in waiting:
        if row.options_json == stored and not row.cancel_requested:
            return view(row)
    return _add(ctx, job.name, stored, trigger=trigger, dry_run=dry_run, hand_over=hand_over)


def start(ctx: Context, job: Job, options: Mapping[str, Any] | BaseModel | None = None, **values: Any) -> Run:
    """Ask for a run of any job by its name, as the jobs page does; wants the right to run jobs besides the job's own.

    Arguments are those of `submit`.
    """
    ctx.actor.require(*RUN)
    return submit(ctx, job, options, **values)


def _add(
    ctx: Context,
    name: str,
    stored: dict[str, Any],
    *,
    trigger: str,
    dry_run: bool,
    hand_over: HandOver,
    retry_of: int | None = None,
) -> Run:
    row = JobRun(
        job_name=name,
        trigger=trigger,
        state=QUEUED,
        options_json=stored,
        dry_run=dry_run,
        requested_by=ctx.actor.username,
        actor_json=snapshot_of(ctx.actor),
        requested_at=ctx.now(),
        request_id=ctx.request_id[:64],
        retry_of=retry_of,
    )
    ctx.session.add(row)
    ctx.session.flush()
    audit.record(
        ctx, "job_run_request", "job_run", row.id, detail={"job_name": name, "dry_run": dry_run, "retry_of": retry_of}
    )
    run_id = row.id
    ctx.after_commit(lambda: hand_over(run_id))
    return view(row)


def cancel(ctx: Context, run_id: int) -> Run:
    """Stop a run: a waiting one ends at once, a running one at its next report of progress.

    Raises NotFound, and Conflict when the run is over.
    """
    ctx.actor.require(*RUN)
    now = ctx.now()
    who = ctx.actor.username
    closed = changed(
        ctx,
        update(JobRun)
        .where(JobRun.id == run_id, JobRun.state == QUEUED)
        .values(
            state=FINISHED,
            status="warning",
            started_at=now,
            finished_at=now,
            cancel_requested=True,
            cancelled_by=who,
            error_code=CANCELLED,
            detail_json={"error": CANCELLED, "message": "Cancelled before it started"},
            version=JobRun.version + 1,
        ),
    )
    if not closed:
        asked = changed(
            ctx,
            update(JobRun)
            .where(JobRun.id == run_id, JobRun.state == RUNNING)
            .values(cancel_requested=True, cancelled_by=who, version=JobRun.version + 1),
        )
        if not asked:
            row_of(ctx, run_id)
            raise Conflict(T("The run is over and cannot be stopped any more"))
    audit.record(ctx, "job_run_cancel", "job_run", run_id)
    return view(row_of(ctx, run_id))


def retry(ctx: Context, run_id: int, find: Callable[[str], Job | None], *, hand_over: HandOver) -> Run:
    """Ask for another run like a finished one that was no success; the new run names the old one.

    Raises NotFound, PermissionDenied, and Conflict when the run is not over, went well, or its job no longer exists.
    """
    ctx.actor.require(*RUN)
    row = row_of(ctx, run_id)
    job = find(row.job_name)
    if job is None:
        raise Conflict(T("The job of this run no longer exists"))
    ctx.actor.require("admins:manage", job.permission)
    if row.state != FINISHED or row.status == "success":
        raise Conflict(T("Only a finished run that was no success can be tried again"))
    stored = stored_options(read_options(job, row.options_json))
    return _add(ctx, job.name, stored, trigger=MANUAL, dry_run=row.dry_run, hand_over=hand_over, retry_of=row.id)
