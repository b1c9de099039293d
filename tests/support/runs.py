"""Stored runs and registered jobs for the tests of their doors."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

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


def register_job(monkeypatch: pytest.MonkeyPatch, job: Job) -> Job:
    """Let the product know a job until the end of the test."""
    list(registry.all_jobs())
    monkeypatch.setitem(registry._jobs, job.name, job)
    return job
