"""How orders are written: conditional updates and events, in the transaction of their audit entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, Table, insert, update

from console.core.context import Context
from console.domain.errors import Conflict
from console.domain.text import T
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.alerts import given
from console.services.audit import record as audit
from console.services.jobs.runs import changed
from console.services.work_orders.rows import WorkOrderView, load

RESOURCE = "work_order"
MEANWHILE = T("Somebody else changed the work order meanwhile")
_ORDERS = cast("Table", WorkOrder.__table__)
_EVENTS = cast("Table", WorkOrderEvent.__table__)
# The table and not the model: every change of an order sends it, and the model would cost as much as it does.
_ADD_EVENTS = insert(_EVENTS)
_ADD_EVENT = _ADD_EVENTS.returning(_EVENTS.c.id)


@dataclass(frozen=True)
class Event:
    """An event to be written after the change that it tells of."""

    event_type: str
    from_status: str | None
    to_status: str | None
    note: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def store(ctx: Context, order: WorkOrderView, values: Mapping[str, Any], now: datetime) -> WorkOrderView:
    """Store `values` if the order is still as it was read, and return it as it is then; raises Conflict otherwise."""
    statement = (
        update(_ORDERS)
        .where(_ORDERS.c.id == order.id, _ORDERS.c.version == order.version, _ORDERS.c.status == order.status)
        .values(**values, version=order.version + 1, updated_at=now, updated_by=ctx.actor.username)
    )
    if changed(ctx, statement) != 1:
        raise Conflict(MEANWHILE, code="version_conflict")
    if values.get("assignee"):
        given.orders(ctx, [order.id])
    return load(ctx, order.id, now)


def write_event(ctx: Context, order: WorkOrderView, event: Event, now: datetime) -> int:
    """Append an event with the state that the order has after it, and return its id."""
    return int(ctx.session.execute(_ADD_EVENT, event_row(ctx, order, event, now)).scalar_one())


def write_events(ctx: Context, written: Sequence[tuple[WorkOrderView, Event]], now: datetime) -> None:
    """Append events of several orders in their order, each with the state that its order has after it."""
    if written:
        ctx.session.execute(_ADD_EVENTS, [event_row(ctx, order, event, now) for order, event in written])


def event_row(ctx: Context, order: WorkOrderView | Row[Any], event: Event, now: datetime) -> dict[str, Any]:
    """Return the row of an event with the state that the order has after it."""
    return {
        "work_order_id": order.id,
        "event_type": event.event_type,
        "actor_username": ctx.actor.username,
        "from_status": event.from_status,
        "to_status": event.to_status,
        "note": event.note,
        "detail_json": dict(event.detail),
        "created_at": now,
        "priority": order.priority,
        "due_at": order.due_at,
        "policy_revision_id": order.policy_revision_id,
        "waiting_reason": order.waiting_reason,
        "is_escalated": order.is_escalated,
    }


def record(ctx: Context, action: str, order: WorkOrderView, **detail: Any) -> None:
    """Put a change of an order on record, with its site and status."""
    audit.record(
        ctx, f"work_order_{action}", RESOURCE, order.id, detail={"site": order.site, "status": order.status, **detail}
    )


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write column values as JSON: instants as ISO 8601."""
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}
