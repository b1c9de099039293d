"""Orders that wait: for a contractor, for parts, for access, for better weather, for an approval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from console.core.context import Context
from console.core.records import view_of
from console.domain.errors import Conflict, Invalid
from console.domain.local_time import REACH, TOO_FAR
from console.domain.text import T
from console.domain.work_orders.words import ACKED
from console.models.work_orders import WorkOrderHold
from console.services.facility_sla.policies import in_force
from console.services.jobs.runs import changed
from console.services.work_orders.rows import READ, WRITE, WorkOrderView, load
from console.services.work_orders.store import Event, plain, record, store, write_event

_NOTHING: dict[str, Any] = {"waiting_reason": None, "waiting_since": None, "waiting_until": None}


@dataclass(frozen=True)
class HoldView:
    """One interval of waiting; instants are aware UTC, `ended_at` is null while it lasts."""

    id: int
    work_order_id: int
    reason: str
    note: str
    started_at: datetime
    started_by: str
    until_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None


def hold(ctx: Context, order_id: int, reason: str, note: str = "", until: datetime | None = None) -> WorkOrderView:
    """Let an order in progress wait; its status stays `acked`, and so does its due date.

    One that waits already begins to wait for the new reason. Raises Conflict unless it is in progress, Invalid for an
    end that lies in the past.
    """
    ctx.actor.require(WRITE)
    now = ctx.now()
    order = load(ctx, order_id, now, lock=True)
    check(order)
    check_until(until, now)
    values, event = begin(ctx, order, reason, note, until, now)
    after = store(ctx, order, values, now)
    write_event(ctx, after, event, now)
    record(ctx, "hold", after, **event.detail)
    return after


def check(order: WorkOrderView) -> None:
    """Raise Conflict for an order that cannot wait."""
    if order.status != ACKED:
        raise Conflict(T("Only a work order in progress can wait"), code="not_in_progress")


def check_until(until: datetime | None, now: datetime) -> None:
    """Raise Invalid for an end of waiting that lies in the past, or that nobody can mean."""
    if until is not None and until <= now:
        raise Invalid.field("until", T("The end of waiting must lie in the future"))
    if until is not None and until - now > REACH:
        raise Invalid.field("until", TOO_FAR)


def begin(
    ctx: Context, order: WorkOrderView, reason: str, note: str, until: datetime | None, now: datetime
) -> tuple[dict[str, Any], Event]:
    """Open a hold of a locked order that can wait; return the column values and the event that follow."""
    ended = end(ctx, order, now) if order.waiting_reason is not None else {}
    made = WorkOrderHold(
        work_order_id=order.id,
        reason=reason,
        note=note,
        started_at=now,
        started_by=ctx.actor.username,
        until_at=until,
    )
    ctx.session.add(made)
    ctx.session.flush()
    values = {**ended, "waiting_reason": reason, "waiting_since": now, "waiting_until": until}
    told = plain({"reason": reason, "until": until, "before": order.waiting_reason})
    return values, Event("hold_started", order.status, order.status, note, told)


def resume(ctx: Context, order_id: int, note: str = "") -> WorkOrderView:
    """End the waiting of an order; raises Conflict when it does not wait."""
    ctx.actor.require(WRITE)
    now = ctx.now()
    order = load(ctx, order_id, now, lock=True)
    if order.waiting_reason is None:
        raise Conflict(T("The work order does not wait"), code="not_waiting")
    after = store(ctx, order, end(ctx, order, now), now)
    told = plain({"reason": order.waiting_reason, "since": order.waiting_since})
    write_event(ctx, after, Event("hold_ended", order.status, after.status, note, told), now)
    record(ctx, "resume", after, **told)
    return after


def end(ctx: Context, order: WorkOrderView, now: datetime) -> dict[str, Any]:
    """End the open hold of a locked order and return the column values that follow.

    Where the policy of the site pauses the clock, the due date moves by the time that the order waited.
    """
    opened = update(WorkOrderHold).where(WorkOrderHold.work_order_id == order.id, WorkOrderHold.ended_at.is_(None))
    changed(ctx, opened.values(ended_at=now, ended_by=ctx.actor.username))
    values = dict(_NOTHING)
    if order.waiting_since and order.due_at and in_force(ctx, order.site).policy.pause_on_hold:
        values["due_at"] = order.due_at + (now - order.waiting_since)
    return values


def listed(ctx: Context, order_id: int) -> tuple[HoldView, ...]:
    """Return the times at which an order waited, oldest first."""
    ctx.actor.require(READ)
    order = load(ctx, order_id, ctx.now())
    mine = select(WorkOrderHold).where(WorkOrderHold.work_order_id == order.id)
    rows = ctx.session.scalars(mine.order_by(WorkOrderHold.started_at, WorkOrderHold.id))
    return tuple(view_of(HoldView, row) for row in rows)
