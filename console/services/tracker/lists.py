"""Lists of tracker items: pages of the table and the API, the export, and what one person has to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CompoundSelect, Select, case, func, select, union_all

from console.core.context import Context
from console.core.listing import ListQuery, ListResult, Order
from console.domain.days import day_of
from console.domain.programme.trackers import programmes
from console.domain.tracker.tracker import TrackerKind
from console.models.tracker import TrackerItem
from console.services.common import lists
from console.services.common.lists import Slice
from console.services.tracker import rows, tallies
from console.services.tracker.columns import URGENT_FIRST, spec, table
from console.services.tracker.rows import ItemView


def page(ctx: Context, programme: TrackerKind, query: ListQuery, **known: Any) -> ListResult:
    """Return one page of the list; `known` is what the caller has counted already, and further choices."""
    return lists.run(ctx, spec(programme, ctx.now()), query, **known)


def table_page(ctx: Context, programme: TrackerKind, query: ListQuery, **known: Any) -> ListResult:
    """Return the same as the table shows it, the worst first."""
    return lists.run(ctx, table(programme, ctx.now()), query, **known)


def slice_of(
    ctx: Context,
    programme: TrackerKind,
    query: ListQuery,
    *,
    limit: int,
    offset: int,
    order: Order = (),
) -> Slice:
    """Return items `offset` to `offset + limit` of a query in the default or another order."""
    return lists.slice_of(ctx, spec(programme, ctx.now()), query, limit=limit, offset=offset, order=order)


def check(ctx: Context, programme: TrackerKind, query: ListQuery) -> None:
    """Raise what reading the list would raise (PermissionDenied, SiteDenied, Invalid), before an export begins."""
    now = ctx.now()
    lists.matching(ctx, spec(programme, now), query, now)


def stream(
    ctx: Context, programme: TrackerKind, query: ListQuery, ids: Sequence[int] | None = None
) -> Iterator[ItemView]:
    """Return all items of a query in constant memory; with `ids` exactly those that the caller may see.

    Where the query names columns they come in the order of the table.
    """
    return lists.stream(ctx, (table if query.columns else spec)(programme, ctx.now()), query, ids)


@dataclass(frozen=True)
class MyItems:
    """What the caller has to do in all trackers, most urgent first, and what they might take.

    `late`, `due_soon` (24 h) and `due_today` (late ones too) count the assigned ones; both lists are cut to `most`, the
    totals are not.
    """

    computed_at: datetime
    day_ends_at: datetime
    assigned: tuple[ItemView, ...]
    assigned_total: int
    late: int
    due_soon: int
    due_today: int
    claimable: tuple[ItemView, ...]
    claimable_total: int


def my_items(ctx: Context, *, most: int = 50) -> MyItems:
    """Return the caller's own open items and the unassigned ones of their sites: four queries for all trackers."""
    now, actor = ctx.now(), ctx.actor
    readable = [one for one in programmes() if any(map(actor.can, one.read))]
    writable = [one for one in readable if any(map(actor.can, one.write))]
    mine = rows.keys_of(readable, actor).where(rows.OPEN, rows.mine(actor))
    late = func.sum(case((TrackerItem.due_at < now, 1), else_=0))
    soon = func.sum(case((TrackerItem.due_at.between(now, now + timedelta(hours=24)), 1), else_=0))
    _start, ends = day_of(now, ctx.zone)
    today = func.sum(case((TrackerItem.due_at < ends, 1), else_=0))
    counted = mine.with_only_columns(func.count(), late, soon, today)
    total, late_count, soon_count, today_count = ctx.session.execute(counted).one()
    nearest = mine.order_by(TrackerItem.due_at.asc(), TrackerItem.id.asc()).limit(most)
    # One ordered walk per tracker: each stops after its first rows, however many there are.
    first = [
        select(rows.keys(one, actor).where(rows.UNASSIGNED, rows.OPEN).order_by(*URGENT_FIRST).limit(most).subquery())
        for one in writable
    ]
    return MyItems(
        computed_at=now,
        day_ends_at=ends,
        assigned=_read(ctx, nearest, now),
        assigned_total=total,
        late=late_count or 0,
        due_soon=soon_count or 0,
        due_today=today_count or 0,
        claimable=_read(ctx, _most_urgent(union_all(*first), most), now) if first else (),
        claimable_total=ctx.session.scalar(tallies.sums(actor, writable, ("unassigned_open",))) or 0,
    )


def _most_urgent(ids: CompoundSelect[Any], most: int) -> Select[Any]:
    """Return the ids of the first of them over all trackers, so that only those rows are read in full."""
    found = ids.subquery()
    order = (TrackerItem.due_at.asc().nulls_last(), TrackerItem.priority.asc(), TrackerItem.id.asc())
    return select(TrackerItem.id).join(found, found.c.id == TrackerItem.id).order_by(*order).limit(most)


def _read(ctx: Context, ids: Select[Any], now: datetime) -> tuple[ItemView, ...]:
    wanted = ids.subquery()
    found = ctx.session.execute(rows.everything().join(wanted, wanted.c.id == TrackerItem.id))
    return tuple(sorted(rows.mixed(found, now), key=_urgency))


def _urgency(item: ItemView) -> tuple[bool, datetime, int, int]:
    return (item.due_at is None, item.due_at or item.opened_at, item.priority, item.id)
