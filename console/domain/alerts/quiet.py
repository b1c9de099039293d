"""Quiet hours of a person: when they begin and end on the clock of their zone, and until when a message waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = 24 * 60


@dataclass(frozen=True)
class Quiet:
    """From `start` to `end`, minutes after midnight in `zone`; an end before the start is on the next day.

    `days` are those on which they begin (0 is Monday). Critical things get through where the person chose so.
    """

    start: int
    end: int
    days: frozenset[int]
    zone: str
    critical_passes: bool = True

    def until(self, at: datetime) -> datetime | None:
        """Return when the quiet hours end in which `at` lies (aware UTC); None outside of them."""
        zone = ZoneInfo(self.zone)
        today = at.astimezone(zone).date()
        # What began the evening before may still last.
        for day in (today - timedelta(days=1), today):
            if day.weekday() not in self.days:
                continue
            begin = _instant(day, self.start, zone)
            end = _instant(day + timedelta(days=self.end <= self.start), self.end, zone)
            if begin <= at < end:
                return end
        return None


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    wall = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone)
    return wall.astimezone(UTC)
