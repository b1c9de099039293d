"""What a replay reads: events, passes and policies as they were recorded, for a period and the sites of a caller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, null, or_, select, true

from console.core.context import Context
from console.domain.facility_sla.policy import DEFAULT, MANUAL, from_values
from console.domain.facility_sla.replay import BY_PERSON, BY_POLICY, KEEPS, Pass, Start, Step, Timeline
from console.domain.work_orders.words import OPEN, OPEN_STATUSES
from console.models.policies import PolicyRevision
from console.models.work_orders import SlaPass, WorkOrder, WorkOrderEvent, WorkOrderHold
from console.services.facility_sla.policies import OF_SITE, site_of

_CLOSED = ("completed", "canceled")


@dataclass(frozen=True)
class History:
    """A recorded period: where each order stood when it began, what happened, when the escalation passed.

    `escalated` are the recorded escalations: order and instant. Instants are aware UTC.
    """

    starts: tuple[Start, ...]
    steps: tuple[Step, ...]
    passes: tuple[Pass, ...]
    escalated: tuple[tuple[int, datetime], ...]
    policies: Timeline


def of_period(ctx: Context, start: datetime, end: datetime) -> History:
    """Return what was recorded at the caller's sites from `start` until before `end`: five queries."""
    steps, escalated = _steps(ctx, start, end)
    return History(_starts(ctx, start), steps, _passes(ctx, start, end), escalated, timeline(ctx))


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


def _steps(ctx: Context, start: datetime, end: datetime) -> tuple[tuple[Step, ...], tuple[tuple[int, datetime], ...]]:
    event = WorkOrderEvent
    told = case((event.event_type.in_(("created", "updated")), event.detail_json), else_=null())
    columns = (
        *(event.work_order_id, WorkOrder.site, event.created_at, event.event_type, event.from_status),
        *(event.to_status, event.priority, event.due_at, event.waiting_reason, told.label("told")),
    )
    rows = ctx.session.execute(
        select(*columns)
        .join(WorkOrder, WorkOrder.id == event.work_order_id)
        .where(event.created_at >= start, event.created_at < end, _visible(ctx))
        .order_by(event.created_at, event.id)
    )
    steps, escalated = [], []
    for order_id, site, at, kind, *state in rows:
        if kind == "escalated":
            escalated.append((order_id, at))
        else:
            steps.append(_step(order_id, site, at, kind, *state))
    return tuple(steps), tuple(escalated)


def _step(
    order_id: int,
    site: str,
    at: datetime,
    kind: str,
    before: str | None,
    after: str | None,
    priority: str,
    due_at: datetime,
    waiting: str | None,
    told: dict[str, Any] | None,
) -> Step:
    created, reopened = kind == "created", after == OPEN and before in _CLOSED
    due = KEEPS
    if reopened or (created and (told or {}).get("due_source") != MANUAL):
        due = BY_POLICY
    elif created or "due_at" in (told or {}):
        due = BY_PERSON
    waits, begins = waiting is not None, created or reopened
    return Step(order_id, site, at, after or OPEN, priority, due_at, waits, due, begins, kind == "hold_started")


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
        .where(newest.c.place == 1, event.to_status.in_(OPEN_STATUSES), _visible(ctx))
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
