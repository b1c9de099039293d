"""Response times added up over stretches of time: which stretch a sample belongs to, and what its parts tell.

A percentile of a stretch is read from a histogram and is as fine as its steps; the published one is exact.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

# Milliseconds: a sample belongs to the first step that it does not exceed, and to the last part beyond all of them.
STEPS = (
    *(5.0, 10.0, 20.0, 35.0, 50.0, 75.0, 100.0, 150.0, 200.0),
    *(300.0, 450.0, 600.0, 900.0, 1200.0, 1800.0, 2500.0, 5000.0, 10000.0),
)
PARTS = len(STEPS) + 1
# Widths of the stretches in minutes: fine ones for the day, hours for weeks and for the budget.
FINE, HOUR = 5, 60
WIDTHS = (FINE, HOUR)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Bucket:
    """What happened at one endpoint within one stretch; `slow` is what was slow by the threshold of that time.

    `parts` has one count per step and one beyond; `start` is aware UTC, `longest_ms` the slowest request.
    """

    start: datetime
    count: int = 0
    errors: int = 0
    slow: int = 0
    longest_ms: float = 0.0
    parts: tuple[int, ...] = (0,) * PARTS


@dataclass(frozen=True)
class Point:
    """A place of the trend: percentiles in ms, None where there were too few requests."""

    start: datetime
    count: int
    p95_ms: float | None
    median_ms: float | None
    slow: int
    errors: int


def floor(instant: datetime, minutes: int) -> datetime:
    """Return the beginning of the stretch of so many minutes that an instant lies in, counted from 1970 in UTC."""
    width = timedelta(minutes=minutes)
    return instant - (instant - EPOCH) % width


def part_of(duration_ms: float) -> int:
    """Return the number of the part of the histogram that a duration belongs to."""
    return bisect_left(STEPS, duration_ms)


def share_below(parts: Sequence[int], share: float, longest_ms: float) -> float | None:
    """Return the percentile of a histogram in ms: even within a step, never above the slowest; None without samples."""
    total = sum(parts)
    if not total:
        return None
    wanted = total * share / 100
    for number, (part, until) in enumerate(zip(parts, accumulate(parts), strict=True)):
        if part and until >= wanted:
            low = STEPS[number - 1] if number else 0.0
            high = STEPS[number] if number < len(STEPS) else max(longest_ms, low)
            return round(min(low + (high - low) * (wanted - until + part) / part, longest_ms), 2)
    return round(longest_ms, 2)


def added(buckets: Iterable[Bucket], start: datetime) -> Bucket:
    """Return several stretches as one that begins at `start`."""
    found = list(buckets)
    return Bucket(
        start,
        sum(one.count for one in found),
        sum(one.errors for one in found),
        sum(one.slow for one in found),
        max((one.longest_ms for one in found), default=0.0),
        tuple(map(sum, zip(*(one.parts for one in found), strict=True))) if found else (0,) * PARTS,
    )


def trend(buckets: Iterable[Bucket], since: datetime, until: datetime, minutes: int, least: int) -> tuple[Point, ...]:
    """Return a point per stretch of `minutes` from `since` to `until`, oldest first, also where nothing happened.

    Fewer than `least` requests tell no percentile.
    """
    grouped: dict[datetime, list[Bucket]] = {}
    for one in buckets:
        grouped.setdefault(floor(one.start, minutes), []).append(one)
    points, start = [], floor(since, minutes)
    while start <= until:
        whole = added(grouped.get(start, ()), start)
        enough = whole.count >= least
        points.append(
            Point(
                start,
                whole.count,
                share_below(whole.parts, 95, whole.longest_ms) if enough else None,
                share_below(whole.parts, 50, whole.longest_ms) if enough else None,
                whole.slow,
                whole.errors,
            )
        )
        start += timedelta(minutes=minutes)
    return tuple(points)
