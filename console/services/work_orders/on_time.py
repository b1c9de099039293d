"""The share of orders that were done by their due date."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from console.core.context import Context
from console.core.revisions import ALWAYS
from console.domain.work_orders.on_time import WINDOW, OnTime
from console.domain.work_orders.waiting import Waited
from console.domain.work_orders.words import CANCELED
from console.models.work_orders import WorkOrder
from console.services.common.query_cache import cached_query_until
from console.services.work_orders import rows, waiting
from console.services.work_orders.rows import READ


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
        among = [*counts, due > now - WINDOW, due <= now]
        in_time = func.count().filter(WorkOrder.completed_at <= due)
        coming = select(func.min(due)).where(*counts, due > now).scalar_subquery()
        asked = select(func.count(), in_time, func.min(due), coming).select_from(WorkOrder).where(*among)
        total, done, first_due, next_due = ctx.session.execute(asked).one()
        waited = waiting.of_completed(ctx, *among)[None] if total else Waited()
        return OnTime(total, done, waited), min(next_due or ALWAYS, first_due + WINDOW if first_due else ALWAYS)

    return cached_query_until(ctx, ("orders_on_time", ctx.actor.site_scope, site), now, look)
