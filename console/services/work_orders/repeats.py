"""The same trouble at an asset again: on the page of an order, in the form of a new one, on the page of the asset."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from console.core.context import Context
from console.domain.work_orders.repeats import WINDOW, Repeat, Seen, repeat_of, repeats
from console.domain.work_orders.words import CANCELED
from console.models.work_orders import WorkOrder
from console.services.work_orders.rows import READ, WorkOrderView

# More orders of one asset within 90 days say the same.
MOST = 200


def of_order(ctx: Context, order: WorkOrderView) -> Repeat | None:
    """Return which time it was when an order was made, None when it need not be said: at most one query."""
    if order.asset_id is None or order.status == CANCELED:
        return None
    seen = _seen(ctx, order.asset_id, order.created_at)
    return repeat_of(seen, order.trade, order.created_at, order.id)


def of_next(ctx: Context, asset_id: int, trade: str) -> Repeat | None:
    """Return which time it would be if an order of an asset that the caller may see was made now: one query."""
    ctx.actor.require(READ)
    return repeat_of(_seen(ctx, asset_id, ctx.now()), trade, ctx.now())


def of_asset(ctx: Context, asset_id: int) -> list[Repeat]:
    """Return the trades in which an asset that the caller may see had three or more orders lately: one query."""
    if not ctx.actor.can(READ):
        return []
    return repeats(_seen(ctx, asset_id, ctx.now()), ctx.now())


def _seen(ctx: Context, asset_id: int, until: datetime) -> list[Seen]:
    asked = (
        select(WorkOrder.id, WorkOrder.trade, WorkOrder.created_at)
        .where(WorkOrder.asset_id == asset_id, WorkOrder.created_at.between(until - WINDOW, until))
        .where(WorkOrder.status != CANCELED)
        .order_by(WorkOrder.created_at.desc(), WorkOrder.id.desc())
        .limit(MOST)
    )
    return [Seen(row.id, row.trade, row.created_at) for row in ctx.session.execute(asked)]
