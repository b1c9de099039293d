"""The history of an order, and the comments in it (API contract, work order events)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from sqlalchemy import func, select, update

from console.core.context import Context
from console.core.records import INTERNAL, JsonObject, view_of
from console.domain.errors import Invalid
from console.domain.text import T
from console.models.identity import User
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.jobs.runs import changed
from console.services.work_orders.rows import READ, WRITE, load
from console.services.work_orders.store import Event, record, write_event


@dataclass(frozen=True)
class WorkOrderEventView:
    """One line of an order's history; the first nine fields were published first, others tell its state after it."""

    id: int
    work_order_id: int
    event_type: str
    actor_username: str
    from_status: str | None
    to_status: str | None
    note: str
    detail: JsonObject
    created_at: datetime
    priority: str
    due_at: datetime
    policy_revision_id: int | None
    waiting_reason: str | None
    is_escalated: bool
    actor_name: Annotated[str, INTERNAL] = ""


def comment(ctx: Context, order_id: int, text: str) -> WorkOrderEventView:
    """Add a comment, in any status; `updated_at` and the version of the order stay as they are."""
    ctx.actor.require(WRITE)
    now = ctx.now()
    order = load(ctx, order_id, now, lock=True)
    if not text:
        raise Invalid.field("comment", T("A comment needs words"))
    counted = update(WorkOrder).where(WorkOrder.id == order.id)
    changed(ctx, counted.values(comment_count=WorkOrder.comment_count + 1))
    event = Event("comment", order.status, order.status, text, {"comment": text})
    number = write_event(ctx, order, event, now)
    record(ctx, "comment_add", order, comment=text)
    row = ctx.session.scalars(select(WorkOrderEvent).where(WorkOrderEvent.id == number)).one()
    return view_of(WorkOrderEventView, row, detail=row.detail_json, actor_name=ctx.actor.display_name)


def listed(
    ctx: Context, order_id: int, *, limit: int = 100, offset: int = 0, newest: bool = False
) -> tuple[tuple[WorkOrderEventView, ...], int]:
    """Return events of an order, oldest first unless `newest`, and how many there are; raises NotFound, SiteDenied."""
    ctx.actor.require(READ)
    order = load(ctx, order_id, ctx.now())
    mine = WorkOrderEvent.work_order_id == order.id
    total = ctx.session.scalar(select(func.count()).select_from(WorkOrderEvent).where(mine)) or 0
    by = (WorkOrderEvent.created_at, WorkOrderEvent.id)
    rows = ctx.session.execute(
        select(WorkOrderEvent, User.display_name)
        .outerjoin(User, User.username == WorkOrderEvent.actor_username)
        .where(mine)
        .order_by(*(one.desc() if newest else one.asc() for one in by))
        .limit(limit)
        .offset(min(offset, total))
    )
    found = tuple(
        view_of(WorkOrderEventView, event, detail=event.detail_json, actor_name=name or event.actor_username)
        for event, name in rows
    )
    return found, total
