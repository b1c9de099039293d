"""The runbook checks that watch the alert channels: their guard, its trials, old deliveries, the objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from console.domain.gate.rules import LatestRun
from console.domain.runbook.review import MISSING
from console.domain.runbook.runbook import CRITICAL, OK, WARNING, Finding, check
from console.domain.text import T

# Nightly and hourly jobs, with time for one that was missed (API contract, runbook checks).
RETAINED_WITHIN = timedelta(hours=36)
RECOVERED_WITHIN = timedelta(hours=3)


@dataclass(frozen=True)
class ChannelFacts:
    """The configured channels at `now` (aware UTC) and the newest runs of the jobs that look after them.

    `policy` is the objective as it counts where no check has stored one; `candidate_count` deliveries may go.
    """

    now: datetime
    guard_enabled: bool = True
    quarantined_count: int = 0
    warning_count: int = 0
    target_count: int = 0
    candidate_count: int = 0
    policy: Mapping[str, Any] = field(default_factory=dict)
    retention: LatestRun | None = None
    recovery: LatestRun | None = None
    slo: LatestRun | None = None


def _status(run: LatestRun | None) -> str:
    return run.status if run else MISSING


@check(16, owner_role="Ops Lead", needs=("channels",), page="channels")
def alert_channel_guard(channels: ChannelFacts) -> Finding:
    """Judge whether the channels take messages."""
    quarantined, doubtful = channels.quarantined_count, channels.warning_count
    fields = {
        "quarantined_count": quarantined,
        "warning_count": doubtful,
        "target_count": channels.target_count,
    }
    if quarantined and channels.guard_enabled:
        return Finding(CRITICAL, T("Channels in quarantine: %(count)s.", count=quarantined), fields)
    if quarantined + doubtful:
        return Finding(WARNING, T("Channels that failed last: %(count)s.", count=quarantined + doubtful), fields)
    return Finding(OK, T("All channels take messages."), fields)


@check(17, owner_role="Ops Lead", needs=("channels",), page="channels")
def alert_retention_recent(channels: ChannelFacts) -> Finding:
    """Judge whether old deliveries are taken away."""
    at = channels.retention.finished_at if channels.retention else None
    fields = {
        "candidate_count": channels.candidate_count,
        "latest_run_at": at,
        "latest_status": _status(channels.retention),
    }
    if at is not None and channels.now - at <= RETAINED_WITHIN:
        return Finding(OK, T("Old alerts are taken away."), fields, seen_at=at)
    if not channels.candidate_count:
        return Finding(OK, T("No alert is old enough to be taken away."), fields)
    message = T("Old alerts that nobody takes away: %(count)s.", count=channels.candidate_count)
    return Finding(WARNING, message, fields, seen_at=at)


@check(18, owner_role="Ops Lead", needs=("channels",), page="channels")
def alert_guard_recovery_recent(channels: ChannelFacts) -> Finding:
    """Judge whether channels in quarantine are tried."""
    at = channels.recovery.finished_at if channels.recovery else None
    fields = {
        "latest_run_at": at,
        "quarantined_count": channels.quarantined_count,
        "latest_status": _status(channels.recovery),
    }
    if not channels.quarantined_count:
        return Finding(OK, T("No channel is in quarantine."), fields)
    if at is not None and channels.now - at <= RECOVERED_WITHIN:
        return Finding(OK, T("Channels in quarantine are tried."), fields, seen_at=at)
    return Finding(WARNING, T("Channels in quarantine were not tried within three hours."), fields, seen_at=at)


@check(21, owner_role="Ops Lead", needs=("channels",), page="channels")
def alert_mttr_slo_breach(channels: ChannelFacts) -> Finding:
    """Judge whether channels recover in time, by the newest check."""
    run = channels.slo
    detail: Mapping[str, Any] = run.detail if run else {}
    policy = {**channels.policy, **detail.get("policy", {})}
    window = detail.get("window", {})
    fields = {
        "latest_checked_at": run.finished_at if run else None,
        "threshold_minutes": policy.get("threshold_minutes"),
        "window_days": policy.get("window_days"),
        "min_incidents": policy.get("min_incidents"),
        "window_incident_count": window.get("incident_count"),
        "window_mttr_minutes": window.get("mttr_minutes"),
    }
    at = run.finished_at if run else None
    if not policy.get("enabled", True):
        return Finding(OK, T("The recovery of channels is not held to an objective."), fields, seen_at=at)
    if detail.get("breach") is True:
        return Finding(WARNING, T("Channels take longer to recover than the objective allows."), fields, seen_at=at)
    return Finding(OK, T("Channels recover in time."), fields, seen_at=at)
