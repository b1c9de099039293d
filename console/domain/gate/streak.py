"""Weekly quality reports: how many weeks in a row one was produced (API contract, weekly streak)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from console.domain.days import monday_of

# A report that tells of critical findings is a `warning`; the streak asks whether reports are made, not what they say.
PRODUCED_STATUSES = ("success", "ok", "warning")
WEEK = timedelta(days=7)
ANCHOR_GRACE = timedelta(days=8)


@dataclass(frozen=True)
class Streak:
    """The streak and the target it is held against.

    `target_weeks` is the effective target; while the programme is younger than the configured one, only the weeks that
    could have had a report are asked for (`bootstrap_grace_active`). Weeks start on Monday in the business zone.
    """

    target_weeks: int
    configured_target_weeks: int
    effective_target_weeks: int
    current_streak_weeks: int
    target_met: bool
    successful_weeks_in_window: int
    bootstrap_grace_active: bool
    anchor_week_start: date
    latest_success_at: datetime | None


def lookback(target: int) -> timedelta:
    """Return how far back runs have to be read for a configured target of weeks."""
    return timedelta(days=max(70, 14 * target))


def weekly_streak(successes: Iterable[datetime], *, now: datetime, target: int, zone: ZoneInfo) -> Streak:
    """Count the weeks in a row, backwards from the anchor week, that have a successful report.

    The anchor is the current week; when it has none yet, the week of the newest success that is at most 8 days old, so
    that the streak does not read zero from Monday until the report is due.
    """
    seen = sorted(at for at in successes if now - lookback(target) <= at <= now)
    weeks = {monday_of(at, zone) for at in seen}
    latest = seen[-1] if seen else None
    anchor = monday_of(now, zone)
    if latest is not None and anchor not in weeks and now - latest <= ANCHOR_GRACE:
        anchor = monday_of(latest, zone)
    observed = (anchor - min(weeks)).days // 7 + 1 if weeks else 1
    effective = min(target, observed)
    count, week = 0, anchor
    while week in weeks and count < max(1, 2 * target, observed + 1):
        count, week = count + 1, week - WEEK
    return Streak(
        target_weeks=effective,
        configured_target_weeks=target,
        effective_target_weeks=effective,
        current_streak_weeks=count,
        target_met=count >= effective,
        successful_weeks_in_window=len(weeks),
        bootstrap_grace_active=effective < target,
        anchor_week_start=anchor,
        latest_success_at=latest,
    )
