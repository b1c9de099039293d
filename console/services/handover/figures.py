"""The figures of handovers of the last 30 days, and of those that wait."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from console.core.context import Context
from console.core.serialize import iso
from console.domain.handover import lines as rules
from console.domain.text import N_
from console.models.handover import Handover
from console.services.common.figures import Figure, Given
from console.services.handover.shifts import PAST, READ, past, visible

_LIST = "handover.listing"
_ACCEPTED = {"state": "accepted", "given_from": "{from}"}


def given(now: datetime) -> dict[str, str]:
    """Return what the figures of the last 30 days are asked with at `now` (UTC)."""
    return {"from": iso(now - PAST)}


def _waiting(ctx: Context, site: str | None, _given: Given) -> int:
    mine: ColumnElement[bool] = Handover.state == rules.GIVEN
    return ctx.session.scalar(select(func.count()).select_from(Handover).where(mine, visible(ctx, site))) or 0


WAITING = Figure(
    "handovers_waiting", N_("Handovers to accept"), N_("Handed over, and nobody has accepted them yet"), _LIST,
    _waiting, (READ,), {"state": "given"},
)  # fmt: skip
ACCEPTED = Figure(
    "handovers_accepted",
    N_("Handovers of 30 days"),
    N_("Handed over within the last 30 days and accepted"),
    _LIST,
    lambda ctx, site, _given: past(ctx, site).accepted,
    (READ,),
    _ACCEPTED,
)
IN_TIME = Figure(
    "handovers_in_time",
    N_("Confirmed in time"),
    N_("Of those of the last 30 days: accepted before the deadline"),
    _LIST,
    lambda ctx, site, _given: past(ctx, site).in_time,
    (READ,),
    {**_ACCEPTED, "in_time": "yes"},
)
TOO_LATE = Figure(
    "handovers_late",
    N_("Confirmed late"),
    N_("Of those of the last 30 days: accepted after the deadline"),
    _LIST,
    lambda ctx, site, _given: past(ctx, site).late,
    (READ,),
    {**_ACCEPTED, "in_time": "no"},
)
FIGURES = (WAITING, ACCEPTED, IN_TIME, TOO_LATE)
