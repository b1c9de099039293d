"""What the overview says of the facility: its figures, each site in a line, the last days, what became of alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from console.core.context import Context
from console.core.revisions import ALWAYS
from console.domain.alerts.alerts import DROPPED, SUCCESS
from console.domain.days import day_of
from console.domain.work_orders.on_time import SiteOnTime
from console.models.alerts import AlertDelivery
from console.models.work_orders import WorkOrder
from console.services.alerts import outbox
from console.services.alerts import week as alert_figures
from console.services.common.figures import Counted, Figure, arguments, counted
from console.services.common.query_cache import cached_query_until
from console.services.home import dashboard
from console.services.home import figures as register
from console.services.home.dashboard import Day
from console.services.identity import sites
from console.services.inspections import figures as inspections
from console.services.work_orders import figures as orders
from console.services.work_orders import on_time, rows

DAYS = 14


@dataclass(frozen=True)
class SiteLine:
    """One site: its figures in the order of the table, those of orders before those of inspections.

    `on_time` is None for who may not read orders, and where nothing was due.
    """

    name: str
    figures: tuple[Counted, ...]
    on_time: SiteOnTime | None = None


@dataclass(frozen=True)
class Alerts:
    """What became of the alerts of the last seven days; the share is None when there were none."""

    raised: Counted
    delivered: Counted

    @property
    def percent(self) -> float | None:
        """Return how many of a hundred arrived."""
        return round(100 * self.delivered.value / self.raised.value, 1) if self.raised.value else None


def figures(ctx: Context, site: str | None) -> tuple[Counted, ...]:
    """Return the figures of the day in their order, those that the caller may see."""
    found = (counted(ctx, one, site) for one in register.TODAY)
    return tuple(one for one in found if one is not None)


def site_lines(ctx: Context, site: str | None) -> tuple[SiteLine, ...]:
    """Return a line for each site that the caller may see, the most late first: four queries, or none."""
    names = [one for one in sites.names(ctx) if site is None or one == site]
    may = ctx.actor.can
    if len(names) < 2 and site is None:
        return ()
    counts = _orders_by_site(ctx) if may(rows.READ) else None
    kept = on_time.by_site(ctx) if may(rows.READ) else {}
    done = inspections.today(ctx) if any(map(may, inspections.TODAY.read)) else None
    dangers = inspections.unordered(ctx) if done is not None else {}

    def line(name: str) -> SiteLine:
        made: list[Counted] = []
        if counts is not None:
            held, late = counts.get(name, (0, 0))
            made += [_of(orders.OPEN, name, held), _of(orders.LATE, name, late)]
        if done is not None:
            seen = done.get(name, {})
            made += [
                _of(inspections.UNORDERED, name, dangers.get(name, 0)),
                _of(inspections.TODAY, name, sum(seen.values())),
            ]
        return SiteLine(name, tuple(made), kept.get(name))

    if counts is None and done is None:
        return ()
    late_of = counts or {}
    return tuple(line(name) for name in sorted(names, key=lambda name: (-late_of.get(name, (0, 0))[1], name)))


def _of(figure: Figure, site: str, value: int) -> Counted:
    return Counted(figure, value, arguments(figure, site))


def _orders_by_site(ctx: Context) -> dict[str, tuple[int, int]]:
    now = ctx.now()
    due = WorkOrder.due_at

    def look() -> tuple[dict[str, tuple[int, int]], datetime]:
        grouped = (
            select(
                WorkOrder.site,
                func.count(),
                func.count().filter(due < now),
                func.min(due).filter(due >= now),
            )
            .where(rows.OPEN, rows.visible(ctx.actor))
            .group_by(WorkOrder.site)
        )
        found = ctx.session.execute(grouped).all()
        until = min((row[3] for row in found if row[3] is not None), default=ALWAYS)
        return {row[0]: (row[1], row[2]) for row in found}, until

    return cached_query_until(ctx, ("orders_by_site", ctx.actor.site_scope), now, look)


def days(ctx: Context, site: str | None) -> tuple[Day, ...]:
    """Return the last 14 days of the business zone, the newest last: one query, or none."""
    if not ctx.actor.can(rows.READ):
        return ()
    zone, now = ctx.zone, ctx.now()
    start, following = day_of(now, zone)

    def look() -> tuple[tuple[Day, ...], datetime]:
        return dashboard.trends(ctx, site, days=DAYS, zone=zone).points, following - timedelta(microseconds=1)

    return cached_query_until(ctx, ("days", ctx.actor.site_scope, site, start), now, look)


def alerts(ctx: Context) -> Alerts | None:
    """Return what became of the alerts of a week, None without their permission: one query, or none."""
    if not any(map(ctx.actor.can, outbox.READ)):
        return None
    given = alert_figures.given(ctx.now())
    since = datetime.fromisoformat(given["since"])

    def look() -> tuple[tuple[int, int], datetime]:
        week = (AlertDelivery.created_at >= since, AlertDelivery.status != DROPPED, *outbox.visible(ctx))
        arrived = func.count().filter(AlertDelivery.status == SUCCESS)
        row = ctx.session.execute(select(func.count(), arrived).where(*week)).one()
        return (row[0], row[1]), ctx.now()

    sent, arrived = cached_query_until(ctx, ("alerts_of_week", ctx.actor.site_scope, since), ctx.now(), look)
    return Alerts(
        Counted(alert_figures.RAISED, sent, arguments(alert_figures.RAISED, **given)),
        Counted(alert_figures.DELIVERED, arrived, arguments(alert_figures.DELIVERED, **given)),
    )
