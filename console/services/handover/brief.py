"""The handover brief: what is open, late and dangerous, counted and ranked by the database (API contract, 6)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, select, true

from console.core.context import Context
from console.domain.alerts.alerts import DEAD, FAILED, WARNING
from console.domain.handover import urgency as rules
from console.domain.handover.requests import BriefAsked
from console.domain.inspections.risk import DANGER
from console.domain.inspections.risk import WARNING as CAUTION
from console.domain.text import Text
from console.models.alerts import AlertDelivery
from console.models.inspections import Inspection
from console.models.work_orders import WorkOrder
from console.services.inspections import rows as inspections
from console.services.work_orders import rows as orders

# Who may read it over the API; the pages ask for what its rows ask for.
READ = ("admins:manage", "reports:read")
EXPORT = ("admins:manage", "reports:export")
_ANY = (*READ, EXPORT[1], orders.READ)
DAY = timedelta(hours=24)
_ORDER = ("id", "site", "location", "title", "priority", "status", "assignee", "due_at", "created_at", "is_escalated")
INSPECTION_FIELDS = ("id", "site", "location", "inspector", "risk_level", "inspected_at", "risk_flags")


@dataclass(frozen=True)
class TopOrder:
    """An open work order with its urgency; instants are aware UTC, `due_in_minutes` is negative when overdue."""

    id: int
    site: str
    location: str
    title: str
    priority: str
    status: str
    assignee: str | None
    due_at: datetime | None
    created_at: datetime
    is_escalated: bool
    is_overdue: bool
    due_in_minutes: int | None
    urgency_score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class RiskyInspection:
    """An inspection with danger or caution; `inspected_at` is aware UTC."""

    id: int
    site: str
    location: str
    inspector: str
    risk_level: str
    inspected_at: datetime
    risk_flags: tuple[str, ...]


@dataclass(frozen=True)
class Brief:
    """What a shift hands over, as of `generated_at` (aware UTC), within the caller's sites."""

    generated_at: datetime
    site: str | None
    window_hours: int
    due_soon_hours: int
    open_work_orders: int
    overdue_open_work_orders: int
    due_soon_work_orders: int
    escalated_open_work_orders: int
    unassigned_high_priority_open_work_orders: int
    new_work_orders_in_window: int
    high_risk_inspections_in_window: int
    failed_alert_deliveries_24h: int
    top_work_orders: tuple[TopOrder, ...]
    recent_high_risk_inspections: tuple[RiskyInspection, ...]
    recommended_actions: tuple[Text, ...]


COUNTERS = tuple(one.name for one in fields(Brief))[4:12]


def brief(ctx: Context, asked: BriefAsked) -> Brief:
    """Return the brief: three queries. Raises PermissionDenied, and SiteDenied for a site outside the scope."""
    ctx.actor.require(*_ANY)
    ctx.actor.require_site(asked.site)
    now = ctx.now()
    counts = dict.fromkeys(COUNTERS, 0)
    top: tuple[TopOrder, ...] = ()
    risky: tuple[RiskyInspection, ...] = ()
    actions: tuple[Text, ...] = (Text(rules.NO_SITE),)
    if ctx.actor.all_sites or ctx.actor.site_scope:
        counts = dict(zip(COUNTERS, ctx.session.execute(select(*_counted(ctx, asked, now))).one(), strict=True))
        top = tuple(_top(row, asked, now) for row in ctx.session.execute(_urgent(ctx, asked, now)))
        risky = tuple(_found(row) for row in ctx.session.execute(_risky(ctx, asked, now)))
        actions = rules.recommended(counts)
    return Brief(
        generated_at=now,
        site=asked.site,
        window_hours=asked.window_hours,
        due_soon_hours=asked.due_soon_hours,
        top_work_orders=top,
        recent_high_risk_inspections=risky,
        recommended_actions=actions,
        **counts,
    )


def _counted(ctx: Context, asked: BriefAsked, now: datetime) -> list[ColumnElement[Any]]:
    due, soon = WorkOrder.due_at, now + timedelta(hours=asked.due_soon_hours)
    opened = select(func.count()).select_from(WorkOrder).where(orders.OPEN, _of_orders(ctx, asked))
    since = now - timedelta(hours=asked.window_hours)
    risky = select(func.count()).select_from(Inspection).where(*_in_danger(ctx, asked, since))
    failed = (
        select(func.count())
        .select_from(AlertDelivery)
        .where(
            AlertDelivery.last_attempt_at >= now - DAY,
            # What was given up is failed for good.
            AlertDelivery.status.in_((FAILED, WARNING, DEAD)),
            _of_alerts(ctx, asked),
        )
    )
    wanted = (
        opened,
        opened.where(due < now),
        opened.where(due >= now, due <= soon),
        opened.where(WorkOrder.is_escalated),
        opened.where(WorkOrder.priority.in_(rules.HIGH), WorkOrder.assignee.is_(None)),
        opened.where(WorkOrder.created_at >= since),
        risky,
        failed,
    )
    return [one.scalar_subquery() for one in wanted]


def _of_orders(ctx: Context, asked: BriefAsked) -> ColumnElement[bool]:
    return orders.visible(ctx.actor) if asked.site is None else WorkOrder.site == asked.site


def _in_danger(ctx: Context, asked: BriefAsked, since: datetime) -> tuple[ColumnElement[bool], ...]:
    seen = inspections.visible(ctx.actor) if asked.site is None else Inspection.site == asked.site
    return Inspection.risk_level.in_((DANGER, CAUTION)), Inspection.inspected_at >= since, seen


def _of_alerts(ctx: Context, asked: BriefAsked) -> ColumnElement[bool]:
    named = AlertDelivery.payload_json["site"].as_string()
    if asked.site is not None:
        return named == asked.site
    return true() if ctx.actor.all_sites else named.in_(ctx.actor.site_scope)


def _urgent(ctx: Context, asked: BriefAsked, now: datetime) -> Any:
    """Rank by the points of the domain, so that only what is shown leaves the database."""
    due, high = WorkOrder.due_at, WorkOrder.priority.in_(rules.HIGH)
    points = (
        case(rules.PRIORITY_POINTS, value=WorkOrder.priority, else_=rules.OTHER_PRIORITY),
        case((due < now, rules.OVERDUE), (due <= now + timedelta(hours=asked.due_soon_hours), rules.DUE_SOON), else_=0),
        case((WorkOrder.is_escalated, rules.ESCALATED), else_=0),
        case((and_(high, WorkOrder.assignee.is_(None)), rules.NOBODY), else_=0),
        case(*((WorkOrder.created_at <= now - age, one) for age, one, _word in rules.AGES), else_=0),
    )
    return (
        select(*(getattr(WorkOrder, name) for name in _ORDER))
        .where(orders.OPEN, _of_orders(ctx, asked))
        .order_by(sum(points[1:], points[0]).desc(), due.asc(), WorkOrder.created_at.asc(), WorkOrder.id.asc())
        .limit(asked.max_items)
    )


def _top(row: Row[Any], asked: BriefAsked, now: datetime) -> TopOrder:
    judged = rules.urgency(
        priority=row.priority,
        due_at=row.due_at,
        created_at=row.created_at,
        is_escalated=row.is_escalated,
        assigned=row.assignee is not None,
        now=now,
        soon=timedelta(hours=asked.due_soon_hours),
    )
    return TopOrder(
        **row._asdict(),
        is_overdue=row.due_at is not None and row.due_at < now,
        due_in_minutes=rules.minutes_left(row.due_at, now),
        urgency_score=judged.score,
        reasons=judged.reasons,
    )


def _found(row: Row[Any]) -> RiskyInspection:
    values = row._asdict()
    return RiskyInspection(**{**values, "risk_flags": tuple(values["risk_flags"])})


def _risky(ctx: Context, asked: BriefAsked, now: datetime) -> Any:
    since = now - timedelta(hours=asked.window_hours)
    worst = case((Inspection.risk_level == DANGER, 0), else_=1)
    return (
        select(*(getattr(Inspection, name) for name in INSPECTION_FIELDS))
        .where(*_in_danger(ctx, asked, since))
        .order_by(worst, Inspection.inspected_at.desc(), Inspection.id.desc())
        .limit(asked.max_items)
    )
