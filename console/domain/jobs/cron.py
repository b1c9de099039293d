"""The instants of cron words in a time zone, the same on every machine whatever its own zone.

Five fields (minute, hour, day of month, month, day of week; `*`, lists, ranges, steps; 0 and 7 are Sunday; a day fits
when either day field fits, if both are given). Where clocks change, words with fixed hours run once: in a repeated hour
the first time, in a skipped hour as much later as the clocks jumped. Words for every hour follow the real hours.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

# The longest pause of words that happen at all: 29 February across a year that is no leap year.
_LONGEST_PAUSE_DAYS = 366 * 9
_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?")
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))


@dataclass(frozen=True)
class Cron:
    """Cron words, read: the values each field allows."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    @property
    def every_hour(self) -> bool:
        """Return whether the words leave no hour of the day out."""
        return len(self.hours) == 24

    def fits(self, day: date) -> bool:
        """Return whether the words mean something on this day."""
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (in_month or in_week) if self.either_day else (in_month and in_week)


def _values(name: str, text: str, low: int, high: int) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{name}: {part!r} is not understood")
        first, last, step = (None if group is None else int(group) for group in match.groups())
        start = low if first is None else first
        # `5/15` means from five on; a lone `5` means five.
        end = last if last is not None else (high if first is None or step is not None else first)
        if not low <= start <= end <= high or step == 0:
            raise ValueError(f"{name}: {part!r} is outside {low}-{high}")
        found.update(range(start, end + 1, step or 1))
    return tuple(sorted(found))


@lru_cache(maxsize=256)
def parse(words: str) -> Cron:
    """Read cron words; raises ValueError that names the field which is wrong."""
    parts = words.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"cron words have five fields: {words!r}")
    minutes, hours, days, months, weekdays = (
        _values(name, part, low, high) for (name, low, high), part in zip(_FIELDS, parts, strict=True)
    )
    either = not parts[2].startswith("*") and not parts[4].startswith("*")
    week = frozenset(day % 7 for day in weekdays)
    return Cron(minutes, hours, frozenset(days), frozenset(months), week, either)


@lru_cache(maxsize=512)
def _instants_of(words: str, zone: str, day: date) -> tuple[datetime, ...]:
    """Return the instants of one wall-clock day, in UTC, oldest first."""
    cron, where = parse(words), ZoneInfo(zone)
    if not cron.fits(day):
        return ()
    found: set[datetime] = set()
    for hour in cron.hours:
        for minute in cron.minutes:
            wall = datetime.combine(day, time(hour, minute), where)
            found.add(wall.astimezone(UTC))
            if cron.every_hour:
                found.add(wall.replace(fold=1).astimezone(UTC))
    return tuple(sorted(found))


def _wall_day(zone: str, instant: datetime) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def following(words: str, zone: str, after: datetime) -> Iterator[datetime]:
    """Return the instants later than `after`, in UTC, oldest first, without end.

    Raises ValueError for words that never happen, such as 31 February.
    """
    day, last, pause = _wall_day(zone, after), after, 0
    while pause <= _LONGEST_PAUSE_DAYS:
        instants = _instants_of(words, zone, day)
        for instant in instants[bisect_right(instants, last) :]:
            last, pause = instant, 0
            yield instant
        day, pause = day + timedelta(days=1), pause + 1
    raise ValueError(f"cron words never happen: {words!r}")


def next_after(words: str, zone: str, after: datetime) -> datetime:
    """Return the first instant later than `after`, in UTC."""
    return next(following(words, zone, after))


def last_until(words: str, zone: str, until: datetime) -> datetime:
    """Return the newest instant that is not later than `until`, in UTC."""
    day = _wall_day(zone, until)
    for back in range(_LONGEST_PAUSE_DAYS):
        instants = _instants_of(words, zone, day - timedelta(days=back))
        position = bisect_right(instants, until)
        if position:
            return instants[position - 1]
    raise ValueError(f"cron words never happen: {words!r}")


def between(words: str, zone: str, after: datetime, until: datetime, *, most: int = 10_000) -> list[datetime]:
    """Return the instants later than `after` and not later than `until`, in UTC, oldest first.

    At most `most` of them; the newest one is always there.
    """
    newest = last_until(words, zone, until)
    if newest <= after:
        return []
    older = takewhile(lambda instant: instant < newest, following(words, zone, after))
    return [*islice(older, most - 1), newest]
