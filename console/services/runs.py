"""Job runs: asking for one, stopping, trying again, and reading what happened.

Carrying a run out is `run_engine`; what the schedule and the reaper do is `run_schedule` and `run_upkeep`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from pydantic import BaseModel
from sqlalchemy import ColumnElement, CursorResult, Delete, ScalarSelect, Update, func, or_, select, update
from sqlalchemy.orm import undefer

from console.context import SYSTEM, Actor, Context
from console.domain.errors import Conflict, NotFound
from console.domain.runs import CANCELLED, FINISHED, MANUAL, QUEUED, RUNNING
from console.domain.text import T
from console.models.runs import JobRun
from console.services import audit
from console.services.jobs import Job, read_options, stored_options

HandOver = Callable[[int], None]
READ = ("admins:manage", "jobs:read")
RUN = ("admins:manage", "jobs:run")


@dataclass(frozen=True)
class Run:
    """One run of a job; the first seven fields are those of the API contract.

    All instants are aware UTC. `status`, `started_at` and `finished_at` are None until there is something to tell.
    `progress` has `done`, `total` (None: unknown) and `message` as `{msgid, params}`; `log` is filled by `get` only.
    """

    id: int
    job_name: str
    trigger: str
    status: str | None
    started_at: datetime | None
    finished_at: datetime | None
    detail: dict[str, Any]
    state: str
    dry_run: bool
    executed: bool
    options: dict[str, Any]
    requested_by: str
    requested_at: datetime
    scheduled_for: datetime | None
    missed_count: int
    catch_up: bool
    claimed_by: str | None
    heartbeat_at: datetime | None
    cancel_requested: bool
    cancelled_by: str | None
    progress: dict[str, Any]
    error_code: str | None
    error_id: str | None
    retry_of: int | None
    request_id: str
    version: int
    log: tuple[dict[str, Any], ...] = ()

    @property
    def duration(self) -> timedelta | None:
        """Give how long a finished run took."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


def view(row: JobRun, *, log: bool = False) -> Run:
    """Give a row as the rest of the console sees it."""
    return Run(
        id=row.id,
        job_name=row.job_name,
        trigger=row.trigger,
        status=row.status,
        started_at=row.started_at,
        finished_at=row.finished_at,
        detail=row.detail_json,
        state=row.state,
        dry_run=row.dry_run,
        executed=row.executed,
        options=row.options_json,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        scheduled_for=row.scheduled_for,
        missed_count=row.missed_count,
        catch_up=row.catch_up,
        claimed_by=row.claimed_by,
        heartbeat_at=row.heartbeat_at,
        cancel_requested=row.cancel_requested,
        cancelled_by=row.cancelled_by,
        progress={"done": row.progress_done, "total": row.progress_total, "message": row.progress_json},
        error_code=row.error_code,
        error_id=row.error_id,
        retry_of=row.retry_of,
        request_id=row.request_id,
        version=row.version,
        log=tuple(row.log_json) if log else (),
    )


def changed(ctx: Context, statement: Update | Delete) -> int:
    """Carry out an UPDATE or DELETE and give how many rows met its conditions."""
    result = ctx.session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


def snapshot_of(actor: Actor) -> dict[str, Any]:
    """Give what a worker needs to act for whoever asked; nothing in it is a credential."""
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
    """Give the actor that a run works for: whoever asked for it, or the system."""
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
    """Ask for a run; a worker carries it out. Gives the run that waits already when the same was asked for before.

    `hand_over(run id)` brings it to the queue after the commit; should that fail, the scheduler does it later.
    Raises PermissionDenied, and Invalid for options that do not fit (`words` reads them from texts).
    """
    ctx.actor.require(*RUN)
    ctx.actor.require("admins:manage", job.permission)
    stored = stored_options(read_options(job, options, words=words))
    waiting = ctx.session.scalars(
        select(JobRun)
        .where(
            JobRun.state == QUEUED,
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
            _row(ctx, run_id)
            raise Conflict(T("The run is over and cannot be stopped any more"))
    audit.record(ctx, "job_run_cancel", "job_run", run_id)
    return view(_row(ctx, run_id))


def retry(ctx: Context, run_id: int, find: Callable[[str], Job | None], *, hand_over: HandOver) -> Run:
    """Ask for another run like a finished one that was no success; the new run names the old one.

    Raises NotFound, PermissionDenied, and Conflict when the run is not over, went well, or its job no longer exists.
    """
    ctx.actor.require(*RUN)
    row = _row(ctx, run_id)
    job = find(row.job_name)
    if job is None:
        raise Conflict(T("The job of this run no longer exists"))
    ctx.actor.require("admins:manage", job.permission)
    if row.state != FINISHED or row.status == "success":
        raise Conflict(T("Only a finished run that was no success can be tried again"))
    stored = stored_options(read_options(job, row.options_json))
    return _add(ctx, job.name, stored, trigger=MANUAL, dry_run=row.dry_run, hand_over=hand_over, retry_of=row.id)


def get(ctx: Context, run_id: int) -> Run:
    """Give one run with its log; raises NotFound."""
    ctx.actor.require(*READ)
    return view(_row(ctx, run_id, log=True), log=True)


def _row(ctx: Context, run_id: int, *, log: bool = False) -> JobRun:
    query = select(JobRun).where(JobRun.id == run_id)
    if log:
        query = query.options(undefer(JobRun.log_json))
    row = ctx.session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise NotFound(T("There is no such run"))
    return row


@dataclass(frozen=True)
class RunFilter:
    """What narrows the list of runs; None means any. `since` and `until` bound `finished_at` (aware UTC).

    Without `state` only finished runs are listed (API contract: a run has a status and an end).
    """

    job_name: str | None = None
    state: str | None = None
    status: str | None = None
    trigger: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    dry_run: bool | None = None


def listed(ctx: Context, wanted: RunFilter, *, limit: int = 50, offset: int = 0) -> tuple[list[Run], int]:
    """Give a page of runs, newest first, and how many there are: two queries."""
    ctx.actor.require(*READ)
    conditions = _conditions(wanted)
    total = ctx.session.scalar(select(func.count()).select_from(JobRun).where(*conditions)) or 0
    query = select(JobRun).where(*conditions)
    if wanted.state in (None, FINISHED):
        query = query.order_by(JobRun.finished_at.desc(), JobRun.id.desc())
    else:
        query = query.order_by(JobRun.id.desc())
    return [view(row) for row in ctx.session.scalars(query.limit(limit).offset(offset))], total


def _conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [JobRun.state == (wanted.state or FINISHED)]
    if wanted.job_name is not None:
        conditions.append(JobRun.job_name == wanted.job_name)
    if wanted.status is not None:
        conditions.append(JobRun.status == wanted.status)
    if wanted.trigger is not None:
        conditions.append(JobRun.trigger == wanted.trigger)
    if wanted.dry_run is not None:
        conditions.append(JobRun.dry_run == wanted.dry_run)
    if wanted.since is not None:
        conditions.append(JobRun.finished_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(JobRun.finished_at <= wanted.until)
    return conditions


def _newest(name: str, *more: ColumnElement[bool]) -> ScalarSelect[int]:
    return (
        select(JobRun.id)
        .where(JobRun.job_name == name, JobRun.state == FINISHED, *more)
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def latest_per_job(
    ctx: Context, names: Iterable[str], *, dry_run: bool | None = False, executed: bool | None = None
) -> dict[str, Run]:
    """Give the newest finished run of each job that has one, in one query (order: `finished_at`, then id).

    Dry runs are left out unless `dry_run` says otherwise (None: both kinds); `executed` asks for runs whose work ran
    to its end without deciding to skip, which is what cooldowns count from.
    """
    more: list[ColumnElement[bool]] = []
    if dry_run is not None:
        more.append(JobRun.dry_run == dry_run)
    if executed is not None:
        more.append(JobRun.executed == executed)
    wanted = [JobRun.id == _newest(name, *more) for name in dict.fromkeys(names)]
    if not wanted:
        return {}
    return {row.job_name: view(row) for row in ctx.session.scalars(select(JobRun).where(or_(*wanted)))}


def latest(ctx: Context, name: str, *, dry_run: bool | None = False) -> Run | None:
    """Give the newest finished run of a job, or None (API contract: newest `finished_at`, then highest id)."""
    return latest_per_job(ctx, [name], dry_run=dry_run).get(name)


def last_executed(ctx: Context, name: str, *, dry_run: bool | None = False) -> Run | None:
    """Give the newest run of a job that really did its work: neither failed, nor stopped, nor skipped."""
    return latest_per_job(ctx, [name], dry_run=dry_run, executed=True).get(name)


def history(
    ctx: Context,
    name: str,
    *,
    limit: int,
    offset: int = 0,
    since: datetime | None = None,
    dry_run: bool | None = False,
) -> tuple[list[Run], int]:
    """Give the finished runs of one job, newest first, and how many there are.

    For services that show the history of their own job; the permission is theirs to check.
    """
    conditions = _conditions(RunFilter(job_name=name, since=since, dry_run=dry_run))
    total = ctx.session.scalar(select(func.count()).select_from(JobRun).where(*conditions)) or 0
    query = select(JobRun).where(*conditions).order_by(JobRun.finished_at.desc(), JobRun.id.desc())
    return [view(row) for row in ctx.session.scalars(query.limit(limit).offset(offset))], total


def open_runs(ctx: Context) -> list[Run]:
    """Give everything that waits or runs, running ones first, oldest first, at most 200."""
    ctx.actor.require(*READ)
    query = (
        select(JobRun)
        .where(JobRun.state.in_((QUEUED, RUNNING)))
        .order_by((JobRun.state == RUNNING).desc(), JobRun.id)
        .limit(200)
    )
    return [view(row) for row in ctx.session.scalars(query)]


def counts_since(ctx: Context, since: datetime) -> dict[str, int]:
    """Give how many finished runs ended with each status at or after `since`."""
    rows = ctx.session.execute(
        select(JobRun.status, func.count())
        .where(JobRun.state == FINISHED, JobRun.finished_at >= since)
        .group_by(JobRun.status)
    )
    return {str(status): int(number) for status, number in rows}
