"""Lists of tracker items: pages of the table and the API, the export, and what one person has to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import case, func, select

from console import listing
from console.context import Context
from console.domain.tracker import PROGRAMMES, Programme
from console.listing import ListQuery, ListResult, count, ordered
from console.models.tracker import TrackerItem
from console.services import tracker_rows as rows
from console.services.tracker_rows import ItemView
from console.services.tracker_spec import ORDER, matching, read, spec, with_defaults


def page(ctx: Context, programme: Programme, query: ListQuery, *, total: int | None = None) -> ListResult:
    """Give one page of the table: two queries, whatever the page and its size.

    Whoever has counted the matching items already gives the `total`.
    """
    now = ctx.now()
    listed = spec(programme, now)
    statement = matching(ctx, programme, query, now)
    if total is None:
        total, _capped = count(ctx.session, listed, statement)
    query = replace(query, page=min(query.page, max(1, -(-total // query.per_page))))
    ids = ordered(listed, query, statement).limit(query.per_page).offset((query.page - 1) * query.per_page).subquery()
    full = rows.base(programme, ctx.actor).join(ids, ids.c.id == TrackerItem.id)
    found = rows.views(programme, ctx.session.execute(ordered(listed, query, full)), now)
    choices = {item.key: item.options(ctx) for item in listed.filters}
    return ListResult(listed, query, found, total, False, now, choices)


def slice_of(
    ctx: Context, programme: Programme, query: ListQuery, *, limit: int, offset: int
) -> tuple[tuple[ItemView, ...], int]:
    """Give items `offset` to `offset + limit` of a query in the default order, and how many match in all."""
    now = ctx.now()
    listed = spec(programme, now)
    statement = matching(ctx, programme, query, now)
    total, _capped = count(ctx.session, listed, statement)
    ids = statement.order_by(*ORDER).limit(limit).offset(offset).subquery()
    return (read(ctx, programme, ids, now), total) if offset < total else ((), total)


def check(ctx: Context, programme: Programme, query: ListQuery) -> None:
    """Raise what reading the list would raise (PermissionDenied, SiteDenied, Invalid), before an export begins."""
    matching(ctx, programme, query, ctx.now())


def stream(
    ctx: Context, programme: Programme, query: ListQuery, ids: Sequence[int] | None = None
) -> Iterator[ItemView]:
    """Give all items of a query (or those of them with the given ids) in constant memory, in the query's order."""
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
    """Give the caller's own open items and the unassigned ones of their sites; five queries at most per programme."""
    now = ctx.now()
    assigned: list[ItemView] = []
    claimable: list[ItemView] = []
    totals = [0, 0, 0, 0]
    for programme in PROGRAMMES.values():
        if not any(ctx.actor.can(permission) for permission in programme.read):
            continue
        mine, figures = _mine(ctx, programme, now, most)
        assigned += mine
        totals = [old + new for old, new in zip(totals, (*figures, 0), strict=True)]
        if any(ctx.actor.can(permission) for permission in programme.write):
            free = rows.keys(programme, ctx.actor).where(rows.UNASSIGNED, rows.OPEN)
            totals[3] += ctx.session.scalar(select(func.count()).select_from(free.subquery())) or 0
            claimable += read(ctx, programme, free.order_by(*ORDER).limit(most).subquery(), now)
    return MyItems(
        computed_at=now,
        assigned=tuple(sorted(assigned, key=_urgency)[:most]),
        assigned_total=totals[0],
        late=totals[1],
        due_soon=totals[2],
        claimable=tuple(sorted(claimable, key=_urgency)[:most]),
        claimable_total=totals[3],
    )


def _mine(
    ctx: Context, programme: Programme, now: datetime, most: int
) -> tuple[tuple[ItemView, ...], tuple[int, int, int]]:
    actor = ctx.actor
    owner = TrackerItem.assignee_user_id == actor.user_id if actor.user_id else TrackerItem.assignee == actor.username
    mine = rows.keys(programme, actor).where(rows.OPEN, owner)
    late = func.sum(case((TrackerItem.due_at < now, 1), else_=0))
    soon = func.sum(case((TrackerItem.due_at.between(now, now + timedelta(hours=24)), 1), else_=0))
    total, late_count, soon_count = ctx.session.execute(mine.with_only_columns(func.count(), late, soon)).one()
    ids = mine.order_by(TrackerItem.due_at.asc(), TrackerItem.id.asc()).limit(most).subquery()
    return read(ctx, programme, ids, now), (total, late_count or 0, soon_count or 0)


def _urgency(item: ItemView) -> tuple[bool, datetime, int, int]:
    return (item.due_at is None, item.due_at or item.opened_at, item.priority, item.id)
