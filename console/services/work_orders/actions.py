"""The life of an order: acknowledge, complete, cancel, reopen, claim (API contract, status machine)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.core.context import Context
from console.domain.errors import Conflict
from console.domain.facility_sla.policy import due_after
from console.domain.text import T
from console.domain.work_orders import states
from console.domain.work_orders.states import Step
from console.domain.work_orders.words import COMPLETED
from console.services.facility_sla.policies import in_force
from console.services.identity.names import name_of
from console.services.tracker.change import person
from console.services.work_orders import holds, rules, snooze
from console.services.work_orders.rows import WRITE, WorkOrderView, load
from console.services.work_orders.store import Event, record, store, write_event

Decide = Callable[[WorkOrderView], tuple[Step, dict[str, Any]]]


def acknowledge(ctx: Context, order_id: int, assignee: str | None = None) -> WorkOrderView:
    """Begin an open order; an assignee that is sent replaces the old one."""
    whom = None if assignee is None else person(ctx, assignee)

    def decide(order: WorkOrderView) -> tuple[Step, dict[str, Any]]:
        step = states.acknowledged(order.life, ctx.now(), assignee)
        return step, {} if whom is None else {"assignee": whom.text, "assignee_user_id": whom.user_id}

    return _step(ctx, order_id, states.ACK, decide)


def complete(ctx: Context, order_id: int, notes: str = "") -> WorkOrderView:
    """Complete an open order; of a completed one nothing changes and nothing is put on record.

    Raises Incomplete where its site insists on something that is missing.
    """

    def decide(order: WorkOrderView) -> tuple[Step, dict[str, Any]]:
        rules.check(ctx, order, notes)
        return states.completed(order.life, ctx.now(), notes), {}

    return _step(ctx, order_id, states.COMPLETE, decide)


def cancel(ctx: Context, order_id: int, reason: str = "") -> WorkOrderView:
    """Cancel an open order; what is written down as its solution stays."""
    return _step(ctx, order_id, states.CANCEL, lambda order: (states.canceled(order.life, ctx.now(), reason), {}))


def reopen(ctx: Context, order_id: int, reason: str = "") -> WorkOrderView:
    """Open a closed order again, with the due date that the policy gives an order that is made now."""

    def decide(order: WorkOrderView) -> tuple[Step, dict[str, Any]]:
        force = in_force(ctx, order.site)
        step = states.reopened(order.life, reason, due_after(force.policy, order.priority, ctx.now()))
        return step, {"policy_revision_id": force.revision_id, "reopened_count": order.reopened_count + 1}

    return _step(ctx, order_id, states.REOPEN, decide)


def claim(ctx: Context, order_id: int) -> WorkOrderView:
    """Take an open order that is nobody's; raises Conflict when somebody was faster or it is closed."""
    ctx.actor.require(WRITE)
    now = ctx.now()
    order = load(ctx, order_id, now, lock=True)
    if order.assignee is not None:
        name = order.assignee_name or order.assignee
        raise Conflict(T("The work order is assigned to %(name)s already", name=name), code="claimed")
    if not order.is_open:
        raise Conflict(T("The work order is closed"), code="closed")
    whom = person(ctx, ctx.actor.username)
    after = store(ctx, order, {"assignee": whom.text, "assignee_user_id": whom.user_id}, now)
    told = {"assignee": {"old": None, "new": after.assignee}}
    write_event(ctx, after, Event("claimed", order.status, after.status, "", told), now)
    record(ctx, "claim", after, assignee=after.assignee)
    return after


def _step(ctx: Context, order_id: int, action: str, decide: Decide) -> WorkOrderView:
    """Carry out one change of status, with its event and its audit entry, if the order still allows it.

    Raises InvalidTransition for the one who came too late, with the name of who was first.
    """
    ctx.actor.require(WRITE)
    now = ctx.now()
    order = load(ctx, order_id, now, lock=True)
    if action == states.COMPLETE and order.status == COMPLETED:
        return order
    if not states.allowed(order.status, action):
        told = T("%(name)s was first: the work order is in another state now", name=name_of(ctx, order.updated_by))
        raise states.InvalidTransition(order.status, states.TARGETS[action], told)
    step, more = decide(order)
    values = {**step.values, **more}
    if order.waiting_reason is not None and action != states.ACK:
        values |= holds.end(ctx, order, now)
    after = store(ctx, order, values, now)
    event = Event("status_changed", order.status, after.status, step.note, step.detail)
    write_event(ctx, after, event, now)
    snooze.follow(ctx, order, values, now)
    record(ctx, action, after, from_status=order.status, **step.detail)
    return after
