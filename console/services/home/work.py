"""What there is to do wherever it stands: items of the board, items of the weeks, work orders, in one list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    cast,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.sql.selectable import Subquery

from console.core.context import Context
from console.core.listing import Filter, ListSpec, Where
from console.core.records import INTERNAL, Fact, columns_of
from console.core.revisions import ALWAYS
from console.domain.alerts import snooze
from console.domain.programme.trackers import programmes
from console.domain.text import N_, Text
from console.domain.tracker.tracker import OPEN_STATUSES, REMEDIATION, TrackerKind
from console.models.tracker import TrackerItem
from console.models.work_orders import WorkOrder
from console.services.common.query_cache import cached_query, cached_query_until
from console.services.tracker import columns, rows, tallies
from console.services.tracker.rows import ItemView
from console.services.work_orders import lists as order_lists
from console.services.work_orders import rows as order_rows
from console.services.work_orders.rows import WorkOrderView

BOARD, WEEKS, ORDERS = "board", "weeks", "orders"
PLACES = ((ORDERS, N_("Work orders")), (BOARD, N_("Remediation board")), (WEEKS, N_("Programme")))
_DUE_FIRST = (TrackerItem.due_at.asc(), TrackerItem.priority.asc(), TrackerItem.id.asc())
_OF_ORDERS = ("id", "due_at", "assignee", "assignee_user_id", "assignee_name", "status", "site", "snoozed_until")
DUE = (("overdue", N_("Late")), ("due_soon", N_("Due within 24 h")))
READ = (*dict.fromkeys(name for one in programmes() for name in one.read), order_rows.READ)


@dataclass(frozen=True)
class Work:
    """Something open that somebody has to do; `due_at` is aware UTC.

    `tracker` is the key of the tracker of an item, and empty for a work order; `stranded` says why nobody works on it
    although it has an assignee.
    """

    id: int
    tracker: Annotated[str, INTERNAL]
    item_id: Annotated[str, Fact(N_("No."))]
    title: Annotated[Any, Fact(N_("Work"))]
    due_at: Annotated[datetime | None, Fact(N_("Due"), sort=True)]
    assignee: Annotated[str | None, Fact(N_("Assignee"), sort=True)]
    status: Annotated[str, Fact(N_("Status"))]
    site: Annotated[str | None, Fact(N_("Site"), sort=True)]
    assignee_name: Annotated[str | None, INTERNAL] = None
    required: Annotated[bool, INTERNAL] = False
    beside: Annotated[str, INTERNAL] = ""
    soon_hours: Annotated[float, INTERNAL] = 24
    not_begun: Annotated[bool, INTERNAL] = False
    stranded: Annotated[Text | None, INTERNAL] = None
    snoozed_until: Annotated[datetime | None, INTERNAL] = None
    is_open: Annotated[bool, INTERNAL] = True

    @property
    def is_order(self) -> bool:
        """Whether it is a work order."""
        return not self.tracker


def of_item(item: ItemView) -> Work:
    """Return an item of a tracker as something to do."""
    return Work(
        item.id,
        item.tracker,
        item.item_id,
        item.title,
        item.due_at,
        item.assignee,
        item.status,
        item.site,
        assignee_name=item.assignee_name,
        required=item.required,
        beside=item.owner_role,
        soon_hours=item.soon_hours,
        not_begun=item.not_begun,
        stranded=item.stranded,
        snoozed_until=item.snoozed_until,
    )


def of_order(order: WorkOrderView) -> Work:
    """Return a work order as something to do."""
    return Work(
        order.id,
        "",
        f"#{order.id}",
        order.title,
        order.due_at,
        order.assignee,
        order.status,
        order.site,
        assignee_name=order.assignee_name,
        beside=order.priority,
        snoozed_until=order.snoozed_until,
    )


def first(of: Iterable[Work], most: int) -> tuple[Work, ...]:
    """Return what is due first, at most so much of it."""
    dated = sorted((one for one in of if one.due_at is not None), key=lambda one: (one.due_at, one.is_order, one.id))
    return tuple(dated[:most])


@dataclass(frozen=True)
class Figures:
    """How much is open, of it due within 24 hours and without assignee; `next_due_at` (UTC) is the next deadline."""

    open: int = 0
    due_24h: int = 0
    unassigned: int = 0
    next_due_at: datetime | None = None


def figures(ctx: Context, site: str | None = None) -> Figures:
    """Count the items of all trackers and the orders that the caller may see (at one site): one query, or none."""
    now, can = ctx.now(), ctx.actor.can
    readable = tuple(one for one in programmes() if any(map(can, one.read)))
    orders = can(order_rows.READ)
    key = ("open_work", tuple(one.key for one in readable), orders, ctx.actor.site_scope, site)
    return cached_query_until(ctx, key, now, lambda: _figures(ctx, readable, now, site, orders=orders))


def _figures(
    ctx: Context, readable: tuple[TrackerKind, ...], now: datetime, site: str | None, *, orders: bool
) -> tuple[Figures, datetime]:
    """Count them, and tell until when that holds: to the next deadline, or to the next that is a day away."""
    day, actor = timedelta(hours=24), ctx.actor
    sites = None if site is None else (site,)
    kept = tallies.sums(actor, readable, (*OPEN_STATUSES, "unassigned_open"), sites).subquery()
    parts: list[tuple[Select[Any], Any]] = []
    if readable:
        items = rows.keys_of(readable, actor).where(rows.OPEN)
        parts.append((items if site is None else items.where(TrackerItem.site_key == site), TrackerItem.due_at))
    if orders:
        mine = order_rows.keys(actor).where(order_rows.OPEN)
        parts.append((mine if site is None else mine.where(WorkOrder.site == site), WorkOrder.due_at))
    wanted: list[Any] = [*kept.c]
    for part, due in parts:
        wanted += [
            part.where(due.between(now, now + day)).with_only_columns(func.count()).scalar_subquery(),
            part.where(due >= now).with_only_columns(func.min(due)).scalar_subquery(),
            part.where(due > now + day).with_only_columns(func.min(due)).scalar_subquery(),
        ]
    if orders:
        counts = (func.count(), func.count().filter(WorkOrder.assignee.is_(None)))
        wanted += [parts[-1][0].with_only_columns(one).scalar_subquery() for one in counts]
    found = list(ctx.session.execute(select(*wanted)).one())
    *by_status, unassigned = (found.pop(0) for _column in kept.c)
    nobody, held = (found.pop(), found.pop()) if orders else (0, 0)
    soon = sum(found[0::3])
    coming = min((due for due in found[1::3] if due is not None), default=None)
    entering = min((due - day for due in found[2::3] if due is not None), default=ALWAYS)
    made = Figures(sum(by_status) + held, soon, unassigned + nobody, coming)
    return made, min(coming or ALWAYS, entering)


def do_first(ctx: Context, site: str | None = None, most: int = 6) -> tuple[Work, ...]:
    """Return what is due first of the board, the weeks and the orders (at one site): two queries, or none."""
    now, can = ctx.now(), ctx.actor.can
    found: list[Work] = []
    if readable := [one for one in programmes() if any(map(can, one.read))]:
        key = ("first_items", tuple(one.key for one in readable), ctx.actor.site_scope, site, most)
        items = cached_query(ctx, key, lambda: _first_items(ctx, readable, site, most))
        found += map(of_item, rows.mixed(items, now))
    if can(order_rows.READ):
        orders = cached_query(
            ctx, ("first_orders", ctx.actor.site_scope, site, most), lambda: _first_orders(ctx, site, most)
        )
        found += (of_order(order_rows.view(row, now)) for row in orders)
    return first(found, most)


def _first_items(ctx: Context, readable: Iterable[TrackerKind], site: str | None, most: int) -> Sequence[Row[Any]]:
    """Read the first of each tracker at the beginning of its index; together all that is open would be sorted."""
    parts = []
    for one in readable:
        mine = rows.keys(one, ctx.actor).where(rows.OPEN)
        mine = mine if site is None else mine.where(TrackerItem.site_key == site)
        parts.append(select(mine.order_by(*_DUE_FIRST).limit(most).subquery()))
    ids = union_all(*parts).subquery()
    found = rows.everything().join(ids, ids.c.id == TrackerItem.id)
    return ctx.session.execute(found.order_by(*_DUE_FIRST).limit(most)).all()


def _first_orders(ctx: Context, site: str | None, most: int) -> Sequence[Row[Any]]:
    mine = order_rows.everything().where(order_rows.visible(ctx.actor), order_rows.OPEN)
    mine = mine if site is None else mine.where(WorkOrder.site == site)
    return ctx.session.execute(mine.order_by(*order_lists.DUE_FIRST).limit(most)).all()


def open_list(ctx: Context) -> ListSpec:
    """Declare the list of everything that is open, what is due first, of what the caller may read."""
    return _listed(ctx, "open_work", rows.OPEN, order_rows.OPEN)


def late_list(ctx: Context) -> ListSpec:
    """Declare the list of everything that is late now, the longest first, of what the caller may read."""
    now = ctx.now()
    return _listed(ctx, "late", rows.overdue(now), order_rows.overdue(now))


def _listed(ctx: Context, name: str, of_items: ColumnElement[bool], of_orders: ColumnElement[bool]) -> ListSpec:
    now, can = ctx.now(), ctx.actor.can
    known = {one.key: one for one in programmes() if any(map(can, one.read))}
    items = rows.everything().where(TrackerItem.tracker.in_(known), rows.visible(ctx.actor), of_items)
    orders = _orders(ctx, items).where(of_orders) if can(order_rows.READ) else None
    found = (items if orders is None else union_all(items, orders)).subquery(name)
    every = (
        Filter("of", N_("Where"), "choice", _of(found), PLACES, multiple=False),
        Filter("site", N_("Site"), "choice", _site(found), shown=False),
    )
    more = (
        Filter("due", N_("Due"), "choice", _due(found), DUE, multiple=False),
        Filter("unassigned", N_("Unassigned"), "flag", _nobody(found), (("1", N_("Yes")),), multiple=False),
    )
    return ListSpec(
        name=name,
        read=READ,
        base=lambda _ctx: select(found),
        row=lambda row: of_item(rows.view(known[row.tracker], row, now)) if row.tracker else _order(row, now),
        key=found.c.id,
        columns=columns_of(Work, found.c, "item_id", "title", "due_at", "assignee", "status", "site"),
        filters=every if name == "late" else (*more, *every),
        search=_search(found, of_items, of_orders),
        order=(found.c.due_at.asc(), found.c.tracker.asc()),
        ordered_by="due_at",
    )


def _orders(ctx: Context, items: Select[Any]) -> Select[Any]:
    """Return the orders that the caller may see with the columns of the items; what an order has not is empty."""
    everything = order_rows.everything()
    named = {column.key: column for column in everything.selected_columns if column.key in _OF_ORDERS}
    given = {**named, "tracker": literal(""), "item_name": WorkOrder.title, "number": WorkOrder.id}
    wanted = (
        type_coerce(given[column.key], column.type).label(column.key)
        if column.key in given
        else cast(null(), column.type).label(column.key)
        for column in items.selected_columns
    )
    listed = everything.with_only_columns(*wanted, maintain_column_froms=True)
    return listed.where(order_rows.visible(ctx.actor))


def _order(row: Any, now: datetime) -> Work:
    return Work(
        row.id,
        "",
        f"#{row.id}",
        row.item_name,
        row.due_at,
        row.assignee,
        row.status,
        row.site,
        assignee_name=row.assignee_name,
        snoozed_until=row.snoozed_until if snooze.standing(row.snoozed_until, now) else None,
    )


def _of(found: Subquery) -> Where:
    places = {
        BOARD: found.c.tracker == REMEDIATION.key,
        ORDERS: found.c.tracker == "",
        WEEKS: found.c.tracker.not_in(("", REMEDIATION.key)),
    }
    return lambda _ctx, words, _now: or_(*(places[word] for word in words))


def _site(found: Subquery) -> Where:
    def where(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
        for name in words:
            ctx.actor.require_site(name)
        return found.c.site.in_(words)

    return where


def _due(found: Subquery) -> Where:
    def where(_ctx: Context, words: list[str], now: datetime) -> ColumnElement[bool]:
        due = found.c.due_at
        conditions = {"overdue": due < now, "due_soon": due.between(now, now + timedelta(hours=24))}
        return or_(*(conditions[word] for word in words))

    return where


def _nobody(found: Subquery) -> Where:
    return lambda _ctx, _words, _now: found.c.assignee.is_(None)


def _search(
    found: Subquery, of_items: ColumnElement[bool], of_orders: ColumnElement[bool]
) -> Callable[[Context, str], ColumnElement[bool]]:
    def where(ctx: Context, words: str) -> ColumnElement[bool]:
        items = select(TrackerItem.id).where(of_items, columns.holds(words))
        orders = select(WorkOrder.id).where(of_orders, order_lists.matches(ctx, words))
        is_order = found.c.tracker == ""
        return or_(and_(not_(is_order), found.c.id.in_(items)), and_(is_order, found.c.id.in_(orders)))

    return where
