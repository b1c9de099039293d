"""The list of handovers, as people filter it."""

from __future__ import annotations

from datetime import datetime
from operator import ge

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import aliased

from console.core.context import Context
from console.core.filters import day_filters, moment
from console.core.listing import AnySelect, Choices, Filter, ListSpec
from console.core.records import columns_of
from console.domain.handover import lines as rules
from console.domain.text import N_
from console.models.handover import Handover
from console.models.identity import User
from console.services.handover.shifts import READ, HandoverView, view, visible
from console.services.identity import sites

STATE_LABELS = {rules.GIVEN: N_("Waits for acceptance"), rules.ACCEPTED: N_("Accepted")}
IN_TIME: Choices = (("yes", N_("In time")), ("no", N_("After the deadline")))


def _site(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    for word in words:
        ctx.actor.require_site(word)
    return Handover.site.in_(words)


def _sites(ctx: Context) -> Choices:
    return [(name, name) for name in sites.names(ctx)]


def _in_time(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    accepted = Handover.state == rules.ACCEPTED
    if len(words) > 1:
        return accepted
    met = Handover.accepted_at <= Handover.deadline_at
    return and_(accepted, met if words == ["yes"] else ~met)


def _base(ctx: Context) -> AnySelect:
    giver, taker = aliased(User), aliased(User)
    named = select(Handover, giver.display_name, taker.display_name).where(visible(ctx))
    return named.outerjoin(giver, giver.username == Handover.given_by).outerjoin(
        taker, taker.username == Handover.accepted_by
    )


HANDOVERS = ListSpec(
    name="handovers",
    read=(READ,),
    base=_base,
    row=lambda row: view(row[0], row[1], row[2]),
    key=Handover.id,
    columns=columns_of(
        HandoverView,
        Handover,
        *("id", "site", "state", "given_by", "given_at", "accepted_by", "accepted_at", "line_count"),
        *("confirmed_count", "deadline_at", "escalated_at", "since_at", "taker"),
    ),
    filters=(
        Filter("site", N_("Site"), "choice", _site, _sites),
        Filter(
            "state",
            N_("State"),
            "choice",
            lambda _ctx, words, _now: Handover.state.in_(words),
            tuple(STATE_LABELS.items()),
        ),
        Filter("in_time", N_("In time"), "choice", _in_time, IN_TIME),
        moment("given_from", N_("Handed over since"), ge, Handover.given_at),
        *day_filters(Handover.given_at),
    ),
    order=(Handover.given_at.desc(), Handover.id.desc()),
)
