"""What a replay reads: events, passes and policies as they were recorded, for a period and the sites of a caller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, literal, not_, or_, select, true

from console.core.context import Context
from console.domain.facility_sla.policy import DEFAULT, MANUAL, from_values
from console.domain.facility_sla.replay import BY_PERSON, BY_POLICY, KEEPS, Pass, Start, Step, Timeline
from console.domain.work_orders.words import ACKED, CLOSED_STATUSES, OPEN, OPEN_STATUSES
from console.models.policies import PolicyRevision
from console.models.work_orders import SlaPass, WorkOrder, WorkOrderEvent, WorkOrderHold
from console.services.facility_sla.policies import OF_SITE, site_of

# Kinds of events that move more than the status.
_MOVING = ("created", "updated", "hold_started", "hold_ended")


@dataclass(frozen=True)
class History:
    """A recorded period: where each order stood when it began, what happened, when the escalation passed.

    `escalated` are the recorded escalations: order and instant; `events` counts all that was recorded: both of the
    caller's sites. Instants are aware UTC.
    """

    starts: tuple[Start, ...]
    steps: tuple[Step, ...]
    passes: tuple[Pass, ...]
    escalated: tuple[tuple[int, datetime], ...]
    policies: Timeline
    events: int


def of_period(ctx: Context, start: datetime, end: datetime) -> History:
    """Return what was recorded from `start` until before `end`: six queries.

    Orders of all sites take part: a pass ends at its limit, whoever it went over. What the caller may see of the fates
    is the caller's business.
    """
    return History(
        starts=_starts(ctx, start),
        steps=_steps(ctx, start, end),
        passes=_passes(ctx, start, end),
        escalated=_escalated(ctx, start, end),
        policies=timeline(ctx),
        events=_count(ctx, start, end),
    )


def timeline(ctx: Context) -> Timeline:
    """Return all changes of SLA policies."""
    rows = ctx.session.execute(
        select(PolicyRevision.policy_key, PolicyRevision.at, PolicyRevision.policy_json)
        .where(or_(PolicyRevision.policy_key == DEFAULT, PolicyRevision.policy_key.startswith(OF_SITE)))
        .order_by(PolicyRevision.at, PolicyRevision.id)
    )
    return Timeline((site_of(key), at, from_values(stored) if stored else None) for key, at, stored in rows)


def _visible(ctx: Context) -> ColumnElement[bool]:
    return true() if ctx.actor.all_sites else WorkOrder.site.in_(ctx.actor.site_scope)


def _steps(ctx: Context, start: datetime, end: datetime) -> tuple[Step, ...]:
    """Return the events that move an order's state; the others, such as comments, leave a replay as it is."""
    event = WorkOrderEvent
    created = event.event_type == "created"
    reopened = and_(event.to_status == OPEN, event.from_status.in_(CLOSED_STATUSES))
    # Asked of the database: reading the details of a year here would cost more than walking it.
    by_person = event.detail_json["due_source"].as_string() == MANUAL
    moved = and_(event.event_type == "updated", event.detail_json["due_at"].as_string().is_not(None))
    due = case((reopened, BY_POLICY), (and_(created, by_person), BY_PERSON), (created, BY_POLICY), (moved, BY_PERSON))
    begins = case((or_(created, reopened), true()), else_=false())
    begun = and_(event.from_status == OPEN, event.to_status == ACKED)
    steps = or_(event.event_type.in_(_MOVING), and_(event.event_type == "status_changed", not_(begun)))
    columns = (
        *(event.work_order_id, WorkOrder.site, event.created_at, func.coalesce(event.to_status, OPEN)),
        *(event.priority, event.due_at, event.waiting_reason.is_not(None), func.coalesce(due, KEEPS)),
        *(begins, event.event_type == "hold_started"),
    )
    rows = ctx.session.execute(_within(select(*columns), start, end).where(steps))
    return tuple(map(Step._make, rows))


def _within(columns: Any, start: datetime, end: datetime) -> Any:
    event = WorkOrderEvent
    joined = columns.join(WorkOrder, WorkOrder.id == event.work_order_id)
    return joined.where(event.created_at >= start, event.created_at < end).order_by(event.created_at, event.id)


def _escalated(ctx: Context, start: datetime, end: datetime) -> tuple[tuple[int, datetime], ...]:
    event = WorkOrderEvent
    found = _within(select(event.work_order_id, event.created_at), start, end)
    rows = ctx.session.execute(found.where(event.event_type == "escalated", _visible(ctx)))
    return tuple((order_id, at) for order_id, at in rows)


def _count(ctx: Context, start: datetime, end: datetime) -> int:
    counted = _within(select(func.count()).select_from(WorkOrderEvent), start, end)
    number: int | None = ctx.session.scalar(counted.where(_visible(ctx)).order_by(None))
    return number or 0


def _starts(ctx: Context, start: datetime) -> tuple[Start, ...]:
    """Return the orders that were open at `start`, from the newest event of each before it."""
    event = WorkOrderEvent
    newest = (
        select(
            event.id,
            event.work_order_id,
            func.row_number()
            .over(partition_by=event.work_order_id, order_by=(event.created_at.desc(), event.id.desc()))
            .label("place"),
        )
        .where(event.created_at < start)
        .subquery()
    )
    since = (
        select(func.max(WorkOrderHold.started_at))
        .where(WorkOrderHold.work_order_id == event.work_order_id, WorkOrderHold.started_at < start)
        .scalar_subquery()
    )
    rows = ctx.session.execute(
        select(
            *(event.work_order_id, WorkOrder.site, event.to_status, event.priority, event.due_at),
            *(event.waiting_reason, event.is_escalated),
            case((event.waiting_reason.is_not(None), since), else_=literal(None, event.created_at.type)).label("since"),
        )
        .join(newest, newest.c.id == event.id)
        .join(WorkOrder, WorkOrder.id == event.work_order_id)
        .where(newest.c.place == 1, event.to_status.in_(OPEN_STATUSES))
        .order_by(event.work_order_id)
    )
    return tuple(
        Start(
            order_id=row.work_order_id,
            site=row.site,
            status=row.to_status,
            priority=row.priority,
            due_at=row.due_at,
            waiting_since=row.since if row.waiting_reason is not None else None,
            escalated=row.is_escalated,
        )
        for row in rows
    )


def _passes(ctx: Context, start: datetime, end: datetime) -> tuple[Pass, ...]:
    # Columns and not rows: a year has thirty-five thousand passes.
    rows = ctx.session.execute(
        select(SlaPass.at, SlaPass.site, SlaPass.sites, SlaPass.row_limit)
        .where(SlaPass.at >= start, SlaPass.at < end)
        .order_by(SlaPass.at, SlaPass.id)
    )
    return tuple(Pass(at, _sites(site, sites), limit) for at, site, sites, limit in rows)


def _sites(site: str | None, sites: list[str] | None) -> frozenset[str] | None:
    """Return the sites that a pass looked at; the one that it was asked for lies within those of its caller."""
    if site is not None:
        return frozenset((site,))
    return None if sites is None else frozenset(sites)
