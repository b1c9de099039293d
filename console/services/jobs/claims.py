"""Who carries a run out: taking a waiting one, or making one that is taken from the start.

One run of a job at a time is held by the database, not by this code. These functions commit: a claim must be seen by
others before the work begins.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from console.core.context import Actor, Context, start_writing
from console.domain.errors import Conflict
from console.domain.jobs.runs import QUEUED, RUNNING
from console.domain.text import T
from console.models.jobs import JobRun
from console.services.jobs.job import Job
from console.services.jobs.requests import actor_from, snapshot_of
from console.services.jobs.runs import changed, state_is

# How long is waited between two tries to begin.
PAUSE = 0.05


@dataclass(frozen=True)
class Claim:
    """A run that belongs to this process until its lease ends."""

    run_id: int
    job_name: str
    token: str
    started_at: datetime
    lease: timedelta
    options: dict[str, Any]
    dry_run: bool
    actor: Actor
    request_id: str


def lease_of(ctx: Context, job: Job) -> timedelta:
    """Return how long a run of this job may go without heartbeat."""
    return timedelta(seconds=job.lease_seconds or ctx.config["JOB_LEASE_SECONDS"])


def claim(ctx: Context, job: Job, run_id: int, worker: str) -> Claim | None:
    """Take a waiting run, or give None: somebody else has it, it was stopped, or the job is running already.

    Commits. One run of a job at a time is held by the database; whoever comes second leaves the run waiting.
    """
    other, now, token = aliased(JobRun), ctx.now(), uuid4().hex
    busy = exists().where(other.job_name == job.name, state_is(RUNNING, other))
    start_writing(ctx.session)
    try:
        taken = changed(
            ctx,
            update(JobRun)
            .where(JobRun.id == run_id, JobRun.job_name == job.name, JobRun.state == QUEUED, ~busy)
            .values(
                state=RUNNING,
                started_at=now,
                heartbeat_at=now,
                claimed_by=worker[:120],
                claim_token=token,
                lease_seconds=int(lease_of(ctx, job).total_seconds()),
                version=JobRun.version + 1,
            ),
        )
        if not taken:
            ctx.rollback()
            return None
        row = ctx.session.get_one(JobRun, run_id, populate_existing=True)
        found = _claim_of(row)
        ctx.commit()
    except IntegrityError:
        ctx.rollback()
        return None
    return found


def _claim_of(row: JobRun) -> Claim:
    return Claim(
        run_id=row.id,
        job_name=row.job_name,
        token=row.claim_token or "",
        started_at=row.started_at or row.requested_at,
        lease=timedelta(seconds=row.lease_seconds),
        options=dict(row.options_json),
        dry_run=row.dry_run,
        actor=actor_from(row.actor_json),
        request_id=row.request_id,
    )


def claim_now(
    ctx: Context,
    job: Job,
    stored: dict[str, Any],
    *,
    trigger: str,
    dry_run: bool,
    worker: str,
    patience: timedelta,
) -> Claim:
    """Make a run that is claimed from the start; commits.

    While the job runs elsewhere it waits for `patience` and then raises Conflict with the id of that run.
    """
    give_up = time.monotonic() + patience.total_seconds()
    while True:
        now = ctx.now()
        start_writing(ctx.session)
        row = JobRun(
            job_name=job.name,
            trigger=trigger,
            state=RUNNING,
            started_at=now,
            heartbeat_at=now,
            claimed_by=worker[:120],
            claim_token=uuid4().hex,
            lease_seconds=int(lease_of(ctx, job).total_seconds()),
            options_json=stored,
            dry_run=dry_run,
            requested_by=ctx.actor.username,
            actor_json=snapshot_of(ctx.actor),
            requested_at=now,
            request_id=ctx.request_id[:64],
        )
        ctx.session.add(row)
        try:
            ctx.session.flush()
            taken = replace(_claim_of(row), actor=ctx.actor)
            ctx.commit()
        except IntegrityError:
            ctx.rollback()
        else:
            return taken
        if time.monotonic() >= give_up:
            raise Conflict({"message": T("The job is running already"), "job_name": job.name, **_running(ctx, job)})
        time.sleep(PAUSE)


def _running(ctx: Context, job: Job) -> dict[str, Any]:
    query = select(JobRun.id).where(JobRun.job_name == job.name, state_is(RUNNING))
    found = ctx.session.scalars(query).first()
    ctx.rollback()
    return {"run_id": found}
