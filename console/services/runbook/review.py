"""The monthly review of the runbook gate: taken from the recorded deploys, made by a person, kept as a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from console.core.context import Context
from console.core.serialize import plain
from console.domain.audit.archive import Month, month_at, month_of
from console.domain.errors import NotFound
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import FINISHED
from console.domain.runbook import review as domain
from console.domain.runbook.review import ReviewMetrics, Smoke
from console.models.jobs import JobRun
from console.services.audit import record as audit
from console.services.jobs import progress, runs

READ = ("admins:manage", "governance:read")
# Deploys of a month that are looked at; more of them than minutes in a working month is no deploying.
SMOKES_MOST = 2000


@dataclass(frozen=True)
class StoredReview:
    """A review that was made; `detail` has the fields of the metrics and who noted what."""

    run_id: int
    job_name: str
    status: str
    trigger: str
    started_at: datetime | None
    finished_at: datetime | None
    detail: Mapping[str, Any]

    def flat(self) -> dict[str, Any]:
        """Return the published shape: the fields of the run, then those of the review."""
        head = {name: getattr(self, name) for name in ("run_id", "job_name", "status", "started_at", "finished_at")}
        return {**head, **self.detail, "trigger": self.trigger}


def metrics(ctx: Context, month: Month) -> ReviewMetrics:
    """Return what a review of this UTC month looks at: one query. The permission is the caller's to check."""
    days = ctx.config["RUNBOOK_CRITICAL_REVIEW_LOOKBACK_DAYS"]
    bounds = domain.window(month.start, month.end, now=ctx.now(), lookback_days=days)
    rows = ctx.session.execute(
        select(JobRun.id, JobRun.status, JobRun.finished_at, JobRun.detail_json)
        .where(
            JobRun.job_name == job_names.DEPLOY_SMOKE,
            JobRun.finished_at >= bounds[0],
            JobRun.finished_at < bounds[1],
            JobRun.state == FINISHED,
            JobRun.dry_run.is_(False),
        )
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(SMOKES_MOST)
    )
    smokes = (
        _smoke(run_id, status or "", finished_at, detail) for run_id, status, finished_at, detail in rows if finished_at
    )
    limit = ctx.config["RUNBOOK_CRITICAL_REVIEW_SAMPLE_LIMIT"]
    return domain.review(smokes, month=month.text, bounds=bounds, sample_limit=limit, lookback_days=days)


def _smoke(run_id: int, status: str, finished_at: datetime, detail: dict[str, Any]) -> Smoke:
    checks = detail.get("checks")
    return Smoke(
        run_id=run_id,
        status=status,
        finished_at=finished_at,
        deploy_id=detail.get("deploy_id"),
        checklist_version=detail.get("checklist_version"),
        runbook_gate_passed=detail.get("runbook_gate_passed") is True,
        checks=[one for one in checks if isinstance(one, dict)] if isinstance(checks, list) else [],
    )


def make(ctx: Context, *, month: str | None, notes: str) -> dict[str, Any]:
    """Put on record that somebody reviewed a month (default: the one of now); raises Invalid for what is no month."""
    run = progress.current(ctx)
    at = run.started_at if run else ctx.now()
    made = metrics(ctx, month_of(month) if month else month_at(at))
    ctx.begin_write()
    detail = {"month": made.month, "candidate_count": made.candidate_count}
    audit.record(
        ctx, "ops_runbook_critical_review_run", "ops_runbook", run.run_id if run else made.month, detail=detail
    )
    done = {"review_completed": True, "review_completed_at": ctx.now(), "review_notes": notes}
    return {**plain(made), **plain(done)}


def latest(ctx: Context, month: str | None = None) -> StoredReview:
    """Return the newest review, or the newest that was made in a month; raises NotFound and Invalid."""
    ctx.actor.require(*READ)
    found = None
    if month is None:
        found = runs.last_executed(ctx, job_names.RUNBOOK_REVIEW)
    else:
        wanted = month_of(month)
        row = ctx.session.scalars(
            select(JobRun)
            .where(
                JobRun.job_name == job_names.RUNBOOK_REVIEW,
                JobRun.finished_at >= wanted.start,
                JobRun.finished_at < wanted.end,
                JobRun.executed.is_(True),
                JobRun.dry_run.is_(False),
            )
            .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
            .limit(1)
        ).one_or_none()
        found = runs.view(row) if row is not None else None
    if found is None:
        raise NotFound(f"No {job_names.RUNBOOK_REVIEW} run found")
    return StoredReview(
        found.id, found.job_name, str(found.status), found.trigger, found.started_at, found.finished_at, found.detail
    )
