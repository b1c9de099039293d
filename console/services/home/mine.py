"""What one person has to do wherever it stands, and what they may take: items and work orders together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from console.core.context import Context
from console.models.work_orders import WorkOrder
from console.services.tracker import lists as tracker_lists
from console.services.tracker.rows import ItemView
from console.services.work_orders import rows
from console.services.work_orders.lists import DUE_FIRST
from console.services.work_orders.rows import READ, WRITE, WorkOrderView

Entry = ItemView | WorkOrderView


@dataclass(frozen=True)
class MyWork:
    """What the caller has to do, most urgent first, and what they might take.

    `late`, `due_soon` (24 h) and `due_today` (late ones too) count the assigned ones, `waiting` the orders among them
    that wait for others; both lists are cut to `most`, the totals are not.
    """

    computed_at: datetime
    day_ends_at: datetime
    assigned: tuple[Entry, ...]
    assigned_total: int
    late: int
    due_soon: int
    due_today: int
    waiting: int
    claimable: tuple[Entry, ...]
    claimable_total: int


def my_work(ctx: Context, *, most: int = 50) -> MyWork:
    """Return the caller's own open items and orders, and the unassigned ones of their sites: seven queries."""
    items = tracker_lists.my_items(ctx, most=most)
    reads, writes = ctx.actor.can(READ), ctx.actor.can(WRITE)
    now, ends = items.computed_at, items.day_ends_at
    total = late = soon = today = waiting = free = 0
    assigned: Sequence[WorkOrderView] = ()
    claimable: Sequence[WorkOrderView] = ()
    if reads:
        mine, due = rows.mine(ctx.actor), WorkOrder.due_at
        among = (mine, mine & (due < now), mine & due.between(now, now + timedelta(hours=24)), mine & (due < ends))
        counted = (*among, mine & WorkOrder.waiting_reason.is_not(None), WorkOrder.assignee.is_(None))
        numbers = select(*(func.count().filter(one) for one in counted)).where(rows.OPEN, rows.visible(ctx.actor))
        row = ctx.session.execute(numbers).one()
        total, late, soon, today, waiting, free = (int(number) for number in row)
        assigned = _first(ctx, mine, now, most) if total else ()
        claimable = _first(ctx, WorkOrder.assignee.is_(None), now, most) if free and writes else ()
    return MyWork(
        computed_at=now,
        day_ends_at=ends,
        assigned=_together(items.assigned, assigned, most),
        assigned_total=items.assigned_total + total,
        late=items.late + late,
        due_soon=items.due_soon + soon,
        due_today=items.due_today + today,
        waiting=waiting,
        claimable=_together(items.claimable, claimable, most),
        claimable_total=items.claimable_total + (free if writes else 0),
    )


def _first(ctx: Context, which: ColumnElement[bool], now: datetime, most: int) -> Sequence[WorkOrderView]:
    found = rows.base(ctx.actor).where(rows.OPEN, which).order_by(*DUE_FIRST).limit(most)
    return [rows.view(row, now) for row in ctx.session.execute(found)]


def _together(items: Iterable[ItemView], orders: Iterable[WorkOrderView], most: int) -> tuple[Entry, ...]:
    """Return both by their due dates; what has none comes last."""
    found: list[Entry] = [*items, *orders]
    dated = sorted((one for one in found if one.due_at is not None), key=_due)
    return tuple([*dated, *(one for one in found if one.due_at is None)][:most])


def _due(entry: Entry) -> tuple[datetime, int]:
    assert entry.due_at is not None
    return entry.due_at, entry.id
