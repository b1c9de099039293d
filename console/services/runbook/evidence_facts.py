"""What the runbook must know of the evidence of operations: the newest runs of its jobs, the streak, the review."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from console.core.context import Context
from console.domain.audit.archive import month_at
from console.domain.gate.rules import LatestRun
from console.domain.gate.streak import PRODUCED_STATUSES, Streak, lookback, weekly_streak
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import FINISHED
from console.domain.runbook.evidence_checks import ArchiveFacts, DrillFacts, EvidenceFacts, ReportFacts
from console.domain.runbook.review import ReviewFacts
from console.models.jobs import JobRun
from console.services.jobs.runs import Run
from console.services.runbook import review

JOBS = (
    *(job_names.QUALITY_WEEKLY, job_names.DEPLOY_SMOKE, job_names.DR_REHEARSAL),
    *(job_names.DAILY_CHECK, job_names.RUNBOOK_REVIEW),
)


def facts(ctx: Context, newest: Mapping[str, Run]) -> EvidenceFacts:
    """Return what the newest runs of `JOBS` tell: one query for the streak, one for the deploys of a month."""
    now, config = ctx.now(), ctx.config
    latest = {name: latest_run(newest[name]) for name in JOBS if name in newest}
    return EvidenceFacts(
        reports=ReportFacts(now, streak(ctx), latest.get(job_names.QUALITY_WEEKLY)),
        drill=DrillFacts(now, config["DR_REHEARSAL_ENABLED"], latest.get(job_names.DR_REHEARSAL)),
        review=_review(ctx, latest.get(job_names.RUNBOOK_REVIEW)),
        archive=ArchiveFacts(
            config["OPS_DAILY_CHECK_ARCHIVE_ENABLED"],
            str(config.path("OPS_DAILY_CHECK_ARCHIVE_PATH")),
            config["OPS_DAILY_CHECK_ARCHIVE_RETENTION_DAYS"],
        ),
        daily=latest.get(job_names.DAILY_CHECK),
        smoke=latest.get(job_names.DEPLOY_SMOKE),
    )


def latest_run(run: Run) -> LatestRun | None:
    """Return a run as rules and checks read it; None for one without a result."""
    if run.finished_at is None or run.status is None:
        return None
    return LatestRun(run.id, run.status, run.finished_at, run.detail)


def _review(ctx: Context, run: LatestRun | None) -> ReviewFacts:
    month = month_at(ctx.now())
    found = review.metrics(ctx, month)
    # A review that was made in the month is one of it (API contract, runbook review).
    made = run if run is not None and month_at(run.finished_at) == month else None
    return ReviewFacts(
        month=month.text,
        smoke_count=found.deploy_smoke_count,
        false_positive_count=found.false_positive_candidate_count,
        false_negative_count=found.false_negative_candidate_count,
        latest_at=made.finished_at if made else None,
        run_id=made.run_id if made else None,
    )


def streak(ctx: Context, *, produced_now: bool = False) -> Streak:
    """Return the streak of weekly quality reports (API contract, weekly streak).

    A report counts when it was produced, whatever it found; `produced_now` counts the one that is under way.
    """
    now, target = ctx.now(), ctx.config["OPS_QUALITY_WEEKLY_STREAK_TARGET"]
    finished = ctx.session.scalars(
        select(JobRun.finished_at)
        .where(
            JobRun.job_name == job_names.QUALITY_WEEKLY,
            JobRun.finished_at >= now - lookback(target),
            JobRun.state == FINISHED,
            JobRun.dry_run.is_(False),
            JobRun.status.in_(PRODUCED_STATUSES),
            JobRun.error_code.is_(None),
        )
        .order_by(JobRun.finished_at.desc())
        .limit(1000)
    )
    produced = [at for at in finished if at is not None] + [now] * produced_now
    return weekly_streak(produced, now=now, target=target, zone=ctx.zone)
