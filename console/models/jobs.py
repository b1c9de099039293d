"""Runs of jobs, and how far the schedule was looked at (API contract, job runs)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base, only
from console.models.types import JsonValue


class JobRun(Base):
    """One run of a job: asked for, claimed by one worker, closed once.

    `status`, `started_at` and `finished_at` are set when the run is finished (a run that never started has both
    instants alike). `executed` tells that the work ran to its end and did not decide to skip.
    """

    __tablename__ = "job_runs"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'finished')", name="state"),
        CheckConstraint("status IN ('success', 'warning', 'critical')", name="status"),
        CheckConstraint(
            "state <> 'finished' OR (status IS NOT NULL AND started_at IS NOT NULL AND finished_at IS NOT NULL)",
            name="finished",
        ),
        # At most one running run per job, held by the database.
        Index(
            "uq_job_runs_running",
            "job_name",
            unique=True,
            **only("state = 'running'"),
        ),
        # An instant of the schedule is served once, however many schedulers see it.
        Index("uq_job_runs_scheduled_for", "job_name", "scheduled_for", unique=True),
        # Latest and history of one job.
        Index("ix_job_runs_job_name_finished_at", "job_name", "finished_at", "id"),
        # The list of all jobs, newest first, and the same by status.
        Index("ix_job_runs_finished_at", "finished_at", "id"),
        Index("ix_job_runs_status_finished_at", "status", "finished_at", "id"),
        # What waits or runs: hand-over to the queue, reaper, the jobs page. Small, whatever the history.
        Index(
            "ix_job_runs_open",
            "state",
            "id",
            **only("state <> 'finished'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_name: Mapped[str] = mapped_column(String(80))
    trigger: Mapped[str] = mapped_column(String(40))
    status: Mapped[str | None] = mapped_column(String(20))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    detail_json: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict, server_default=text("'{}'"))

    state: Mapped[str] = mapped_column(String(10), default="queued")
    options_json: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict, server_default=text("'{}'"))
    dry_run: Mapped[bool] = mapped_column(default=False, server_default=false())
    executed: Mapped[bool] = mapped_column(default=False, server_default=false())
    requested_by: Mapped[str] = mapped_column(String(120), default="system")
    actor_json: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict, server_default=text("'{}'"))
    requested_at: Mapped[datetime]
    request_id: Mapped[str] = mapped_column(String(64), default="")
    retry_of: Mapped[int | None] = mapped_column(ForeignKey("job_runs.id", ondelete="SET NULL"), index=True)

    scheduled_for: Mapped[datetime | None]
    missed_count: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    catch_up: Mapped[bool] = mapped_column(default=False, server_default=false())

    claimed_by: Mapped[str | None] = mapped_column(String(120))
    claim_token: Mapped[str | None] = mapped_column(String(36))
    lease_seconds: Mapped[int] = mapped_column(Integer, default=60, server_default=text("60"))
    heartbeat_at: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False, server_default=false())
    cancelled_by: Mapped[str | None] = mapped_column(String(120))

    progress_done: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    progress_total: Mapped[int | None]
    progress_json: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict, server_default=text("'{}'"))
    # Read on the run's own page only; bounded by the engine.
    log_json: Mapped[list[Any]] = mapped_column(JsonValue, default=list, server_default=text("'[]'"), deferred=True)

    error_code: Mapped[str | None] = mapped_column(String(40))
    error_id: Mapped[str | None] = mapped_column(String(36))
    version: Mapped[int] = mapped_column(Integer, default=1, server_default=text("1"))


class JobSchedule(Base):
    """How far one line of the schedule was looked at, so that silence is noticed after a restart.

    `known_since` is when the line was first seen, `cursor_at` the instant up to which all due runs were made; being
    moved along every half minute, it also tells that a scheduler lives.
    """

    __tablename__ = "job_schedules"

    key: Mapped[str] = mapped_column(String(250), primary_key=True)
    job_name: Mapped[str] = mapped_column(String(80))
    known_since: Mapped[datetime]
    cursor_at: Mapped[datetime]
    missed_total: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    last_missed_at: Mapped[datetime | None]
