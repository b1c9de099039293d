"""The figures of the open orders: what the status line and the tabs of the list say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from console.core.context import Context
from console.core.revisions import ALWAYS
from console.domain.days import day_of, midnight, monday_of
from console.models.work_orders import WorkOrder
from console.services.common.query_cache import cached_query_until
from console.services.work_orders import rows
from console.services.work_orders.rows import READ


@dataclass(frozen=True)
class Figures:
    """How many orders are open, and of them late, due today and within 24 hours, without assignee, waiting and so on.

    `done_this_week` counts the completed ones since Monday in the zone of the installation; `late_waiting` and
    `soon_waiting` are those among the late and the coming ones that wait for others.
    """

    open: int
    late: int
    today: int
    soon: int
    unassigned: int
    waiting: int
    from_inspection: int
    escalated: int
    done_this_week: int
    late_waiting: int = 0
    soon_waiting: int = 0


def late(ctx: Context, now: datetime, site: str | None = None) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return how many orders that the caller may see are late (at one site), and when (UTC) the next one will be.

    Both as parts of another statement.
    """
    seen = [rows.visible(ctx.actor)] + ([] if site is None else [WorkOrder.site == site])
    past = select(func.count()).select_from(WorkOrder).where(rows.overdue(now), *seen)
    coming = select(func.min(WorkOrder.due_at)).where(rows.OPEN, WorkOrder.due_at >= now, *seen)
    return past.scalar_subquery(), coming.scalar_subquery()


def figures(ctx: Context, site: str | None = None) -> Figures:
    """Return the figures of the orders that the caller may see, at one site or all: two queries, or none at all.

    They are remembered until an order changes or the next one becomes late, due soon or due today.
    """
    ctx.actor.require(READ)
    ctx.actor.require_site(site)
    now = ctx.now()

    def look() -> tuple[Figures, datetime]:
        start, end = day_of(now, ctx.zone)
        soon = now + timedelta(hours=24)
        seen = [rows.visible(ctx.actor)] + ([] if site is None else [WorkOrder.site == site])
        due = WorkOrder.due_at
        among = (
            (due < now),
            and_(due >= start, due < end),
            and_(due >= now, due <= soon),
            WorkOrder.assignee.is_(None),
            WorkOrder.waiting_reason.is_not(None),
            WorkOrder.source == "inspection",
            WorkOrder.is_escalated,
            and_(due < now, WorkOrder.waiting_reason.is_not(None)),
            and_(due >= now, due <= soon, WorkOrder.waiting_reason.is_not(None)),
        )
        counted = [func.count(), *(func.count().filter(condition) for condition in among)]
        numbers = ctx.session.execute(select(*counted).select_from(WorkOrder).where(rows.OPEN, *seen)).one()
        week = midnight(monday_of(now, ctx.zone), ctx.zone)
        done = select(func.count()).select_from(WorkOrder).where(WorkOrder.completed_at >= week, *seen)
        coming = select(func.min(due)).where(rows.OPEN)
        steps = (coming.where(due >= now), coming.where(due > soon), done)
        asked = select(*(step.scalar_subquery() for step in steps))
        late_next, soon_next, completed = ctx.session.execute(asked).one()
        entering = soon_next - timedelta(hours=24, microseconds=1) if soon_next else ALWAYS
        until = min(late_next or ALWAYS, entering, end - timedelta(microseconds=1))
        *found, late_waits, soon_waits = numbers
        values: list[int] = [*found, completed or 0, late_waits, soon_waits]
        return Figures(*values), until

    return cached_query_until(ctx, ("work_orders_figures", ctx.actor.site_scope, site), now, look)
