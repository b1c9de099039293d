"""The published figures of a month, counted by the database: no order and no inspection is loaded."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from console.core.context import Context
from console.domain.inspections.risk import LEVELS
from console.domain.reports.monthly import TOP_FLAGS, InspectionFigures, OrderFigures, rate_percent
from console.domain.work_orders.words import COMPLETED, OPEN_STATUSES, STATUSES
from console.models.inspections import Inspection
from console.models.work_orders import WorkOrder
from console.services.common.sql import seconds_between


def of_sites(ctx: Context, column: InstrumentedAttribute[str], site: str | None) -> ColumnElement[bool]:
    """Return the condition of a site, or of all that the caller may see."""
    if site is not None:
        return column == site
    return true() if ctx.actor.all_sites else column.in_(ctx.actor.site_scope)


def inspections(ctx: Context, start: datetime, end: datetime, site: str | None) -> InspectionFigures:
    """Count the inspections made from `start` until `end` (aware UTC, exclusive)."""
    mine = (
        of_sites(ctx, Inspection.site, site),
        Inspection.inspected_at >= start,
        Inspection.inspected_at < end,
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


def orders(ctx: Context, start: datetime, end: datetime, site: str | None) -> OrderFigures:
    """Count the orders received from `start` until `end` (aware UTC, exclusive), as they are now: one query."""
    now = ctx.now()
    spent = seconds_between(ctx, WorkOrder.created_at, WorkOrder.completed_at)
    timed = case((WorkOrder.completed_at >= WorkOrder.created_at, spent))
    late = (WorkOrder.status.in_(OPEN_STATUSES)) & (WorkOrder.due_at < now)
    rows = ctx.session.execute(
        select(
            WorkOrder.status,
            func.count(),
            func.sum(case((WorkOrder.is_escalated, 1), else_=0)),
            func.sum(case((late, 1), else_=0)),
            func.sum(timed),
            func.count(timed),
        )
        # All words of the status let the index of site, status and time serve the question.
        .where(*received(ctx, start, end, site))
        .group_by(WorkOrder.status)
    ).all()
    counts = {row[0]: row[1] for row in rows}
    total, number = sum(counts.values()), sum(row[5] for row in rows)
    seconds = sum(float(row[4] or 0) for row in rows)
    return OrderFigures(
        total=total,
        status_counts={word: counts.get(word, 0) for word in STATUSES},
        escalated_count=sum(row[2] for row in rows),
        overdue_open_count=sum(row[3] for row in rows),
        completion_rate_percent=rate_percent(counts.get(COMPLETED, 0), total),
        avg_resolution_hours=round(seconds / number / 3600, 2) if number else None,
    )


def received(ctx: Context, start: datetime, end: datetime, site: str | None) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the orders received in a period."""
    period: tuple[ColumnElement[Any], ...] = (WorkOrder.created_at >= start, WorkOrder.created_at < end)
    if site is None:
        return (of_sites(ctx, WorkOrder.site, site), *period)
    return (WorkOrder.site == site, WorkOrder.status.in_(STATUSES), *period)
