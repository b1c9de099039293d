"""The figures of work orders: what pages count, and the list that has the rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from console.core.context import Context
from console.domain.text import N_
from console.models.work_orders import WorkOrder
from console.services.common.figures import Figure, Given
from console.services.work_orders import counts, rows
from console.services.work_orders.rows import READ

_LIST = "work_orders.page"


def _of(name: str) -> Callable[[Context, str | None, Given], int]:
    return lambda ctx, site, _given: int(getattr(counts.figures(ctx, site), name))


def _among_open(condition: Callable[[datetime, Given], ColumnElement[bool]]) -> Callable[..., int]:
    def count(ctx: Context, site: str | None, given: Given) -> int:
        mine = select(func.count()).select_from(WorkOrder).where(rows.OPEN, condition(ctx.now(), given))
        seen = rows.visible(ctx.actor) if site is None else WorkOrder.site == site
        return ctx.session.scalar(mine.where(seen)) or 0

    return count


OPEN = Figure(
    "orders_open", N_("Open work orders"), N_("Received or in progress, whenever they were made"), _LIST, _of("open"),
    (READ,),
)  # fmt: skip
LATE = Figure(
    "orders_late", N_("Late work orders"), N_("Open and past the due time now"), _LIST, _of("late"), (READ,),
    {"due": "late"}, "late",
)  # fmt: skip
SOON = Figure(
    "orders_6h",
    N_("Due within 6 h"),
    N_("Open and due within the next six hours"),
    _LIST,
    _among_open(lambda now, _given: WorkOrder.due_at.between(now, now + timedelta(hours=6))),
    (READ,),
    {"due": "6h"},
    "soon",
)
NEW = Figure(
    "orders_new",
    N_("New work orders"),
    N_("Made since the last accepted handover and still open"),
    _LIST,
    _among_open(lambda _now, given: WorkOrder.created_at >= datetime.fromisoformat(given["since"])),
    (READ,),
    {"created_from": "{since}"},
)
TODAY = Figure(
    "orders_today", N_("Work orders due today"), N_("Open and due today, in the zone of the installation"), _LIST,
    _of("today"), (READ,), {"due": "today"},
)  # fmt: skip
DAY = Figure(
    "orders_24h", N_("Work orders due within 24 h"), N_("Open and due within the next 24 hours"), _LIST, _of("soon"),
    (READ,), {"due": "24h"}, "soon",
)  # fmt: skip
UNASSIGNED = Figure(
    "orders_unassigned", N_("Unassigned work orders"), N_("Open and nobody's"), _LIST, _of("unassigned"), (READ,),
    {"assignee": "none"},
)  # fmt: skip
WAITING = Figure(
    "orders_waiting", N_("Waiting work orders"), N_("In progress, and waiting for somebody or something"), _LIST,
    _of("waiting"), (READ,), {"held": "1"},
)  # fmt: skip
FOUND = Figure(
    "orders_found", N_("Work orders from inspections"), N_("Open, and made from what an inspection found"), _LIST,
    _of("from_inspection"), (READ,), {"source": "inspection"},
)  # fmt: skip
ESCALATED = Figure(
    "orders_escalated", N_("Escalated work orders"), N_("Open and escalated"), _LIST, _of("escalated"), (READ,),
    {"escalated": "1"}, "late",
)  # fmt: skip
DONE = Figure(
    "orders_done", N_("Work orders of this week"), N_("Completed since Monday, in the zone of the installation"), _LIST,
    _of("done_this_week"), (READ,), {"state": "closed", "week": "1"},
)  # fmt: skip
FIGURES = (OPEN, LATE, SOON, NEW, TODAY, DAY, UNASSIGNED, WAITING, FOUND, ESCALATED, DONE)
