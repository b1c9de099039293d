"""Inputs and answers of job runs (API contract, operations section 5, with the added filters of its defect 47)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from console.domain.ids import MAX_ID
from console.domain.jobs.runs import NAME_LIMIT
from console.inputs.base import BodyModel, Instant, InstantIn, OutModel, PathModel, QueryModel, RowId


class RunPath(PathModel):
    """A run by id."""

    run_id: RowId


class JobPath(PathModel):
    """A job by name."""

    job_name: str = Field(min_length=1, max_length=NAME_LIMIT)


class RunListQuery(QueryModel):
    """Which runs; without `state` the finished ones, newest first. `from` and `to` bound the end of a run."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, populate_by_name=True)

    job_name: str | None = Field(None, max_length=200)
    state: Literal["queued", "running", "finished"] | None = None
    status: Literal["success", "warning", "critical"] | None = None
    trigger: str | None = Field(None, max_length=200)
    dry_run: bool | None = None
    since: InstantIn | None = Field(None, alias="from")
    until: InstantIn | None = Field(None, alias="to")
    limit: int = Field(50, ge=1, le=200)
    offset: int = Field(0, ge=0, le=MAX_ID)


class RunHistoryQuery(QueryModel):
    """A page of the runs of one job; `from` and `to` bound the end of a run, inclusive."""

    model_config = ConfigDict(populate_by_name=True)

    offset: int = Field(0, ge=0, le=MAX_ID)
    status: Literal["success", "warning", "critical"] | None = None
    since: InstantIn | None = Field(None, alias="from")
    until: InstantIn | None = Field(None, alias="to")


class ProgressOut(OutModel):
    """How far a run is; `total` is null while that is unknown, `message` has `msgid` and `params`."""

    done: int
    total: int | None
    message: dict[str, Any]


class RunStartIn(BodyModel):
    """A run to be started: the job's own options, and whether it only decides and reports."""

    options: dict[str, Any] = Field(default_factory=dict)
    dry_run: bool = False


class LineOut(OutModel):
    """One line of the schedule."""

    job_name: str
    cron: str
    zone: str
    previous_at: Instant | None
    next_at: Instant
    late: bool
    late_seconds: int | None
    missed_total: int
    last_missed_at: Instant | None
    last_run_id: int | None
    last_status: str | None
    last_finished_at: Instant | None
    open_run_id: int | None


class WorkerOut(OutModel):
    """One worker process."""

    name: str
    hostname: str
    pid: int
    state: str
    run_id: int | None
    seen_at: Instant | None
    done: int
    failed: int


class QueueOut(OutModel):
    """The queue; without `available` nothing else is known."""

    available: bool
    waiting: int
    working: int
    workers: list[WorkerOut]


class JobsOut(OutModel):
    """Schedule and queue."""

    generated_at: Instant
    scheduler_seen_at: Instant | None
    scheduler_silent: bool
    late_count: int
    schedule: list[LineOut]
    queue: QueueOut
