"""The runbook checks that watch the programme: the weekly run of W07, and whether its alerts have a channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.domain.gate.rules import LatestRun
from console.domain.programme.weekly import RECENT
from console.domain.runbook.review import MISSING
from console.domain.runbook.runbook import OK, WARNING, Finding, check
from console.domain.text import T


@dataclass(frozen=True)
class ProgrammeFacts:
    """The newest weekly run of W07 at `now` (aware UTC), None before the first; channels of alerts."""

    now: datetime
    run: LatestRun | None = None
    alert_enabled: bool = True
    target_count: int = 0


@check(22, owner_role="Ops Lead", needs=("programme",), page="jobs")
def w07_weekly_quality_recent(programme: ProgrammeFacts) -> Finding:
    """Judge whether the weekly figures of W07 were made of late, whatever they say."""
    run = programme.run
    degraded = (run.detail.get("degradation") or {}).get("degraded") if run else None
    fields = {
        "latest_checked_at": run.finished_at if run else None,
        "latest_degraded": degraded,
        "latest_run_id": run.run_id if run else None,
        "latest_status": run.status if run else MISSING,
    }
    if run is None:
        return Finding(WARNING, T("No weekly figures of W07 have been made yet."), fields)
    days = (programme.now - run.finished_at).days
    recent = programme.now - run.finished_at <= RECENT
    message = T("The weekly figures of W07 were made %(days)s d ago.", days=days)
    return Finding(OK if recent else WARNING, message, fields, seen_at=run.finished_at)


@check(25, owner_role="Ops Lead", needs=("programme",), page="alerts")
def w07_quality_alert_channel(programme: ProgrammeFacts) -> Finding:
    """Judge whether somebody would be told of a degradation."""
    fields = {"alert_enabled": programme.alert_enabled, "webhook_target_count": programme.target_count}
    if not programme.alert_enabled:
        return Finding(OK, T("Alerts about W07 are switched off."), fields)
    if programme.target_count:
        return Finding(OK, T("Alerts about W07 have a channel."), fields)
    return Finding(WARNING, T("Alerts about W07 are switched on, and there is no channel for them."), fields)
