"""The list of alert deliveries as people filter it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from operator import ge

from sqlalchemy import ColumnElement, and_, select

from console.core.context import Context
from console.core.filters import moment, one_of
from console.core.listing import AnySelect, Choices, Filter, ListQuery, ListSpec
from console.core.records import columns_of
from console.domain.alerts.alerts import DROPPED
from console.domain.alerts.events import WORDS
from console.domain.text import N_
from console.models.alerts import AlertDelivery
from console.services.alerts import figures
from console.services.alerts import outbox as alerts
from console.services.common.lists import Slice, slice_of
from console.services.common.sql import contains

STATUSES: Choices = (
    ("queued", N_("Waiting")),
    ("success", N_("Delivered")),
    ("failed", N_("Failed, will be tried again")),
    ("warning", N_("Held back")),
    ("dead", N_("Given up")),
    ("dropped", N_("No longer needed")),
)


# Days back, as the figures of the channels count them.
PERIODS: Choices = (("7", N_("Last 7 days, without trials")), ("30", N_("Last 30 days, without trials")))


def _base(ctx: Context) -> AnySelect:
    return select(AlertDelivery).where(*alerts.visible(ctx))


def _event_types(ctx: Context) -> Choices:
    words = ctx.session.scalars(
        select(AlertDelivery.event_type).distinct().order_by(AlertDelivery.event_type).limit(50)
    )
    return [(word, WORDS.get(word, word)) for word in words]


def _channels(ctx: Context) -> Choices:
    return list(figures.names_of(ctx).items())


def _period(_ctx: Context, words: list[str], now: datetime) -> ColumnElement[bool]:
    since = now - timedelta(days=max(map(int, words)))
    return and_(AlertDelivery.last_attempt_at >= since, *figures.COUNTED)


def _waits(_ctx: Context, _words: list[str], _now: datetime) -> ColumnElement[bool]:
    return AlertDelivery.next_attempt_at.is_not(None)


def _needed(_ctx: Context, _words: list[str], _now: datetime) -> ColumnElement[bool]:
    return AlertDelivery.status != DROPPED


def _lost(_column: object, at: datetime) -> ColumnElement[bool]:
    return and_(*figures.lost(at))


def _concerns(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    ctx.actor.require_site(words[0])
    return figures.concerning(words[0])


def _of_site(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    ctx.actor.require_site(words[0])
    return AlertDelivery.site == words[0]


def _search(_ctx: Context, text: str) -> ColumnElement[bool]:
    return contains(AlertDelivery.target.expression, text) | contains(AlertDelivery.event_type.expression, text)


DELIVERIES = ListSpec(
    name="alerts",
    base=_base,
    row=lambda row: alerts.view(row[0]),
    key=AlertDelivery.id,
    columns=columns_of(
        alerts.Delivery,
        AlertDelivery,
        *("event_type", "target", "status", "attempt_count", "last_attempt_at", "next_attempt_at", "error", "site"),
        "created_at",
    ),
    filters=(
        Filter("status", N_("Status"), "choice", one_of(AlertDelivery.status), STATUSES),
        Filter("event", N_("Event"), "choice", one_of(AlertDelivery.event_type), _event_types),
        Filter("channel", N_("Channel"), "choice", one_of(AlertDelivery.channel), _channels),
        Filter("period", N_("Period"), "choice", _period, PERIODS),
        Filter("waiting", N_("Next attempt"), "choice", _waits, (("1", N_("To come")),)),
        moment("raised_from", N_("Raised since"), ge, AlertDelivery.created_at),
        moment("lost_since", N_("Did not arrive since"), _lost, AlertDelivery.last_attempt_at),
        Filter("concerns", N_("Concerns"), "text", _concerns, multiple=False, shown=False),
        Filter("of_site", N_("Site"), "text", _of_site, multiple=False, shown=False),
        Filter("needed", N_("Still needed"), "flag", _needed, (("1", N_("Yes")),), multiple=False, shown=False),
    ),
    search=_search,
    order=(AlertDelivery.last_attempt_at.desc(),),
    count_cap=100_000,
)


def listed(ctx: Context, query: ListQuery, *, limit: int = 100, offset: int = 0) -> Slice:
    """Return deliveries with their messages, newest attempt first: two queries; any word may be asked for."""
    spec = replace(
        DELIVERIES,
        name="alerts_api",
        row=lambda row: alerts.within(ctx, alerts.view(row[0])),
        filters=(
            Filter("status", "", "text", one_of(AlertDelivery.status)),
            Filter("event_type", "", "text", one_of(AlertDelivery.event_type)),
        ),
        count_cap=None,
    )
    return slice_of(ctx, spec, query, limit=limit, offset=offset)
