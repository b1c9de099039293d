"""The published figures of a month, counted by the database: no order and no inspection is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from console.core.context import Context
from console.domain.inspections.risk import LEVELS
from console.domain.reports.monthly import TOP_FLAGS, InspectionFigures, OrderFigures, rate_percent
from console.domain.work_orders.waiting import Waited
from console.domain.work_orders.words import COMPLETED, OPEN_STATUSES, STATUSES
from console.models.inspections import Inspection
from console.models.work_orders import WorkOrder, WorkOrderEvent, WorkOrderHold
from console.services.common.sql import seconds_between
from console.services.work_orders import waiting

STATUS_CHANGED = "status_changed"
Counted = Select[*tuple[Any, ...]]


def of_sites(ctx: Context, column: InstrumentedAttribute[str], site: str | None) -> ColumnElement[bool]:
    """Return the condition of a site, or of all that the caller may see."""
    if site is not None:
        return column == site
    return true() if ctx.actor.all_sites else column.in_(ctx.actor.site_scope)


def inspections(
    ctx: Context, start: datetime, end: datetime, site: str | None, as_of: datetime | None = None
) -> InspectionFigures:
    """Count the inspections made from `start` until `end` (aware UTC, exclusive), of those known at `as_of`."""
    mine = (
        of_sites(ctx, Inspection.site, site),
        Inspection.inspected_at >= start,
        Inspection.inspected_at < end,
        *(() if as_of is None else (Inspection.created_at <= as_of,)),
    )
    rows = ctx.session.execute(select(Inspection.risk_level, func.count()).where(*mine).group_by(Inspection.risk_level))
    levels = {row[0]: row[1] for row in rows}
    if ctx.session.get_bind().dialect.name == "postgresql":
        flags = func.jsonb_array_elements_text(Inspection.risk_flags).table_valued("value", name="flags")
    else:
        flags = func.json_each(Inspection.risk_flags).table_valued("value", name="flags")
    count = func.count()
    found = ctx.session.execute(
        select(flags.c.value, count)
        .select_from(Inspection)
        .join(flags, true())
        .where(*mine, Inspection.risk_level != LEVELS[0])
        .group_by(flags.c.value)
        .order_by(count.desc(), flags.c.value)
        .limit(TOP_FLAGS)
    )
    counts = {level: levels.get(level, 0) for level in LEVELS}
    return InspectionFigures(sum(levels.values()), counts, {row[0]: row[1] for row in found})


def orders(
    ctx: Context, start: datetime, end: datetime, site: str | None, as_of: datetime | None = None
) -> OrderFigures:
    """Count the orders received from `start` until `end` (aware UTC, exclusive): one query.

    They are as they are now, or as they were at `as_of`, which their histories tell.
    """
    mine = received(ctx, start, end, site)
    status, escalated, due, done, source = _now(mine) if as_of is None else _then(mine, as_of)
    spent = seconds_between(ctx, source.created_at, done)
    timed = case((done >= source.created_at, spent))
    late = status.in_(OPEN_STATUSES) & (due < (as_of or ctx.now()))
    held = source.narrow(select(waiting.seconds_until(ctx, done))).correlate(None)
    held = held.where(WorkOrderHold.work_order_id == source.order_id, done >= source.created_at)
    counted: Counted = select(
        status,
        func.count(),
        func.sum(case((escalated, 1), else_=0)),
        func.sum(case((late, 1), else_=0)),
        func.sum(timed),
        func.count(timed),
        held.scalar_subquery(),
    )
    rows = ctx.session.execute(source.narrow(counted).group_by(status)).all()
    counts = {row[0]: row[1] for row in rows}
    total, number = sum(counts.values()), sum(row[5] for row in rows)
    seconds = sum(float(row[4] or 0) for row in rows)
    waited = float(rows[0][6] or 0) if rows else 0.0
    return OrderFigures(
        total=total,
        status_counts={word: counts.get(word, 0) for word in STATUSES},
        escalated_count=sum(row[2] for row in rows),
        overdue_open_count=sum(row[3] for row in rows),
        completion_rate_percent=rate_percent(counts.get(COMPLETED, 0), total),
        avg_resolution_hours=round(seconds / number / 3600, 2) if number else None,
        waiting_share_percent=Waited(timedelta(seconds=seconds), timedelta(seconds=waited)).percent,
    )


@dataclass(frozen=True)
class _Source:
    """Where the state of orders is read: when each was received, and how a SELECT is narrowed to them."""

    order_id: Any
    created_at: Any
    narrow: Callable[[Counted], Counted]


_State = tuple[Any, Any, Any, Any, _Source]


def _now(mine: tuple[ColumnElement[bool], ...]) -> _State:
    source = _Source(WorkOrder.id, WorkOrder.created_at, lambda counted: counted.where(*mine))
    return WorkOrder.status, WorkOrder.is_escalated, WorkOrder.due_at, WorkOrder.completed_at, source


def _then(mine: tuple[ColumnElement[bool], ...], at: datetime) -> _State:
    """Return the state after the last event of each order up to an instant; completed is when it was so last."""
    event = WorkOrderEvent
    became_done = and_(event.event_type == STATUS_CHANGED, event.to_status == COMPLETED)
    last = (
        select(
            WorkOrder.id.label("order_id"),
            WorkOrder.created_at,
            func.max(event.id).label("event_id"),
            func.max(case((became_done, event.created_at))).label("done_at"),
        )
        .join(event, event.work_order_id == WorkOrder.id)
        .where(*mine, WorkOrder.created_at <= at, event.created_at <= at)
        .group_by(WorkOrder.id, WorkOrder.created_at)
        .subquery()
    )
    done = case((event.to_status == COMPLETED, last.c.done_at))
    source = _Source(
        last.c.order_id,
        last.c.created_at,
        lambda counted: counted.select_from(last).join(event, event.id == last.c.event_id),
    )
    return event.to_status, event.is_escalated, event.due_at, done, source


def received(ctx: Context, start: datetime, end: datetime, site: str | None) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the orders received in a period.

    All words of the status let the index of site, status and time serve the question.
    """
    period: tuple[ColumnElement[Any], ...] = (WorkOrder.created_at >= start, WorkOrder.created_at < end)
    if site is None:
        return (of_sites(ctx, WorkOrder.site, site), *period)
    return (WorkOrder.site == site, WorkOrder.status.in_(STATUSES), *period)
