"""The runbook checks that watch the jobs of the remediation automation: age, failures and skips in a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from console.domain.automation.autopilot import ALREADY_RUNNING, COOLDOWN
from console.domain.jobs import names as job_names
from console.domain.runbook.review import MISSING
from console.domain.runbook.runbook import CRITICAL, OK, WARNING, Finding, check
from console.domain.text import T

JOBS = (job_names.ESCALATION, job_names.AUTO_ASSIGN, job_names.KPI, job_names.AUTOPILOT)
# What is looked after besides: the escalation of work orders, the objective for the recovery of channels.
WATCHED = (*JOBS, job_names.SLA_ESCALATION, job_names.ALERT_MTTR_SLO)
# It runs every quarter of an hour (API contract, runbook checks).
ESCALATED_WITHIN = timedelta(minutes=90)
# It runs every hour (API contract, runbook checks).
SLO_CHECKED_WITHIN = timedelta(hours=6)
# They run hourly; three hours without one is two missed in a row.
AGE = timedelta(hours=3)
FAILURES = 3
SKIPS = 6
# How many of the newest runs are looked at.
LOOK_BACK = 10
# Skips that mean that something stands in the way; the others are how it is meant.
HINDERED = (COOLDOWN, ALREADY_RUNNING)


@dataclass(frozen=True)
class Seen:
    """One finished real run."""

    run_id: int
    finished_at: datetime
    failed: bool = False
    skip_reason: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class Watched:
    """The newest real runs of a job, newest first; `known_since` is when a scheduler first saw its line."""

    runs: Sequence[Seen] = ()
    known_since: datetime | None = None


@dataclass(frozen=True)
class AutomationFacts:
    """What is known of the automation's jobs at `now` (aware UTC), by job name."""

    now: datetime
    jobs: Mapping[str, Watched] = field(default_factory=dict)


def leading(runs: Sequence[Seen], *, failed: bool) -> int:
    """Count the newest runs in a row that failed, or that something stood in the way of."""
    number = 0
    for run in runs:
        if not (run.failed if failed else run.skip_reason in HINDERED):
            break
        number += 1
    return number


def _look(name: str, automation: AutomationFacts) -> Finding:
    seen = automation.jobs.get(name, Watched())
    newest = seen.runs[0] if seen.runs else None
    # Nothing was owed before a scheduler knew the line: the pages of the jobs judge in the same way.
    ends = (newest.finished_at if newest else None, seen.known_since)
    since = max((instant for instant in ends if instant is not None), default=None)
    failures, skips = leading(seen.runs, failed=True), leading(seen.runs, failed=False)
    fields = {
        "job_name": name,
        "latest_run_id": newest.run_id if newest else None,
        "latest_run_at": newest.finished_at if newest else None,
        "consecutive_failures": failures,
        "consecutive_skips": skips,
        "max_age_minutes": int(AGE.total_seconds() // 60),
    }
    at = newest.finished_at if newest else None
    if failures >= FAILURES:
        return Finding(CRITICAL, T("The newest %(count)s runs failed.", count=failures), fields, seen_at=at)
    if since is not None and automation.now - since > AGE:
        hours = int((automation.now - since).total_seconds() // 3600)
        return Finding(WARNING, T("No run for %(hours)s hours.", hours=hours), fields, seen_at=at)
    if skips >= SKIPS:
        return Finding(WARNING, T("The newest %(count)s runs were held back.", count=skips), fields, seen_at=at)
    if newest is None:
        return Finding(OK, T("It has not run yet."), fields, seen_at=at)
    if automation.now - newest.finished_at > AGE:
        return Finding(
            OK, T("It is on time: its first run since the schedule began is still to come."), fields, seen_at=at
        )
    return Finding(OK, T("It runs as it should."), fields, seen_at=at)


def _newest(seen: Watched) -> tuple[datetime | None, dict[str, Any]]:
    """Return when the newest run ended, and what is published of it: any run counts, its status stands beside."""
    run = seen.runs[0] if seen.runs else None
    at = run.finished_at if run else None
    return at, {"latest_run_at": at, "latest_status": (run.status if run else None) or MISSING}


@check(1, owner_role="Ops Lead", needs=("automation",), page="jobs")
def sla_cron_recent(automation: AutomationFacts) -> Finding:
    """Judge whether late work orders are escalated; nothing is owed before a scheduler knew the line for that long."""
    seen = automation.jobs.get(job_names.SLA_ESCALATION, Watched())
    at, fields = _newest(seen)
    if at is not None and automation.now - at <= ESCALATED_WITHIN:
        return Finding(OK, T("Late work orders are escalated."), fields, seen_at=at)
    if at is None and seen.known_since is not None and automation.now - seen.known_since <= ESCALATED_WITHIN:
        return Finding(OK, T("It has not run yet."), fields)
    return Finding(WARNING, T("Late work orders were not escalated within 90 minutes."), fields, seen_at=at)


@check(19, owner_role="Ops Lead", needs=("automation",), page="channels")
def alert_mttr_slo_recent(automation: AutomationFacts) -> Finding:
    """Judge whether the recovery of channels is held to its objective, from when a scheduler knew the line."""
    seen = automation.jobs.get(job_names.ALERT_MTTR_SLO, Watched())
    at, fields = _newest(seen)
    if at is not None and automation.now - at <= SLO_CHECKED_WITHIN:
        return Finding(OK, T("The recovery of channels is checked."), fields, seen_at=at)
    if at is None and seen.known_since is not None and automation.now - seen.known_since <= SLO_CHECKED_WITHIN:
        return Finding(OK, T("It has not run yet."), fields)
    return Finding(WARNING, T("The recovery of channels was not checked within six hours."), fields, seen_at=at)


@check(101, owner_role="Ops Lead", needs=("automation",), page="jobs")
def remediation_escalation_recent(automation: AutomationFacts) -> Finding:
    """Judge the hourly escalation."""
    return _look(job_names.ESCALATION, automation)


@check(102, owner_role="Ops Lead", needs=("automation",), page="jobs")
def remediation_auto_assign_recent(automation: AutomationFacts) -> Finding:
    """Judge the hourly assignment."""
    return _look(job_names.AUTO_ASSIGN, automation)


@check(103, owner_role="Ops Lead", needs=("automation",), page="jobs")
def remediation_kpi_recent(automation: AutomationFacts) -> Finding:
    """Judge the hourly measurement."""
    return _look(job_names.KPI, automation)


@check(104, owner_role="Ops Lead", needs=("automation",), page="jobs")
def remediation_autopilot_recent(automation: AutomationFacts) -> Finding:
    """Judge the hourly autopilot."""
    return _look(job_names.AUTOPILOT, automation)
