"""What the page of quality reports shows: a stored report, those before it, and the weeks in a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from console.core.context import Context
from console.domain.days import monday_of
from console.domain.gate.streak import PRODUCED_STATUSES, Streak
from console.domain.jobs.runs import FINISHED
from console.domain.reports.periods import WEEK, WEEKLY
from console.models.jobs import JobRun
from console.services.identity.names import names_of
from console.services.jobs import runs
from console.services.jobs.runs import Run
from console.services.reports import quality
from console.services.runbook import evidence_facts

SHOWN = 12


@dataclass(frozen=True)
class Past:
    """One stored report in short."""

    run_id: int
    label: str
    finished_at: datetime
    status: str
    findings: int


@dataclass(frozen=True)
class Week:
    """One week of the business zone, by its Monday: the report that was produced in it, if there was one."""

    monday: date
    run_id: int | None
    status: str | None


@dataclass(frozen=True)
class PageData:
    """The reports of one window. `run` and `document` are those of the report that is looked at, None before any."""

    computed_at: datetime
    window: str
    run: Run | None
    document: Mapping[str, Any] | None
    archive_error: str | None
    past: Sequence[Past]
    streak: Streak
    weeks: Sequence[Week]
    names: Mapping[str, str]


def page_data(ctx: Context, window: str, run_id: int | None = None) -> PageData:
    """Return the newest stored report of a window, or that of a run; raises PermissionDenied and NotFound."""
    ctx.actor.require(*quality.READ)
    job = quality.JOBS[window]
    run = runs.last_executed(ctx, job) if run_id is None else runs.of_job(ctx, run_id, job)
    document = run.detail.get("report") if run else None
    actors = [one["actor"] for one in document["admin_security"]["top_actors"]] if document else []
    return PageData(
        computed_at=ctx.now(),
        window=window,
        run=run,
        document=document,
        archive_error=(run.detail.get("archive") or {}).get("error") if run else None,
        past=_past(ctx, job),
        streak=evidence_facts.streak(ctx),
        weeks=_weeks(ctx),
        names=names_of(ctx, actors),
    )


def _past(ctx: Context, job: str) -> list[Past]:
    """Return the newest stored reports, oldest first: the figures alone, taken out by the database.

    Of a period that was reported twice the newer report counts.
    """
    rows = ctx.session.execute(
        select(
            JobRun.id,
            JobRun.detail_json["label"].as_string(),
            JobRun.finished_at,
            JobRun.status,
            JobRun.detail_json["summary"]["critical_findings_total"].as_integer(),
        )
        .where(*_produced(job))
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(SHOWN)
    )
    newest: dict[str, Past] = {}
    for row in rows:
        newest.setdefault(row[1], Past(*row))
    return sorted(newest.values(), key=lambda one: one.finished_at)


def _produced(job: str) -> tuple[Any, ...]:
    return (
        JobRun.job_name == job,
        JobRun.state == FINISHED,
        JobRun.executed.is_(True),
        JobRun.dry_run.is_(False),
        JobRun.status.in_(PRODUCED_STATUSES),
    )


def _weeks(ctx: Context) -> list[Week]:
    zone = ctx.zone
    this = monday_of(ctx.now(), zone)
    mondays = [this - timedelta(weeks=back) for back in range(SHOWN - 1, -1, -1)]
    rows = ctx.session.execute(
        select(JobRun.id, JobRun.finished_at, JobRun.status)
        .where(*_produced(quality.JOBS[WEEKLY]), JobRun.finished_at >= ctx.now() - (SHOWN + 1) * WEEK)
        .order_by(JobRun.finished_at, JobRun.id)
        .limit(1000)
    )
    found = {monday_of(at, zone): (run_id, status) for run_id, at, status in rows if at is not None}
    return [Week(monday, *found.get(monday, (None, None))) for monday in mondays]


def current_run(ctx: Context, window: str) -> Run | None:
    """Return the run of a window's job that waits or is under way, else the last finished one, if any."""
    ctx.actor.require(*quality.READ)
    return runs.current(ctx, quality.JOBS[window])
