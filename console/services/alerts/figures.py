"""Figures of the channels: how many deliveries arrived, and how long a channel took to recover (API contract, KPI)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select

from console.core.context import Context
from console.domain.alerts import incidents as rules
from console.domain.alerts.alerts import DEAD, DROPPED, FAILED, QUEUED, SUCCESS, WARNING
from console.domain.alerts.incidents import Incident, Window
from console.models.alerts import AlertChannelState, AlertDelivery, AlertIncident
from console.services.alerts import channels as known
from console.services.alerts import outbox
from console.services.alerts.claims import OWN
from console.services.audit import record as audit

READ = outbox.READ
# What figures count: no trials, nothing that nobody tried yet, nothing that was dropped; what was held back did not
# arrive.
COUNTED = (AlertDelivery.probe.is_(False), AlertDelivery.status.not_in((QUEUED, DROPPED)))
# The words that are counted, each a range of the index.
_SETTLED = (SUCCESS, WARNING, FAILED, DEAD)
WINDOWS = (7, 30)


@dataclass(frozen=True)
class ChannelKpi:
    """The deliveries of one channel; whatever is neither a success nor held back counts as failed."""

    target: str
    total_deliveries: int
    success_count: int
    warning_count: int
    failed_count: int
    success_rate_percent: float
    last_attempt_at: datetime | None
    channel: str


@dataclass(frozen=True)
class KpiWindow:
    """The deliveries of some days, by their last attempt; trials and what was not tried yet are none."""

    days: int
    window_start: datetime
    window_end: datetime
    total_deliveries: int
    success_count: int
    warning_count: int
    failed_count: int
    success_rate_percent: float
    channels: tuple[ChannelKpi, ...]


@dataclass(frozen=True)
class Kpi:
    """The deliveries of the last week and of the last thirty days."""

    generated_at: datetime
    event_type: str | None
    windows: tuple[KpiWindow, ...]


@dataclass(frozen=True)
class MttrChannel:
    """The recoveries of one channel, in minutes; None where there was none."""

    target: str
    incident_count: int
    recovered_incidents: int
    unresolved_incidents: int
    mttr_minutes: float | None
    median_recovery_minutes: float | None
    longest_recovery_minutes: float | None
    last_incident_start: datetime
    last_recovery_at: datetime | None
    oldest_open_minutes: float | None
    channel: str


@dataclass(frozen=True)
class MttrWindow:
    """The recoveries of some days; `oldest_open_minutes` is the age of the longest outage that still lasts."""

    days: int
    window_start: datetime
    window_end: datetime
    incident_count: int
    recovered_incidents: int
    unresolved_incidents: int
    mttr_minutes: float | None
    median_recovery_minutes: float | None
    longest_recovery_minutes: float | None
    channels: tuple[MttrChannel, ...]
    oldest_open_minutes: float | None
    mean_with_open_minutes: float | None


@dataclass(frozen=True)
class Mttr:
    """The recoveries of the last week and of the last thirty days."""

    generated_at: datetime
    event_type: str | None
    windows: tuple[MttrWindow, ...]


def kpi(ctx: Context, *, event_type: str | None = None) -> Kpi:
    """Return how the deliveries of the caller's sites went: one query; raises PermissionDenied."""
    audit.viewed(ctx, "ops_alert_channel_kpi_view", "alert_delivery", event_type or "all")
    return counted(ctx, event_type=event_type, windows=WINDOWS)


def counted(ctx: Context, *, event_type: str | None, windows: Iterable[int]) -> Kpi:
    """Return the deliveries of windows of any number of days, each with a query over ranges of one index."""
    ctx.actor.require(*READ)
    now, labels = ctx.now(), labels_of(ctx)
    of_type = [AlertDelivery.event_type == event_type] if event_type else []
    made = []
    for days in windows:
        rows = ctx.session.execute(
            select(
                AlertDelivery.channel,
                AlertDelivery.status,
                func.count().label("number"),
                func.max(AlertDelivery.last_attempt_at).label("last"),
            )
            .where(*_since(ctx, labels, now - timedelta(days=days)), *of_type)
            .group_by(AlertDelivery.channel, AlertDelivery.status)
        )
        made.append(_kpi_window(rows, days, now, labels))
    return Kpi(now, event_type, tuple(made))


def _since(ctx: Context, keys: Iterable[str], since: datetime) -> list[ColumnElement[bool]]:
    return [
        AlertDelivery.channel.in_(list(keys)),
        AlertDelivery.status.in_(_SETTLED),
        AlertDelivery.last_attempt_at >= since,
        AlertDelivery.probe.is_(False),
        *outbox.visible(ctx),
    ]


def _kpi_window(
    rows: Iterable[Row[*tuple[Any, ...]]], days: int, now: datetime, labels: Mapping[str, str]
) -> KpiWindow:
    numbers: dict[str, dict[str, int]] = {}
    newest: dict[str, datetime] = {}
    for row in rows:
        numbers.setdefault(row.channel, {})[row.status] = row.number
        newest[row.channel] = max(newest.get(row.channel, row.last), row.last)
    channels = [_channel(key, part, newest[key], labels[key]) for key, part in numbers.items()]
    channels.sort(key=lambda one: (-one.total_deliveries, one.target))
    total, success = sum(one.total_deliveries for one in channels), sum(one.success_count for one in channels)
    return KpiWindow(
        days=days,
        window_start=now - timedelta(days=days),
        window_end=now,
        total_deliveries=total,
        success_count=success,
        warning_count=sum(one.warning_count for one in channels),
        failed_count=sum(one.failed_count for one in channels),
        success_rate_percent=_percent(success, total),
        channels=tuple(channels),
    )


def _channel(key: str, numbers: Mapping[str, int], last: datetime, label: str) -> ChannelKpi:
    total, success, warning = sum(numbers.values()), numbers.get(SUCCESS, 0), numbers.get(WARNING, 0)
    return ChannelKpi(
        target=label,
        total_deliveries=total,
        success_count=success,
        warning_count=warning,
        failed_count=total - success - warning,
        success_rate_percent=_percent(success, total),
        last_attempt_at=last,
        channel=key,
    )


def _percent(part: int, whole: int) -> float:
    return round(part / whole * 100, 2) if whole else 0.0


@dataclass(frozen=True)
class Day:
    """How the deliveries of 24 hours went; `start` is aware UTC."""

    start: datetime
    success_count: int
    warning_count: int
    failed_count: int


def by_day(ctx: Context, *, starts: Sequence[datetime]) -> tuple[Day, ...]:
    """Return how the deliveries of each day went, a day from each of `starts` to the next: one query of ranges."""
    ctx.actor.require(*READ)
    keys = list(labels_of(ctx))
    parts = [
        select(func.count())
        .where(*_since(ctx, keys, start), AlertDelivery.last_attempt_at < end, AlertDelivery.status.in_(words))
        .scalar_subquery()
        for start, end in zip(starts, (*starts[1:], ctx.now() + timedelta(days=1)), strict=True)
        for words in ((SUCCESS,), (WARNING,), (FAILED, DEAD))
    ]
    found = list(ctx.session.execute(select(*parts)).one())
    return tuple(Day(start, *found[3 * number : 3 * number + 3]) for number, start in enumerate(starts))


def lost(since: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of messages that were tried since an instant (UTC) and did not arrive; trials are none."""
    gone = AlertDelivery.status.in_((FAILED, WARNING, DEAD))
    return gone, AlertDelivery.last_attempt_at >= since, AlertDelivery.probe.is_(False)


def concerning(site: str) -> ColumnElement[bool]:
    """Return the condition of messages about a site, or about none."""
    return or_(AlertDelivery.site.is_(None), AlertDelivery.site == site)


def waiting(ctx: Context) -> dict[str, int]:
    """Return how many messages wait for each channel: one query."""
    rows = ctx.session.execute(
        select(AlertDelivery.channel, func.count().label("number"))
        .where(AlertDelivery.next_attempt_at.is_not(None), *outbox.visible(ctx))
        .group_by(AlertDelivery.channel)
    )
    return {row.channel: row.number for row in rows}


def names_of(ctx: Context) -> dict[str, str]:
    """Return what people call each channel, by its key; one that is gone by the masked address that it had."""
    return labels_of(ctx) | {key: one.title for key, one in known.known(ctx).items()}


def labels_of(ctx: Context) -> dict[str, str]:
    """Return the masked address of each channel by its key, also of one that was tried and is no longer configured."""
    channels = AlertChannelState.channel.not_like(f"{OWN}%")
    tried = ctx.session.execute(select(AlertChannelState.channel, AlertChannelState.target).where(channels))
    return {row.channel: row.target for row in tried} | {key: one.label for key, one in known.known(ctx).items()}


def mttr(ctx: Context, *, event_type: str | None = None) -> Mttr:
    """Return how long channels took to recover: one query; raises PermissionDenied."""
    audit.viewed(ctx, "ops_alert_channel_mttr_kpi_view", "alert_delivery", event_type or "all")
    ctx.actor.require(*READ)
    now = ctx.now()
    found = incidents(ctx, event_type=event_type, days=max(WINDOWS))
    windows = (_mttr_window(rules.window(found, days=days, now=now)) for days in WINDOWS)
    return Mttr(now, event_type, tuple(windows))


def incidents(ctx: Context, *, event_type: str | None, days: int) -> tuple[Incident, ...]:
    """Return the incidents of the last days, whoever asks: those that last, and those that ended in them."""
    since = ctx.now() - timedelta(days=days)
    rows = ctx.session.execute(
        select(AlertIncident.channel, AlertIncident.target, AlertIncident.started_at, AlertIncident.ended_at)
        .where(
            AlertIncident.event_type == (event_type or ""),
            or_(AlertIncident.ended_at.is_(None), AlertIncident.ended_at >= since),
        )
        .order_by(AlertIncident.id)
    )
    return tuple(Incident(row.channel, row.target, row.started_at, row.ended_at) for row in rows)


def _mttr_window(seen: Window) -> MttrWindow:
    return MttrWindow(
        days=seen.days,
        window_start=seen.start,
        window_end=seen.end,
        incident_count=seen.figures.incident_count,
        recovered_incidents=seen.figures.recovered_incidents,
        unresolved_incidents=seen.figures.unresolved_incidents,
        mttr_minutes=seen.figures.mttr_minutes,
        median_recovery_minutes=seen.figures.median_recovery_minutes,
        longest_recovery_minutes=seen.figures.longest_recovery_minutes,
        channels=mttr_channels(seen),
        oldest_open_minutes=seen.figures.oldest_open_minutes,
        mean_with_open_minutes=seen.figures.mean_with_open_minutes,
    )


def mttr_channels(seen: Window) -> tuple[MttrChannel, ...]:
    """Return the channels of a window in the published shape, worst first."""
    return tuple(
        MttrChannel(
            target=one.target,
            incident_count=one.figures.incident_count,
            recovered_incidents=one.figures.recovered_incidents,
            unresolved_incidents=one.figures.unresolved_incidents,
            mttr_minutes=one.figures.mttr_minutes,
            median_recovery_minutes=one.figures.median_recovery_minutes,
            longest_recovery_minutes=one.figures.longest_recovery_minutes,
            last_incident_start=one.last_incident_start,
            last_recovery_at=one.last_recovery_at,
            oldest_open_minutes=one.figures.oldest_open_minutes,
            channel=one.channel,
        )
        for one in seen.channels
    )
