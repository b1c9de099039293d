"""The share of orders that were done by their due date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import ColumnElement, and_, func, select

from console.core.context import Context
from console.core.revisions import ALWAYS
from console.domain.work_orders.on_time import WINDOW, OnTime, SiteOnTime, edges
from console.domain.work_orders.waiting import Waited
from console.domain.work_orders.words import CANCELED
from console.models.work_orders import WorkOrder
from console.services.common.query_cache import cached_query_until
from console.services.work_orders import rows, waiting
from console.services.work_orders.rows import READ


def was_due(now: datetime) -> ColumnElement[bool]:
    """Return the condition of the orders that the share is of: due within the 30 days before `now`, not canceled."""
    due = WorkOrder.due_at
    return and_(WorkOrder.status != CANCELED, due > now - WINDOW, due <= now)


def last_30_days(ctx: Context, site: str | None = None) -> OnTime:
    """Return how much of what was due within 30 days was done by then, at one site or all of the caller's.

    Two queries, or none at all: it is remembered until an order changes, becomes due or leaves the 30 days. Raises
    PermissionDenied, SiteDenied.
    """
    ctx.actor.require(READ)
    ctx.actor.require_site(site)
    now = ctx.now()
    seen = [rows.visible(ctx.actor)] + ([] if site is None else [WorkOrder.site == site])
    counts = [*seen, WorkOrder.status != CANCELED]

    def look() -> tuple[OnTime, datetime]:
        due = WorkOrder.due_at
        among = [*seen, was_due(now)]
        in_time = func.count().filter(WorkOrder.completed_at <= due)
        coming = select(func.min(due)).where(*counts, due > now).scalar_subquery()
        asked = select(func.count(), in_time, func.min(due), coming).select_from(WorkOrder).where(*among)
        total, done, first_due, next_due = ctx.session.execute(asked).one()
        waited = waiting.of_completed(ctx, *among)[None] if total else Waited()
        return OnTime(total, done, waited), min(next_due or ALWAYS, first_due + WINDOW if first_due else ALWAYS)

    return cached_query_until(ctx, ("orders_on_time", ctx.actor.site_scope, site), now, look)


def by_site(ctx: Context) -> Mapping[str, SiteOnTime]:
    """Return the same for each site at which something was due, with its parts: one query, or none.

    It is remembered like the whole, for an hour at most: then the parts begin anew. Raises PermissionDenied.
    """
    ctx.actor.require(READ)
    now = ctx.now()

    def look() -> tuple[Mapping[str, SiteOnTime], datetime]:
        due, parts = WorkOrder.due_at, list(pairwise(edges(now)))
        counts = [rows.visible(ctx.actor), WorkOrder.status != CANCELED]
        numbers = [
            func.count().filter(due > begin, due <= end, *more)
            for begin, end in parts
            for more in ((), (WorkOrder.completed_at <= due,))
        ]
        coming = select(func.min(due)).where(*counts, due > now).scalar_subquery()
        asked = select(WorkOrder.site, func.min(due), coming, *numbers).where(*counts, due > now - WINDOW, due <= now)
        until, found = min(ALWAYS, now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)), {}
        for site, first_due, next_due, *values in ctx.session.execute(asked.group_by(WorkOrder.site)):
            made = tuple(OnTime(*pair) for pair in zip(values[::2], values[1::2], strict=True))
            whole = OnTime(sum(part.due for part in made), sum(part.in_time for part in made))
            found[site] = SiteOnTime(whole, made)
            until = min(until, next_due or ALWAYS, first_due + WINDOW)
        return found, until

    return cached_query_until(ctx, ("orders_on_time_by_site", ctx.actor.site_scope), now, look)
