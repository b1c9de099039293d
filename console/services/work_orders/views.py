"""The orders of a query as a board by status and as a calendar by due date, under the same filters as the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import and_, case, literal

from console.core.context import Context
from console.core.listing import Choices, ListQuery, ListResult, ListSpec
from console.domain.days import begins, day_of
from console.domain.text import N_
from console.domain.work_orders import calendar
from console.domain.work_orders.words import ACKED, OPEN
from console.models.work_orders import WorkOrder
from console.services.common import lists as engine
from console.services.work_orders import lists, rows
from console.services.work_orders.rows import WorkOrderView

WAITING, TODAY = "waiting", "today"
COLUMN_LIMIT, COLUMN_LONG = 15, 200
# How many orders of a day are shown; the table has the rest.
DAY_LIMITS = {calendar.MONTH: 3, calendar.WEEK: 40}
COLUMN_LABELS = {
    OPEN: N_("Received"),
    ACKED: N_("In progress"),
    WAITING: N_("Waiting"),
    TODAY: N_("Done today"),
}
_COLUMN = case((rows.WAITING, WAITING), else_=WorkOrder.status)


@dataclass(frozen=True)
class Column:
    """One column of the board: how many orders match, and the first of them in order."""

    key: str
    label: str
    count: int
    orders: tuple[WorkOrderView, ...]

    @property
    def hidden(self) -> int:
        """How many more there are."""
        return self.count - len(self.orders)


@dataclass(frozen=True)
class Board:
    """The board under a query; `total` counts the open orders, those done today stand beside."""

    data: ListResult
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Day:
    """One day of the calendar: how many orders are due, and the first of them; `inside`: of the month that is shown."""

    day: date
    count: int
    orders: tuple[WorkOrderView, ...]
    inside: bool

    @property
    def hidden(self) -> int:
        """How many more there are."""
        return self.count - len(self.orders)


@dataclass(frozen=True)
class Calendar:
    """The calendar under a query: whole weeks in the zone of the installation."""

    data: ListResult
    span: str
    shown: date
    today: date
    days: tuple[Day, ...]
    previous: date
    following: date

    @property
    def weeks(self) -> tuple[tuple[Day, ...], ...]:
        """The days by week, from Monday to Sunday."""
        return tuple(self.days[at : at + 7] for at in range(0, len(self.days), 7))


def board(ctx: Context, query: ListQuery, expand: str = "") -> Board:
    """Return the orders by status: four queries. `expand` shows more of one column."""
    now = ctx.now()
    spec = lists.spec(now)
    most = {key: COLUMN_LONG if key == expand else COLUMN_LIMIT for key in COLUMN_LABELS}
    open_ones = {key: number for key, number in most.items() if key != TODAY}
    found, counts = engine.groups(ctx, spec, query, _COLUMN, open_ones)
    done = _done_today(ctx, query, most[TODAY])
    columns = [
        Column(key, COLUMN_LABELS[key], counts.get(key, 0), tuple(one for one in found if _column_of(one) == key))
        for key in open_ones
    ]
    total = sum(column.count for column in columns)
    shown = (*found, *done.items)
    data = ListResult(spec, query, shown, total, False, now, _choices(ctx, spec))
    return Board(data, (*columns, Column(TODAY, COLUMN_LABELS[TODAY], done.total, done.items)))


def _column_of(order: WorkOrderView) -> str:
    return WAITING if order.is_open and order.waiting_reason else order.status


def _done_today(ctx: Context, query: ListQuery, most: int) -> engine.Slice:
    """Return the orders that were completed today, newest first; which of them are open is not asked."""
    start, _end = day_of(ctx.now(), ctx.zone)
    # Only completed orders have this instant; asked for their status too, SQLite would look through all of them.
    today = WorkOrder.completed_at >= start
    spec = lists.spec(ctx.now())
    ids = spec.ids
    assert ids is not None
    spec = replace(spec, name="work_orders_today", implied={}, ids=lambda ctx: ids(ctx).where(today))
    filters = {key: words for key, words in query.filters.items() if key not in ("state", "status")}
    order = (WorkOrder.completed_at.desc(), WorkOrder.id.desc())
    return engine.slice_of(ctx, spec, replace(query, filters=filters), limit=most, offset=0, order=order)


def due_calendar(ctx: Context, query: ListQuery, span: str, word: str) -> Calendar:
    """Return the orders by the day on which they are due: two queries. `word` names a day in it, ISO 8601."""
    now = ctx.now()
    zone = ctx.zone
    today = now.astimezone(zone).date()
    day = calendar.read(word, today)
    days = calendar.days_of(span, day)
    edges = begins(days, zone)
    due = WorkOrder.due_at
    names = [one.isoformat() for one in days]
    conditions = {
        name: and_(due >= edge, due < following) for name, edge, following in zip(names, edges, edges[1:], strict=False)
    }
    spec = lists.spec(now)
    ids = spec.ids
    assert ids is not None
    shown = replace(
        spec, name=f"work_orders_{names[0]}", ids=lambda ctx: ids(ctx).where(due >= edges[0], due < edges[-1])
    )
    in_order = case(*((due < edge, name) for name, edge in zip(names, edges[1:], strict=True)), else_=literal(""))
    most = dict.fromkeys(names, DAY_LIMITS[span])
    found, counts = engine.groups(ctx, shown, query, in_order, most, conditions=conditions)
    by_day = _by_day(found, names, edges)
    made = tuple(
        Day(one, counts.get(name, 0), by_day.get(name, ()), span == calendar.WEEK or one.month == day.month)
        for one, name in zip(days, names, strict=True)
    )
    data = ListResult(spec, query, found, sum(counts.values()), False, now, _choices(ctx, spec))
    previous, following = calendar.turned(span, day, -1), calendar.turned(span, day, 1)
    return Calendar(data, span, day, today, made, previous, following)


def _by_day(
    orders: tuple[WorkOrderView, ...], names: list[str], edges: tuple[datetime, ...]
) -> Mapping[str, tuple[WorkOrderView, ...]]:
    found: dict[str, tuple[WorkOrderView, ...]] = {}
    for order in orders:
        place = sum(order.due_at >= edge for edge in edges) - 1 if order.due_at else -1
        found[names[place]] = (*found.get(names[place], ()), order)
    return found


def _choices(ctx: Context, spec: ListSpec) -> dict[str, Choices]:
    return {item.key: item.options(ctx) for item in spec.filters}
