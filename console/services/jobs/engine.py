"""Carrying a run out: claimed by one, done in one transaction together with its closing, closed also when it fails.

These functions commit: a claim must be visible before the work begins, and a failure must be kept although the work
is undone. They are the only ones below the doors that do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import structlog
from pydantic import BaseModel
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import SQLAlchemyError

from console.core.context import Context, start_writing
from console.core.database import dump_json
from console.core.serialize import plain
from console.core.store_trouble import went_away
from console.domain.errors import DomainError
from console.domain.jobs.runs import (
    API,
    CANCELLED,
    FINISHED,
    QUEUED,
    REFUSED,
    RUNNING,
    UNKNOWN_JOB,
    WORK_FAILED,
    Cancelled,
    LeaseLost,
    Outcome,
    detail_object,
    outcome_of,
)
from console.domain.text import Text
from console.models.jobs import JobRun
from console.services.jobs import upkeep
from console.services.jobs.claims import Claim, claim, claim_now
from console.services.jobs.job import Job, read_options, stored_options
from console.services.jobs.progress import Handle, Pulse, attach
from console.services.jobs.runs import Run, changed, view

log = structlog.get_logger("jobs")

# How long a synchronous run waits for one that is under way before it gives up with 409.
PATIENCE = timedelta(seconds=3)
# How long is waited for a database that restarts under a run, and between two tries.
BACK_WITHIN, PAUSE = timedelta(seconds=30), 0.5
# Refusals answer with a smaller status: the caller asked for what cannot be now, and nothing is broken.
SERVER_ERRORS = 500


@dataclass(frozen=True)
class RunResult:
    """A finished run and what its work returned; `result` is None when the run was stopped.

    `detail` is the whole result as JSON knows it; the run keeps no more of it than the settings allow.
    """

    run: Run
    result: Any
    detail: dict[str, Any]

    def header(self) -> dict[str, Any]:
        """Return the fields that lead every answer of a `…/run` endpoint (API contract, gate run)."""
        return self.run.header()


def perform(ctx: Context, find: Callable[[str], Job | None], run_id: int, worker: str) -> RunResult | None:
    """Carry out a waiting run for whoever asked for it; None when it is not to be had at the moment.

    `ctx` is the worker's own. Errors of the work go on to the caller after the run was closed.
    """
    row = ctx.session.execute(select(JobRun.job_name, JobRun.state).where(JobRun.id == run_id)).one_or_none()
    ctx.rollback()
    if row is None or row.state != QUEUED:
        return None
    job = find(row.job_name)
    if job is None:
        _refuse(ctx, run_id, UNKNOWN_JOB, "There is no such job in this version")
        return None
    taken = claim(ctx, job, run_id, worker)
    if taken is None:
        return None
    theirs = replace(ctx, actor=taken.actor, request_id=taken.request_id or ctx.request_id)
    return carry_out(theirs, job, taken)


def execute(
    ctx: Context,
    job: Job,
    options: Mapping[str, Any] | BaseModel | None = None,
    *,
    trigger: str = API,
    dry_run: bool = False,
    worker: str = "request",
    patience: timedelta | None = None,
) -> RunResult:
    """Run a job now, in this process, and return its run and result.

    Commits: what `ctx` did before, then the claim, then the work. While the job runs elsewhere it waits for `patience`
    (three seconds) and then raises Conflict with the id of that run. Raises PermissionDenied and Invalid before
    anything is stored; an error of the work is raised after the run was closed: a refusal as warning, anything
    else as critical.
    """
    ctx.actor.require("admins:manage", job.permission)
    stored = stored_options(read_options(job, options))
    ctx.commit()
    taken = claim_now(
        ctx,
        job,
        stored,
        trigger=trigger,
        dry_run=dry_run,
        worker=worker,
        patience=PATIENCE if patience is None else patience,
    )
    return carry_out(ctx, job, taken)


def carry_out(ctx: Context, job: Job, taken: Claim) -> RunResult:
    """Do the work of a claimed run. Its effect and the closing of its row are one transaction, or neither exists."""
    handle = Handle(taken.run_id, taken.job_name, taken.token, taken.started_at, taken.lease, taken.dry_run, ctx.clock)
    attach(ctx, handle)
    structlog.contextvars.bind_contextvars(run_id=taken.run_id, job_name=taken.job_name)
    try:
        with Pulse(cast("Engine", ctx.session.get_bind()), handle):
            try:
                found = _work(ctx, job, taken, handle)
            except Cancelled:
                ctx.rollback()
                detail = {"error": CANCELLED, "message": "Stopped on request; nothing was changed"}
                run = _end(ctx, taken, handle, Outcome(detail, "warning"), code=CANCELLED)
                found = RunResult(run, None, detail)
    except BaseException as error:
        with suppress(SQLAlchemyError):
            ctx.rollback()
        _fail(ctx, taken, handle, error)
        raise
    else:
        run = found.run
        log.info("run_finished", status=run.status, dry_run=run.dry_run, error_code=run.error_code)
        return found
    finally:
        attach(ctx, None)
        structlog.contextvars.unbind_contextvars("run_id", "job_name")


def _work(ctx: Context, job: Job, taken: Claim, handle: Handle) -> RunResult:
    if not job.reads_first:
        start_writing(ctx.session)
    options = read_options(job, taken.options)
    result = job.work(ctx, options)
    outcome = outcome_of(result)
    # Made plain while the rows it may hold are still those of the work's transaction.
    detail = detail_object(plain(outcome.detail))
    outcome = replace(outcome, detail=bounded(detail, ctx.config["JOB_DETAIL_MAX_BYTES"]))
    handle.check()
    if taken.dry_run:
        ctx.rollback()
    elif not _writing(ctx) and (ctx.session.new or ctx.session.dirty or ctx.session.deleted):
        raise RuntimeError(f"{job.name} reads first and must call begin_write() before it writes")
    if taken.dry_run or not _writing(ctx):
        # A job that only read has nothing to keep but its run.
        ctx.begin_write()
    return RunResult(_end(ctx, taken, handle, outcome, executed=not outcome.skipped), result, detail)


def _writing(ctx: Context) -> bool:
    return ctx.session.connection().get_execution_options().get("sqlite_begin") == "IMMEDIATE"


def _end(
    ctx: Context,
    taken: Claim,
    handle: Handle,
    outcome: Outcome,
    *,
    code: str | None = None,
    error_id: str | None = None,
    executed: bool = False,
) -> Run:
    """Close the run and commit; raises LeaseLost, and undoes everything, when it is no longer ours."""
    # A wall clock that was set back must not let a run end before it began.
    now = max(ctx.now(), taken.started_at)
    if not ctx.session.in_transaction():
        start_writing(ctx.session)
    ctx.session.flush()
    closed = changed(
        ctx,
        update(JobRun)
        .where(JobRun.id == taken.run_id, JobRun.state == RUNNING, JobRun.claim_token == taken.token)
        .values(
            state=FINISHED,
            status=outcome.status,
            finished_at=now,
            detail_json=outcome.detail,
            executed=executed,
            error_code=code,
            error_id=error_id,
            version=JobRun.version + 1,
            **handle.columns(),
        ),
    )
    if closed != 1:
        ctx.rollback()
        raise LeaseLost(f"run {taken.run_id} was closed by somebody else")
    run = view(ctx.session.get_one(JobRun, taken.run_id, populate_existing=True))
    if outcome.keep is not None:
        outcome.keep(ctx, run)
    ctx.commit()
    return run


def _fail(ctx: Context, taken: Claim, handle: Handle, error: BaseException) -> None:
    """Close a run whose work was undone, in a transaction of its own; without database the reaper does it."""
    error_id = uuid4().hex
    if went_away(error) and _close_cut_off(ctx, taken):
        return
    refused = isinstance(error, DomainError) and error.status < SERVER_ERRORS
    code = REFUSED if refused else WORK_FAILED
    if refused:
        log.info("run_refused", error_id=error_id, error=type(error).__name__)
    else:
        log.error("run_failed", error_id=error_id, error=type(error).__name__, exc_info=error)
    detail = {"error": code, "error_id": error_id, "error_type": type(error).__name__, **_told(error)}
    try:
        _end(ctx, taken, handle, Outcome(detail, "warning" if refused else "critical"), code=code, error_id=error_id)
    except LeaseLost:
        log.info("run_closed_elsewhere", error_id=error_id)
    except Exception:
        ctx.rollback()
        log.exception("run_not_closed", error_id=error_id)


def _close_cut_off(ctx: Context, taken: Claim) -> bool:
    """Wait for a database that went away in the middle, and close the run; False when that is left to the reaper."""
    give_up = time.monotonic() + min(BACK_WITHIN, taken.lease).total_seconds()
    while time.monotonic() < give_up:
        try:
            ctx.begin_write()
            closed = upkeep.close_cut_off(ctx, taken.run_id, taken.token)
            ctx.commit()
        except SQLAlchemyError as error:
            log.warning("run_not_closed_yet", run_id=taken.run_id, error=type(error).__name__)
            with suppress(SQLAlchemyError):
                ctx.rollback()
            time.sleep(PAUSE)
        else:
            return closed
    return False


def _told(error: BaseException) -> dict[str, Any]:
    """Return what may be read about an error: refusals are written for readers, anything else stays in the log."""
    if not isinstance(error, DomainError):
        return {"message": "The job failed; nothing of it was kept"}
    if isinstance(error.detail, (str, Text)):
        return {"message": str(error.detail)}
    return {"message": type(error).__name__, "errors": plain(error.detail)}


def _refuse(ctx: Context, run_id: int, code: str, message: str) -> None:
    now = ctx.now()
    start_writing(ctx.session)
    ctx.session.execute(
        update(JobRun)
        .where(JobRun.id == run_id, JobRun.state == QUEUED)
        .values(
            state=FINISHED,
            status="critical",
            started_at=now,
            finished_at=now,
            error_code=code,
            detail_json={"error": code, "message": message},
            version=JobRun.version + 1,
        )
    )
    ctx.commit()


def bounded(detail: dict[str, Any], limit: int) -> dict[str, Any]:
    """Return a detail that fits into `limit` bytes of JSON: its largest parts make room, and `truncated` names them."""
    sizes = {key: len(dump_json(value).encode()) + len(key) + 6 for key, value in detail.items()}
    dropped: list[str] = []
    while sum(sizes.values()) > limit and sizes:
        largest = max(sizes, key=lambda key: sizes[key])
        del sizes[largest]
        dropped.append(largest)
    if not dropped:
        return detail
    return {**{key: detail[key] for key in detail if key in sizes}, "truncated": sorted(dropped)}
