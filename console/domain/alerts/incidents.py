"""Incidents of channels and how long they took: mean, median and longest time to recovery (API contract, MTTR)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median


@dataclass(frozen=True)
class Incident:
    """A time in which a channel took nothing; `ended_at` is None while it lasts."""

    channel: str
    target: str
    started_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Figures:
    """The six published figures of some incidents, in minutes with two decimals; None without a recovered one.

    `oldest_open_minutes` and `mean_with_open_minutes` also count the age of those that last: an outage that never ends
    has no duration.
    """

    incident_count: int
    recovered_incidents: int
    unresolved_incidents: int
    mttr_minutes: float | None
    median_recovery_minutes: float | None
    longest_recovery_minutes: float | None
    oldest_open_minutes: float | None
    mean_with_open_minutes: float | None


@dataclass(frozen=True)
class ChannelFigures:
    """The figures of one channel and when its newest incident began and its newest recovery was."""

    channel: str
    target: str
    figures: Figures
    last_incident_start: datetime
    last_recovery_at: datetime | None


@dataclass(frozen=True)
class Window:
    """The incidents of a window up to now, over all channels and channel by channel, worst first."""

    days: int
    start: datetime
    end: datetime
    figures: Figures
    channels: tuple[ChannelFigures, ...]


def window(incidents: Iterable[Incident], *, days: int, now: datetime) -> Window:
    """Return the figures of the last `days` days.

    An incident that was open when the window began counts from there; what ended before is not in it.
    """
    start = now - timedelta(days=days)
    by_channel: dict[str, list[Incident]] = {}
    for one in incidents:
        if one.started_at > now or (one.ended_at is not None and one.ended_at < start):
            continue
        clipped = Incident(one.channel, one.target, max(one.started_at, start), one.ended_at)
        by_channel.setdefault(one.channel, []).append(clipped)
    channels = [_of_channel(key, part, now) for key, part in by_channel.items()]
    channels.sort(key=_worst_first)
    every = [one for part in by_channel.values() for one in part]
    return Window(days, start, now, _figures(every, now), tuple(channels))


@dataclass(frozen=True)
class Week:
    """The recoveries of seven days: `mttr_minutes` is their mean, None without any."""

    start: datetime
    end: datetime
    mttr_minutes: float | None


def weeks(incidents: Iterable[Incident], *, count: int, now: datetime) -> tuple[Week, ...]:
    """Return the recoveries of the last weeks, oldest first; each belongs to the week in which it ended."""
    ended = [(one.ended_at, _minutes(one.started_at, one.ended_at)) for one in incidents if one.ended_at is not None]
    made = []
    for number in range(count, 0, -1):
        start, end = now - timedelta(days=7 * number), now - timedelta(days=7 * (number - 1))
        took = [minutes for at, minutes in ended if start < at <= end]
        made.append(Week(start, end, _rounded(fmean(took)) if took else None))
    return tuple(made)


def _of_channel(key: str, incidents: Sequence[Incident], now: datetime) -> ChannelFigures:
    recoveries = [one.ended_at for one in incidents if one.ended_at is not None]
    newest = max(incidents, key=lambda one: one.started_at)
    return ChannelFigures(
        key, newest.target, _figures(incidents, now), newest.started_at, max(recoveries, default=None)
    )


def _worst_first(one: ChannelFigures) -> tuple[int, bool, float, str]:
    mttr = one.figures.mttr_minutes
    return -one.figures.unresolved_incidents, mttr is None, -(mttr or 0.0), one.target


def _figures(incidents: Sequence[Incident], now: datetime) -> Figures:
    took = [_minutes(one.started_at, one.ended_at) for one in incidents if one.ended_at is not None]
    ages = [_minutes(one.started_at, now) for one in incidents if one.ended_at is None]
    return Figures(
        incident_count=len(incidents),
        recovered_incidents=len(took),
        unresolved_incidents=len(ages),
        mttr_minutes=_rounded(fmean(took)) if took else None,
        median_recovery_minutes=_rounded(median(took)) if took else None,
        longest_recovery_minutes=_rounded(max(took)) if took else None,
        oldest_open_minutes=_rounded(max(ages)) if ages else None,
        mean_with_open_minutes=_rounded(fmean(took + ages)) if incidents else None,
    )


def _minutes(start: datetime, end: datetime) -> float:
    return max((end - start).total_seconds(), 0.0) / 60


def _rounded(value: float) -> float:
    return round(value, 2)
