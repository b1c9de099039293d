"""The instants of cron words in a time zone, the same on every machine whatever its own zone.

Five fields (minute, hour, day of month, month, day of week; `*`, lists, ranges, steps; 0 and 7 are Sunday; a day fits
when either day field fits, if both are given). cronsim reads them as the cron of Debian does. Where clocks change,
words with fixed minutes and hours run once: in a repeated hour the first time, in a skipped hour right after it. Words
with a star in one of the two follow the real time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

# Clocks are never set back by more than this.
_LONGEST_REPEAT = timedelta(hours=3)


def _walk(words: str, start: datetime, *, back: bool = False) -> Iterator[datetime]:
    """Return the instants on one side of `start`, nearest first, without `start` itself; seconds are not read."""
    if len(words.split()) != 5:
        raise ValueError(f"cron words have five fields: {words!r}")
    try:
        return (instant.astimezone(UTC) for instant in CronSim(words, start, reverse=back))
    except CronSimError as error:
        raise ValueError(f"cron words mean nothing: {words!r}: {error}") from None


def following(words: str, zone: str, after: datetime) -> Iterator[datetime]:
    """Return the instants later than `after`, in UTC, oldest first, without end.

    Raise ValueError for words that mean nothing or never happen, such as 31 February.
    """
    # In a repeated hour cronsim begins with instants of the first time.
    return (instant for instant in _walk(words, after.astimezone(ZoneInfo(zone))) if instant > after)


def next_after(words: str, zone: str, after: datetime) -> datetime:
    """Return the first instant later than `after`, in UTC."""
    return next(following(words, zone, after))


def last_until(words: str, zone: str, until: datetime) -> datetime:
    """Return the newest instant that is not later than `until`, in UTC."""
    start = until.astimezone(ZoneInfo(zone))
    # A moment later, so that `until` itself counts; and in a repeated hour the first time lies ahead on the clock.
    start = start.replace(microsecond=start.microsecond or 1) + (_LONGEST_REPEAT if start.fold else timedelta(0))
    return next(instant for instant in _walk(words, start, back=True) if instant <= until)


def between(words: str, zone: str, after: datetime, until: datetime, *, most: int = 10_000) -> list[datetime]:
    """Return the instants later than `after` and not later than `until`, in UTC, oldest first.

    At most `most` of them; the newest one is always there.
    """
    newest = last_until(words, zone, until)
    if newest <= after:
        return []
    older = takewhile(lambda instant: instant < newest, following(words, zone, after))
    return [*islice(older, most - 1), newest]
