"""The SLA clock of an order with the policy that it runs by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from console.core.context import Context
from console.domain.facility_sla.clock import Clock, Lived, drawn
from console.domain.facility_sla.policy import InForce, due_after
from console.models.policies import PolicyRevision
from console.models.work_orders import WorkOrderEvent
from console.services.facility_sla.policies import in_force
from console.services.work_orders.holds import HoldView
from console.services.work_orders.rows import WorkOrderView


@dataclass(frozen=True)
class OrderClock:
    """The clock, the policy that counts for the site now, and the number of the revision that gave the due date.

    `escalated_at` is when people were told (aware UTC); `answer_target` are minutes, None without one.
    `due_again` is the due date that the order would have if it were opened again now (aware UTC).
    """

    clock: Clock
    policy: InForce
    revision: int | None
    escalated_at: datetime | None
    answer_target: int | None
    due_again: datetime


def of_order(ctx: Context, order: WorkOrderView, holds: Sequence[HoldView]) -> OrderClock:
    """Return the clock of an order that the caller may see: three queries."""
    assert order.due_at is not None
    force = in_force(ctx, order.site)
    escalated_at = _escalated_at(ctx, order) if order.is_escalated else None
    lived = Lived(
        created_at=order.created_at,
        answered_at=order.acknowledged_at,
        due_at=order.due_at,
        escalates_at=escalated_at or order.due_at + force.policy.grace,
        closed_at=order.completed_at or order.canceled_at,
        waits=[(one.started_at, one.ended_at) for one in holds],
    )
    number = None
    if order.policy_revision_id is not None:
        number = ctx.session.scalar(
            select(PolicyRevision.revision).where(PolicyRevision.id == order.policy_revision_id)
        )
    target = force.policy.ack_target_minutes.get(order.priority)
    again = due_after(force.policy, order.priority, ctx.now())
    return OrderClock(drawn(lived, ctx.now()), force, number, escalated_at, target, again)


def _escalated_at(ctx: Context, order: WorkOrderView) -> datetime | None:
    mine = (WorkOrderEvent.work_order_id == order.id, WorkOrderEvent.event_type == "escalated")
    newest = select(WorkOrderEvent.created_at).where(*mine).order_by(WorkOrderEvent.created_at.desc()).limit(1)
    return ctx.session.scalar(newest)
