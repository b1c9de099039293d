"""The runbook checks that watch the evidence of operations: reports, archives, recovery, monthly review."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from console.domain.gate.rules import LatestRun
from console.domain.gate.streak import Streak
from console.domain.runbook.review import MISSING, ReviewFacts
from console.domain.runbook.runbook import OK, WARNING, Finding, check
from console.domain.text import T

WEEKLY_REPORT_WITHIN = timedelta(days=8)
DRILL_WITHIN = timedelta(days=35)


@dataclass(frozen=True)
class ArchiveFacts:
    """Whether results of the daily check are kept as files, where and for how many days."""

    enabled: bool
    path: str
    retention_days: int


@dataclass(frozen=True)
class DrillFacts:
    """The newest recovery rehearsal at `now` (aware UTC), None before the first."""

    now: datetime
    enabled: bool = True
    run: LatestRun | None = None


@dataclass(frozen=True)
class ReportFacts:
    """The newest weekly quality report at `now` (aware UTC) and the streak of the weeks."""

    now: datetime
    streak: Streak
    run: LatestRun | None = None


@dataclass(frozen=True)
class EvidenceFacts:
    """What the runs of the evidence jobs tell, read together."""

    reports: ReportFacts
    drill: DrillFacts
    review: ReviewFacts
    archive: ArchiveFacts = field(default_factory=lambda: ArchiveFacts(True, "", 60))
    daily: LatestRun | None = None
    smoke: LatestRun | None = None


@check(4, owner_role="Operations Excellence Lead", needs=("evidence",), page="reports")
def ops_quality_weekly_report_streak(evidence: EvidenceFacts) -> Finding:
    """Judge whether a weekly quality report was produced week after week."""
    seen = evidence.reports.streak
    fields = {
        "current_streak_weeks": seen.current_streak_weeks,
        "target_weeks": seen.target_weeks,
        "configured_target_weeks": seen.configured_target_weeks,
        "bootstrap_grace_active": seen.bootstrap_grace_active,
        "anchor_week_start": seen.anchor_week_start,
        "latest_success_at": seen.latest_success_at,
    }
    message = T(
        "Weekly quality reports in a row: %(weeks)s of %(target)s.",
        weeks=seen.current_streak_weeks,
        target=seen.target_weeks,
    )
    return Finding(OK if seen.target_met else WARNING, message, fields, seen_at=seen.latest_success_at)


@check(5, owner_role="Ops PM", needs=("evidence",), page="daily")
def ops_daily_check_archive(evidence: EvidenceFacts) -> Finding:
    """Judge whether results of the daily check are kept as files."""
    kept = evidence.archive
    fields = {"archive_enabled": kept.enabled, "archive_path": kept.path, "retention_days": kept.retention_days}
    if kept.enabled:
        return Finding(OK, T("Daily checks are kept as files for %(days)s days.", days=kept.retention_days), fields)
    return Finding(WARNING, T("Daily checks are not kept as files."), fields)


@check(11, owner_role="Ops Lead", needs=("evidence",), page="review")
def runbook_critical_monthly_review(evidence: EvidenceFacts) -> Finding:
    """Judge whether somebody looked at this month's deploys for misses and false alarms of the runbook gate."""
    review = evidence.review
    fields = {
        "month": review.month,
        "review_completed": review.latest_at is not None,
        "latest_review_at": review.latest_at,
        "latest_run_id": review.run_id,
        "deploy_smoke_count": review.smoke_count,
        "false_positive_candidate_count": review.false_positive_count,
        "false_negative_candidate_count": review.false_negative_count,
    }
    if not review.smoke_count:
        return Finding(OK, T("No deploy this month, so there is nothing to review."), fields)
    if review.latest_at is not None:
        return Finding(OK, T("The deploys of this month have been reviewed."), fields, seen_at=review.latest_at)
    message = T("Deploys of this month that nobody has reviewed yet: %(count)s.", count=review.smoke_count)
    return Finding(WARNING, message, fields)


@check(23, owner_role="DR Owner", needs=("evidence",), page="drills")
def dr_rehearsal_recent(evidence: EvidenceFacts) -> Finding:
    """Judge whether a recovery was rehearsed of late, whatever came of it; the gate judges what it proved."""
    drill = evidence.drill
    run = drill.run
    fields = {
        "enabled": drill.enabled,
        "latest_run_at": run.finished_at if run else None,
        "latest_status": run.status if run else MISSING,
        "latest_run_id": run.run_id if run else None,
        "latest_restore_valid": run.detail.get("restore_valid") is True if run else None,
    }
    seen_at = run.finished_at if run else None
    if not drill.enabled:
        return Finding(OK, T("Recovery rehearsals are switched off."), fields, seen_at=seen_at)
    if run is None:
        return Finding(WARNING, T("No recovery rehearsal has run yet."), fields)
    days = (drill.now - run.finished_at).days
    if drill.now - run.finished_at > DRILL_WITHIN:
        limit = DRILL_WITHIN.days
        message = T("The last recovery rehearsal is %(days)s d old; the limit is %(limit)s d.", days=days, limit=limit)
        return Finding(WARNING, message, fields, seen_at=seen_at)
    if fields["latest_restore_valid"] is not True:
        message = T("The last recovery rehearsal could not prove a restore.")
        return Finding(OK, message, fields, seen_at=seen_at)
    return Finding(OK, T("A restore was proven %(days)s d ago.", days=days), fields, seen_at=seen_at)


@check(24, owner_role="Operations Excellence Lead", needs=("evidence",), page="reports")
def ops_quality_weekly_report_recent(evidence: EvidenceFacts) -> Finding:
    """Judge whether the weekly quality report ran of late, whatever came of it."""
    run, now = evidence.reports.run, evidence.reports.now
    fields = {
        "latest_run_at": run.finished_at if run else None,
        "latest_status": run.status if run else MISSING,
        "latest_run_id": run.run_id if run else None,
    }
    if run is None:
        return Finding(WARNING, T("No weekly quality report has been produced yet."), fields)
    days = (now - run.finished_at).days
    recent = now - run.finished_at <= WEEKLY_REPORT_WITHIN
    message = T("The last weekly quality report was produced %(days)s d ago.", days=days)
    return Finding(OK if recent else WARNING, message, fields, seen_at=run.finished_at)
