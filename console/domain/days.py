"""Days and weeks of a time zone: where they begin and end, as UTC. A day of 23 or 25 hours is as long as that.

Where the clocks show a midnight twice the day begins at the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return where a day begins in a zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def begins(days: Sequence[date], zone: tzinfo) -> tuple[datetime, ...]:
    """Return where each of the days begins in a zone, and where the last one ends."""
    return tuple(midnight(day, zone) for day in (*days, days[-1] + DAY))


def day_of(at: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the beginning and the end of the day of an instant (aware) in a zone."""
    day = at.astimezone(zone).date()
    return midnight(day, zone), midnight(day + DAY, zone)


def monday_of(at: datetime, zone: tzinfo) -> date:
    """Return the Monday of the week that an instant (aware) falls into in a zone."""
    day = at.astimezone(zone).date()
    return day - day.weekday() * DAY


def last_days(at: datetime, zone: tzinfo, count: int) -> tuple[date, ...]:
    """Return so many days of a zone up to that of an instant (aware), the oldest first."""
    today = at.astimezone(zone).date()
    return tuple(today - back * DAY for back in range(count - 1, -1, -1))
