"""How long orders waited, out of the time that they took."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, null, select, union_all

from console.core.context import Context
from console.domain.work_orders.waiting import Waited
from console.models.work_orders import WorkOrder, WorkOrderHold
from console.services.common.sql import seconds_between


def seconds_until(ctx: Context, done: Any) -> ColumnElement[float]:
    """Return the sum of the seconds that holds took before an instant; one that is open ends with it."""
    hold = WorkOrderHold
    ended = case((hold.ended_at < done, hold.ended_at), else_=done)
    total: ColumnElement[float] = func.sum(case((hold.started_at < done, seconds_between(ctx, hold.started_at, ended))))
    return total


def of_completed(ctx: Context, *among: ColumnElement[bool], by: Any = None) -> dict[Any, Waited]:
    """Return how long the completed orders among these took and waited, per value of a column (None: all together).

    One query. What was completed before it was received is left out; permission and sites are the caller's part.
    """
    part = null() if by is None else by
    mine = (*among, WorkOrder.completed_at >= WorkOrder.created_at)
    took = select(
        part.label("part"),
        func.sum(seconds_between(ctx, WorkOrder.created_at, WorkOrder.completed_at)).label("took"),
        literal(0.0).label("waited"),
    ).where(*mine)
    waited = (
        select(part.label("part"), literal(0.0), seconds_until(ctx, WorkOrder.completed_at))
        .select_from(WorkOrder)
        .join(WorkOrderHold, WorkOrderHold.work_order_id == WorkOrder.id)
        .where(*mine)
    )
    both = union_all(*((one if by is None else one.group_by(by)) for one in (took, waited)))
    found: dict[Any, Waited] = {}
    for key, seconds, held in ctx.session.execute(both):
        known = found.get(key, Waited())
        found[key] = Waited(
            known.took + timedelta(seconds=float(seconds or 0)), known.waited + timedelta(seconds=float(held or 0))
        )
    return found
