"""The periods of quality reports: last seven days, calendar week, calendar month (API contract, quality reports).

A week begins on Monday. Weeks, months and labels belong to a time zone; instants are kept in UTC, ends are exclusive.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from console.domain.audit.archive import NO_MONTH, month_of
from console.domain.days import DAY, midnight, monday_of
from console.domain.errors import BadRequest

WEEKLY, MONTHLY = "weekly", "monthly"
WEEK = 7 * DAY
WEEK_MARK = "week-"


@dataclass(frozen=True)
class Period:
    """What a report looks at: `window` is `weekly` or `monthly`, `start` and `end` are aware UTC, `end` is exclusive.

    `time_zone` names the zone whose days, weeks and months these are.
    """

    window: str
    label: str
    start: datetime
    end: datetime
    time_zone: str

    @property
    def days(self) -> int:
        """Return how many days it has; one on which the clock changes is a day like the others."""
        return round((self.end - self.start) / DAY)

    def finished(self, now: datetime) -> bool:
        """Return whether it was over at `now`."""
        return self.end <= now

    def pieces(self) -> Iterator[tuple[date, datetime, datetime]]:
        """Return its calendar days in its zone, oldest first: the date, begin and end in UTC, cut at its own ends."""
        zone = ZoneInfo(self.time_zone)
        day = self.start.astimezone(zone).date()
        while (begin := midnight(day, zone)) < self.end:
            until = midnight(day + DAY, zone)
            yield day, max(begin, self.start), min(until, self.end)
            day += DAY


def last_days(now: datetime) -> Period:
    """Return the seven times 24 hours that end now, with UTC dates in the label (the published default)."""
    utc = ZoneInfo("UTC")
    return _weekly(now - WEEK, now, now.astimezone(utc).date(), utc)


def week_before(now: datetime, zone: ZoneInfo) -> Period:
    """Return the last calendar week of the zone that was over at `now`."""
    monday = monday_of(now, zone)
    return _weekly(midnight(monday - WEEK, zone), midnight(monday, zone), monday - DAY, zone)


def month_named(text: str, zone: ZoneInfo) -> Period:
    """Read `YYYY-MM` as a calendar month of the zone; raises BadRequest for what is no month."""
    month = month_of(text)
    try:
        start, end = (midnight(instant.date(), zone) for instant in (month.start, month.end))
    except OverflowError:
        # The first months of the calendar begin before it, seen from the east.
        raise BadRequest(NO_MONTH) from None
    return Period(MONTHLY, text, start, end, zone.key)


def month_at(now: datetime, zone: ZoneInfo) -> Period:
    """Return the calendar month of the zone that `now` lies in."""
    return month_named(now.astimezone(zone).strftime("%Y-%m"), zone)


def month_before(now: datetime, zone: ZoneInfo) -> Period:
    """Return the last calendar month of the zone that was over at `now`."""
    first = now.astimezone(zone).date().replace(day=1)
    return month_named((first - DAY).strftime("%Y-%m"), zone)


def span_of(label: str) -> tuple[str, date, date]:
    """Read a label again: the window with its first and last day; raises ValueError for what is no label."""
    if label.startswith(WEEK_MARK):
        return WEEKLY, date.fromisoformat(label[5:15]), date.fromisoformat(label[16:])
    first = date.fromisoformat(f"{label}-01")
    return MONTHLY, first, first.replace(day=monthrange(first.year, first.month)[1])


def _weekly(start: datetime, end: datetime, last: date, zone: ZoneInfo) -> Period:
    return Period(WEEKLY, f"{WEEK_MARK}{start.astimezone(zone).date()}-{last}", start, end, zone.key)
