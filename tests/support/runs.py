"""Stored runs, registered jobs, and what runs left behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.models.identity import Site
from console.models.jobs import JobRun
from console.services.jobs import registry
from console.services.jobs.job import Job


def add_run(
    session: Session, at: datetime, name: str = "gate", status: str = "success", state: str = "finished", **values: Any
) -> int:
    """Store a run that began at `at` (and took two seconds, if it is over); returns its id."""
    ended = {"status": status, "started_at": at, "finished_at": at + timedelta(seconds=2)}
    under_way = {"started_at": at, "heartbeat_at": at, "claim_token": "t"}
    columns = {"finished": ended, "running": under_way, "queued": {}}[state]
    row = JobRun(**{"job_name": name, "trigger": "cron", "state": state, "requested_at": at, **columns, **values})
    session.add(row)
    session.commit()
    return row.id


def run_of(session: Session, run_id: int) -> JobRun:
    """Return a run as it is stored now."""
    session.rollback()
    return session.get_one(JobRun, run_id, populate_existing=True)


def all_runs(session: Session) -> list[JobRun]:
    """Return every run as it is stored now, the oldest first."""
    session.rollback()
    return list(session.scalars(select(JobRun).order_by(JobRun.id)))


def opened(session: Session) -> int:
    """Return how many sites there are now: each run of a job for tests opens some."""
    session.rollback()
    return session.scalar(select(func.count()).select_from(Site)) or 0


def register_job(monkeypatch: pytest.MonkeyPatch, job: Job) -> Job:
    """Let the product know a job until the end of the test."""
    list(registry.all_jobs())
    monkeypatch.setitem(registry._jobs, job.name, job)
    return job
