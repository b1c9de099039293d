"""What a month was at a site, for the paper of its council: counted by the database, a few rows read by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import CTE, Integer, Select, and_, bindparam, case, func, or_, select

from console.core.context import Context
from console.core.serialize import plain
from console.domain.inspections.risk import DANGER, WARNING
from console.domain.reports import council as rules
from console.domain.reports import monthly
from console.domain.reports.monthly import InspectionFigures, OrderFigures
from console.domain.reports.periods import Period
from console.domain.work_orders.waiting import Waited
from console.domain.work_orders.words import CANCELED, COMPLETED, OPEN_STATUSES, STATUSES, TRADES
from console.models.identity import User
from console.models.inspections import Inspection, InspectionTemplate
from console.models.types import UtcDateTime
from console.models.work_orders import WorkOrder, WorkOrderHold
from console.services.common.sql import rows_parameter, rows_value, seconds_between
from console.services.reports import month_counts
from console.services.work_orders import waiting
from console.services.work_orders.rows import OPEN

FAULTS, CANDIDATES = 5, 40
ROUNDS, OPEN_ROWS, NEXT_ROWS = 12, 20, 10
SAID = 200


def figures(ctx: Context, period: Period, site: str) -> dict[str, Any]:
    """Return the published figures of a month and those of the paper, as JSON knows them."""
    inspections = month_counts.inspections(ctx, period.start, period.end, site)
    orders = month_counts.orders(ctx, period.start, period.end, site)
    return {
        "inspections": plain(inspections),
        "work_orders": plain(orders),
        "figures": _figures(inspections, orders, _on_time(ctx, period, site)),
    }


def _figures(inspections: InspectionFigures, orders: OrderFigures, kept: Mapping[str, Any]) -> dict[str, Any]:
    counts = orders.status_counts
    return {
        "received": orders.total,
        "completed": counts[COMPLETED],
        "left_open": sum(counts[word] for word in OPEN_STATUSES),
        "canceled": counts[CANCELED],
        "completion_rate_percent": orders.completion_rate_percent if orders.total else None,
        "on_time": dict(kept),
        "inspections": inspections.total,
        "danger": inspections.risk_counts[DANGER],
        "warning": inspections.risk_counts[WARNING],
    }


def facts(ctx: Context, period: Period, site: str) -> dict[str, Any]:
    """Return all facts of a month; `previous` is left to the caller, photos too."""
    return {
        **figures(ctx, period, site),
        "trades": _trades(ctx, period, site),
        "days": _days(ctx, period, site),
        "rounds": _rounds(ctx, period, site),
        "faults": _faults(ctx, period, site),
        "open": _open(ctx, period, site),
        "next": _next(ctx, period, site),
    }


def _on_time(ctx: Context, period: Period, site: str) -> dict[str, Any]:
    """Count the due dates of the period, without those of canceled orders, and how many of them were kept."""
    done = WorkOrder.status == COMPLETED
    kept = and_(done, WorkOrder.completed_at <= WorkOrder.due_at)
    counted = or_(done, WorkOrder.due_at < ctx.now())
    row = ctx.session.execute(
        select(func.sum(case((kept, 1), else_=0)), func.sum(case((counted, 1), else_=0))).where(
            WorkOrder.site == site,
            WorkOrder.status.in_([word for word in STATUSES if word != CANCELED]),
            WorkOrder.due_at >= period.start,
            WorkOrder.due_at < period.end,
        )
    ).one()
    return rules.on_time(row[0] or 0, row[1] or 0)


def _trades(ctx: Context, period: Period, site: str) -> list[dict[str, Any]]:
    spent = case(
        (
            WorkOrder.completed_at >= WorkOrder.created_at,
            seconds_between(ctx, WorkOrder.created_at, WorkOrder.completed_at),
        )
    )
    opened = WorkOrder.status.in_(OPEN_STATUSES)
    rows = ctx.session.execute(
        select(
            WorkOrder.trade,
            func.count(),
            func.sum(case((WorkOrder.status == COMPLETED, 1), else_=0)),
            func.sum(case((opened, 1), else_=0)),
            func.sum(case((and_(opened, WorkOrder.due_at < ctx.now()), 1), else_=0)),
            func.avg(spent),
        )
        .where(*month_counts.received(ctx, period.start, period.end, site))
        .group_by(WorkOrder.trade)
    )
    found = {row[0]: row for row in rows}
    waited = waiting.of_completed(ctx, *month_counts.received(ctx, period.start, period.end, site), by=WorkOrder.trade)
    return [
        {
            "trade": trade,
            "received": found[trade][1],
            "completed": found[trade][2],
            "left_open": found[trade][3],
            "overdue_open": found[trade][4],
            "avg_hours": None if found[trade][5] is None else round(float(found[trade][5]) / 3600, 1),
            "waiting_percent": waited.get(trade, Waited()).percent,
        }
        for trade in TRADES
        if trade in found
    ]


def _days(ctx: Context, period: Period, site: str) -> list[dict[str, Any]]:
    """Count what was received and what was finished on each day of the site's calendar."""
    connection, dialect = ctx.session.connection(), ctx.session.get_bind().dialect.name
    pieces = list(period.pieces())
    given = [{"place": place, "start": start, "until": until} for place, (_day, start, until) in enumerate(pieces)]
    values = {"days": rows_value(dialect, given), "site": site}
    received, finished = (
        {row[0]: row[1] for row in connection.execute(statement, values)} for statement in _by_day(dialect)
    )
    return [
        {"day": day.isoformat(), "received": received.get(place, 0), "finished": finished.get(place, 0)}
        for place, (day, _start, _until) in enumerate(pieces)
    ]


def day_rows(dialect: str) -> CTE:
    """Return a table of periods, `place`, `start` and `until`, whose rows come with the parameter `days`."""
    return rows_parameter(dialect, "days", place=Integer(), start=UtcDateTime(), until=UtcDateTime())


@cache
def _by_day(dialect: str) -> tuple[Select[Any], Select[Any]]:
    site = WorkOrder.site == bindparam("site")
    day = day_rows(dialect)
    received = (
        select(day.c.place, func.count())
        .select_from(day)
        .join(WorkOrder, and_(WorkOrder.created_at >= day.c.start, WorkOrder.created_at < day.c.until))
        .where(site, WorkOrder.status.in_(STATUSES))
        .group_by(day.c.place)
    )
    finished = (
        select(day.c.place, func.count())
        .select_from(day)
        .join(WorkOrder, and_(WorkOrder.completed_at >= day.c.start, WorkOrder.completed_at < day.c.until))
        .where(site, WorkOrder.status == COMPLETED)
        .group_by(day.c.place)
    )
    return received, finished


def _rounds(ctx: Context, period: Period, site: str) -> list[dict[str, Any]]:
    name = func.coalesce(InspectionTemplate.name, Inspection.location)
    danger = func.sum(case((Inspection.risk_level == DANGER, 1), else_=0))
    warning = func.sum(case((Inspection.risk_level == WARNING, 1), else_=0))
    rows = ctx.session.execute(
        select(name, func.count(), danger, warning, func.max(Inspection.inspected_at))
        .outerjoin(InspectionTemplate, InspectionTemplate.id == Inspection.template_id)
        .where(Inspection.site == site, Inspection.inspected_at >= period.start, Inspection.inspected_at < period.end)
        .group_by(name)
        .order_by(danger.desc(), warning.desc(), func.count().desc(), name)
        .limit(ROUNDS)
    )
    names = ("name", "made", "danger", "warning", "last_at")
    return [plain(dict(zip(names, row, strict=True))) for row in rows]


def _faults(ctx: Context, period: Period, site: str) -> list[dict[str, Any]]:
    """Return the main failures that were mended in the period; those of one thing and trade are one line."""
    proven = case((and_(WorkOrder.evidence_before > 0, WorkOrder.evidence_after > 0), 0), else_=1)
    rows = ctx.session.execute(
        select(
            *(WorkOrder.id, WorkOrder.title, WorkOrder.trade, WorkOrder.location, WorkOrder.asset_id),
            *(WorkOrder.resolution_notes, WorkOrder.created_at, WorkOrder.completed_at),
        )
        .where(
            WorkOrder.site == site,
            WorkOrder.completed_at >= period.start,
            WorkOrder.completed_at < period.end,
            WorkOrder.status == COMPLETED,
        )
        .order_by(WorkOrder.priority_rank, proven, WorkOrder.completed_at.desc(), WorkOrder.id.desc())
        .limit(CANDIDATES)
    ).all()
    groups: dict[Any, list[Any]] = {}
    for row in rows:
        groups.setdefault((row.asset_id, row.trade) if row.asset_id else row.id, []).append(row)
    chosen = list(groups.values())[:FAULTS]
    again = _again(ctx, [group[0] for group in chosen if group[0].asset_id], period)
    return [
        {
            "ids": sorted(one.id for one in group),
            "title": group[0].title,
            "trade": group[0].trade,
            "location": group[0].location,
            "solution": group[0].resolution_notes[:SAID],
            "minutes": round(sum((one.completed_at - one.created_at).total_seconds() for one in group) / 60),
            "again": again.get((group[0].asset_id, group[0].trade), 0),
        }
        for group in chosen
    ]


def _again(ctx: Context, orders: Sequence[Any], period: Period) -> dict[tuple[int, str], int]:
    """Count the orders of the same thing and trade within the days before the end of the period."""
    if not orders:
        return {}
    rows = ctx.session.execute(
        select(WorkOrder.asset_id, WorkOrder.trade, func.count())
        .where(
            WorkOrder.asset_id.in_({one.asset_id for one in orders}),
            WorkOrder.created_at >= period.end - rules.RECURS_WITHIN,
            WorkOrder.created_at < period.end,
            WorkOrder.status != CANCELED,
        )
        .group_by(WorkOrder.asset_id, WorkOrder.trade)
    )
    return {(asset, trade): count for asset, trade, count in rows if asset is not None}


def _open(ctx: Context, period: Period, site: str) -> dict[str, Any]:
    """Return what was received before the end of the period and is not finished: how many, and the first of them."""
    mine = and_(WorkOrder.site == site, OPEN, WorkOrder.created_at < period.end)
    total, earlier = ctx.session.execute(
        select(func.count(), func.sum(case((WorkOrder.created_at < period.start, 1), else_=0))).where(mine)
    ).one()
    rows = ctx.session.execute(
        select(
            *(WorkOrder.id, WorkOrder.title, WorkOrder.status, WorkOrder.due_at, WorkOrder.waiting_reason),
            *(WorkOrder.waiting_until, WorkOrderHold.note.label("note")),
        )
        .outerjoin(WorkOrderHold, and_(WorkOrderHold.work_order_id == WorkOrder.id, WorkOrderHold.ended_at.is_(None)))
        .where(mine)
        .order_by(WorkOrder.due_at, WorkOrder.priority_rank, WorkOrder.id)
        .limit(OPEN_ROWS)
    )
    listed = [plain({**row, "note": (row["note"] or "")[:SAID]}) for row in rows.mappings()]
    return {"total": total, "earlier": earlier or 0, "rows": listed}


def _next(ctx: Context, period: Period, site: str) -> list[dict[str, Any]]:
    """Return what is known of the month that follows: what is due in it, and what is waited for until then."""
    start, end = period.end, monthly.following(period).end
    waits = and_(WorkOrder.waiting_until >= start, WorkOrder.waiting_until < end)
    due = and_(WorkOrder.due_at >= start, WorkOrder.due_at < end)
    on = case((waits, WorkOrder.waiting_until), else_=WorkOrder.due_at)
    rows = ctx.session.execute(
        select(
            *(on.label("on"), WorkOrder.id, WorkOrder.title, WorkOrder.assignee, WorkOrder.waiting_reason),
            User.display_name.label("assignee_name"),
        )
        .outerjoin(User, User.username == WorkOrder.assignee)
        .where(WorkOrder.site == site, OPEN, or_(waits, due))
        .order_by(on, WorkOrder.id)
        .limit(NEXT_ROWS)
    )
    return [plain(dict(row)) for row in rows.mappings()]


def by_month(ctx: Context, periods: Sequence[Period], site: str) -> dict[str, tuple[int, int, int]]:
    """Count orders received, those of them that are done, and inspections, for several months at once: two queries."""
    dialect = ctx.session.get_bind().dialect.name
    given = [{"place": place, "start": one.start, "until": one.end} for place, one in enumerate(periods)]
    value = {"days": rows_value(dialect, given), "site": site}
    orders = {row[0]: (row[1], row[2]) for row in ctx.session.execute(_orders_by_month(dialect), value)}
    made = {row[0]: row[1] for row in ctx.session.execute(_inspections_by_month(dialect), value)}
    return {one.label: (*orders.get(place, (0, 0)), made.get(place, 0)) for place, one in enumerate(periods)}


@cache
def _orders_by_month(dialect: str) -> Select[Any]:
    month = day_rows(dialect)
    return (
        select(month.c.place, func.count(), func.sum(case((WorkOrder.status == COMPLETED, 1), else_=0)))
        .select_from(month)
        .join(WorkOrder, and_(WorkOrder.created_at >= month.c.start, WorkOrder.created_at < month.c.until))
        .where(WorkOrder.site == bindparam("site"), WorkOrder.status.in_(STATUSES))
        .group_by(month.c.place)
    )


@cache
def _inspections_by_month(dialect: str) -> Select[Any]:
    month = day_rows(dialect)
    return (
        select(month.c.place, func.count())
        .select_from(month)
        .join(Inspection, and_(Inspection.inspected_at >= month.c.start, Inspection.inspected_at < month.c.until))
        .where(Inspection.site == bindparam("site"))
        .group_by(month.c.place)
    )
