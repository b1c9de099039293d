"""The list of incidents: when a channel took nothing, how long, and how many attempts failed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from sqlalchemy import ColumnElement, or_, select

from console.core.context import Context
from console.core.filters import one_of
from console.core.listing import AnySelect, Choices, Filter, ListSpec
from console.core.records import INTERNAL, Fact, columns_of, view_of
from console.domain.text import N_
from console.models.alerts import AlertIncident
from console.services.alerts import channels

READ = channels.READ


@dataclass(frozen=True)
class IncidentRow:
    """One incident of a channel; instants are aware UTC, `ended_at` is None while it lasts."""

    id: Annotated[int, INTERNAL]
    channel: Annotated[str, INTERNAL]
    target: Annotated[str, Fact(N_("Channel"), sort=True)]
    started_at: Annotated[datetime, Fact(N_("Began"), sort=True)]
    ended_at: Annotated[datetime | None, Fact(N_("Recovered"), sort=True)]
    failure_count: Annotated[int, Fact(N_("Failed attempts"), sort=True, numeric=True)]


def _base(ctx: Context) -> AnySelect:
    seen = select(AlertIncident).where(AlertIncident.event_type == "")
    if ctx.actor.all_sites:
        return seen
    return seen.where(AlertIncident.channel.in_([one.key for one in channels.seen(ctx)]))


def _channels(ctx: Context) -> Choices:
    return [(one.key, one.title) for one in channels.seen(ctx)]


def _days(_ctx: Context, words: list[str], now: datetime) -> ColumnElement[bool]:
    since = now - timedelta(days=max(map(int, words)))
    return or_(AlertIncident.ended_at.is_(None), AlertIncident.ended_at >= since)


def _state(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    wanted = {"open": AlertIncident.ended_at.is_(None), "ended": AlertIncident.ended_at.is_not(None)}
    return or_(*(wanted[word] for word in words))


INCIDENTS = ListSpec(
    name="alert_incidents",
    read=READ,
    base=_base,
    row=lambda row: view_of(IncidentRow, row[0]),
    key=AlertIncident.id,
    columns=columns_of(IncidentRow, AlertIncident, "target", "started_at", "ended_at", "failure_count"),
    filters=(
        Filter("channel", N_("Channel"), "choice", one_of(AlertIncident.channel), _channels),
        Filter("state", N_("State"), "choice", _state, (("open", N_("Lasts")), ("ended", N_("Recovered")))),
        Filter("days", N_("Period"), "choice", _days, (("7", N_("Last 7 days")), ("30", N_("Last 30 days")))),
    ),
    order=(AlertIncident.started_at.desc(),),
    count_cap=10_000,
)
