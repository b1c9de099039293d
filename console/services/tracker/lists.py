"""Lists of tracker items: pages of the table and the API, the export, and what one person has to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, case, func, select, union_all
from sqlalchemy.sql.operators import asc_op

from console.core import listing, revisions
from console.core.context import Context
from console.core.listing import ListQuery, ListResult, ListSpec, SqlValue, count, ordered
from console.domain.programme.trackers import programmes
from console.domain.tracker.tracker import TrackerKind
from console.models.tracker import TrackerItem
from console.services.tracker import rows
from console.services.tracker.columns import matching, order_of, read, spec, unchanged, with_defaults
from console.services.tracker.rows import ItemView


def page(ctx: Context, programme: TrackerKind, query: ListQuery, *, total: int | None = None) -> ListResult:
    """Return one page of the table: two queries, whatever the page and its size.

    Whoever has counted the matching items already gives the `total`.
    """
    now = ctx.now()
    listed = replace(spec(programme, now), order=order_of(query))

    def find() -> tuple[tuple[ItemView, ...], int, int]:
        statement = matching(ctx, programme, query, now)
        number = _total(ctx, programme, query, statement, listed) if total is None else total
        there = replace(query, page=min(query.page, max(1, -(-number // query.per_page))))
        skipped = (there.page - 1) * there.per_page
        if query.sort:
            ids = ordered(listed, there, statement).limit(there.per_page).offset(skipped)
        else:
            ids = _from_nearer_end(statement, listed.order, number, limit=there.per_page, offset=skipped)
        found = ids.subquery()
        full = rows.base(programme, ctx.actor).join(found, found.c.id == TrackerItem.id)
        return rows.views(programme, ctx.session.execute(ordered(listed, there, full)), now), number, there.page

    place = (query.sort, query.descending, query.page, query.per_page, total)
    found, matched, number = unchanged(
        ctx, programme, query, ("page", *place), find, lambda found: rows.views_hold(found[0])
    )
    choices = {item.key: item.options(ctx) for item in listed.filters}
    return ListResult(listed, replace(query, page=number), found, matched, False, now, choices)


@dataclass(frozen=True, eq=False)
class Slice:
    """Some items of a query in its order, and how many match in all.

    While nothing changes the very same object is given again: what was made of it holds as long as it lives.
    """

    items: tuple[ItemView, ...]
    total: int

    @property
    def weight(self) -> int:
        """Return how many rows it keeps in memory."""
        return 1 + len(self.items)


def slice_of(
    ctx: Context,
    programme: TrackerKind,
    query: ListQuery,
    *,
    limit: int,
    offset: int,
    order: Sequence[ColumnElement[Any]] | None = None,
) -> Slice:
    """Return items `offset` to `offset + limit` of a query in the default or another order."""
    now = ctx.now()
    order = order or order_of(query)

    def find() -> Slice:
        statement = matching(ctx, programme, query, now)
        total = _total(ctx, programme, query, statement, spec(programme, now))
        ids = _from_nearer_end(statement, order, total, limit=limit, offset=offset).subquery()
        return Slice(read(ctx, programme, ids, now, order=order) if offset < total else (), total)

    key = ("slice", limit, offset, *map(str, order))
    revisions.has_read_list()
    return unchanged(ctx, programme, query, key, find, lambda found: rows.views_hold(found.items))


def _from_nearer_end(
    ids: Select[Any], order: Sequence[SqlValue], total: int, *, limit: int, offset: int
) -> Select[Any]:
    """Return the ids at these places of an order; the second half is walked from the end, where its places are near.

    They come in either direction: the rows that are joined to them have to be put in order anyway.
    """
    behind = total - offset
    if offset <= behind:
        return ids.order_by(*order).limit(limit).offset(offset)
    taken = min(limit, behind)
    return ids.order_by(*map(_turned, order)).limit(taken).offset(behind - taken)


def _turned(step: Any) -> ColumnElement[Any]:
    # Without words about NULL both databases put them at the other end then.
    turned: ColumnElement[Any] = step.element.desc() if step.modifier is asc_op else step.element.asc()
    return turned


def _total(ctx: Context, programme: TrackerKind, query: ListQuery, statement: Select[Any], listed: ListSpec) -> int:
    return unchanged(ctx, programme, query, ("total",), lambda: count(ctx.session, listed, statement)[0])


def check(ctx: Context, programme: TrackerKind, query: ListQuery) -> None:
    """Raise what reading the list would raise (PermissionDenied, SiteDenied, Invalid), before an export begins."""
    matching(ctx, programme, query, ctx.now())


def stream(
    ctx: Context, programme: TrackerKind, query: ListQuery, ids: Sequence[int] | None = None
) -> Iterator[ItemView]:
    """Return all items of a query in constant memory, in its order.

    With `ids` exactly those that the caller may see.
    """
    now = ctx.now()
    ctx.actor.require(*programme.read)
    return listing.stream(ctx, spec(programme, now), with_defaults(query), ids)


@dataclass(frozen=True)
class MyItems:
    """What the caller has to do in all trackers, most urgent first, and what they might take.

    `late` and `due_soon` (24 h) count the assigned ones; both lists are cut to `most`, the totals are not.
    """

    computed_at: datetime
    assigned: tuple[ItemView, ...]
    assigned_total: int
    late: int
    due_soon: int
    claimable: tuple[ItemView, ...]
    claimable_total: int


def my_items(ctx: Context, *, most: int = 50) -> MyItems:
    """Return the caller's own open items and the unassigned ones of their sites: four queries for all trackers."""
    now, actor = ctx.now(), ctx.actor
    readable = [one for one in programmes() if any(map(actor.can, one.read))]
    writable = [one for one in readable if any(map(actor.can, one.write))]
    owner = TrackerItem.assignee_user_id == actor.user_id if actor.user_id else TrackerItem.assignee == actor.username
    mine = rows.keys_of(readable, actor).where(rows.OPEN, owner)
    late = func.sum(case((TrackerItem.due_at < now, 1), else_=0))
    soon = func.sum(case((TrackerItem.due_at.between(now, now + timedelta(hours=24)), 1), else_=0))
    total, late_count, soon_count = ctx.session.execute(mine.with_only_columns(func.count(), late, soon)).one()
    nearest = mine.order_by(TrackerItem.due_at.asc(), TrackerItem.id.asc()).limit(most)
    free = rows.keys_of(writable, actor).where(rows.UNASSIGNED, rows.OPEN)
    # One ordered walk per tracker: each stops after its first rows, however many there are.
    urgent = order_of(ListQuery())
    first = [
        select(rows.keys(one, actor).where(rows.UNASSIGNED, rows.OPEN).order_by(*urgent).limit(most).subquery())
        for one in writable
    ]
    return MyItems(
        computed_at=now,
        assigned=_read(ctx, nearest, now),
        assigned_total=total,
        late=late_count or 0,
        due_soon=soon_count or 0,
        claimable=_read(ctx, _most_urgent(union_all(*first), most), now) if first else (),
        claimable_total=ctx.session.scalar(free.with_only_columns(func.count())) or 0,
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
