"""The objective for channels: how long one may take nothing on average (API contract, MTTR SLO)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.alerts.guard import remaining_minutes
from console.domain.alerts.incidents import Window

MTTR, OPEN, OUTAGE = "mttr", "open", "outage"
BREACHED = "mttr_slo_breach"


@dataclass(frozen=True)
class SloPolicy:
    """What counts as a breach and what follows; times are minutes unless their name says days."""

    enabled: bool = True
    window_days: int = 30
    threshold_minutes: int = 45
    min_incidents: int = 5
    auto_recover_enabled: bool = True
    recover_state: str = "quarantined"
    recover_max_targets: int = 30
    notify_enabled: bool = True
    notify_event_type: str = BREACHED
    notify_cooldown_minutes: int = 120
    top_channels: int = 15


def breach(policy: SloPolicy, seen: Window, *, channel_count: int) -> str | None:
    """Return why the objective is missed: the recoveries took too long, or what lasts does; None while it is met.

    That all `channel_count` channels are out for longer than the threshold is one, however few incidents that are.
    """
    if not policy.enabled:
        return None
    figures, threshold = seen.figures, policy.threshold_minutes
    if figures.incident_count >= max(1, policy.min_incidents):
        if figures.mttr_minutes is not None and figures.mttr_minutes > threshold:
            return MTTR
        if figures.unresolved_incidents and (figures.mean_with_open_minutes or 0) > threshold:
            return OPEN
    out = [one for one in seen.channels if (one.figures.oldest_open_minutes or 0) > threshold]
    return OUTAGE if channel_count and len(out) >= channel_count else None


@dataclass(frozen=True)
class Cooldown:
    """Whether people were told so lately that they are not told again, and how many minutes that lasts."""

    active: bool
    remaining_minutes: int


def cooldown(notified_at: datetime | None, minutes: int, now: datetime) -> Cooldown:
    """Return the cooldown that began with the last message: a breach that lasts is told again once it is over."""
    until = None if notified_at is None else notified_at + timedelta(minutes=minutes)
    left = remaining_minutes(until, now)
    return Cooldown(left > 0, left)


def told_error(arrived: int, total: int) -> str | None:
    """Return the published error of a message by how many of its channels took it; nobody to tell is one too."""
    if arrived == total:
        return None if total else "no_targets"
    return f"{total - arrived}/{total} alert channels failed" if arrived else "all alert channels failed"
