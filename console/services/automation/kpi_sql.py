"""The figures of the remediation tracker, counted inside its indexes (API contract, SLA metrics and KPI)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Interval, Select, func, literal, literal_column, select

from console.core.context import Context
from console.domain.automation import kpi
from console.domain.automation.kpi import KpiMetrics
from console.domain.tracker.tracker import REMEDIATION, Tally
from console.models.tracker import TrackerCommand, TrackerEvent, TrackerItem
from console.services.common import sql
from console.services.common.query_cache import cached_query
from console.services.tracker import rows, tallies
from console.services.tracker import summary as tracker

# Names of assignees are free text; the answer has those with the most items.
ASSIGNEES_MOST = 500
UNASSIGNED = "unassigned"


def scope(ctx: Context, site: str | None = None) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the remediation items that the caller sees (of one site); raises SiteDenied."""
    tracker.check_site(ctx, site)
    conditions = (sql.likely(ctx, TrackerItem.tracker == REMEDIATION.key), rows.visible(ctx.actor))
    return conditions if site is None else (*conditions, TrackerItem.site_key == site)


def metrics(
    ctx: Context, now: datetime, *, window_days: int, due_soon_hours: int, site: str | None = None
) -> KpiMetrics:
    """Return the figures at `now` (aware UTC) of what the caller sees: four queries of index ranges."""
    counts = tracker.tally(ctx, REMEDIATION, now, site, closed=True)
    more = select(*_more(ctx, now, window_days, due_soon_hours, site))
    unassigned, soon, finished, taken_back = tuple(ctx.session.execute(more).one())
    key = ("ages", ctx.actor.site_scope, site)
    average, oldest, middle = cached_query(ctx, key, lambda: _ages(ctx, counts, site))
    done = finished - taken_back
    return KpiMetrics(
        total_items=counts.total + counts.closed,
        active_items=counts.total,
        open_items=counts.open,
        pending_count=counts.pending,
        in_progress_count=counts.in_progress,
        done_count=counts.done,
        blocked_count=counts.blocked,
        completion_rate_percent=kpi.completion_rate(counts.done, counts.total),
        critical_open_count=counts.critical_open,
        unassigned_open_count=unassigned,
        overdue_count=counts.overdue,
        due_soon_count=soon,
        done_last_window_count=done,
        throughput_per_day=kpi.throughput(done, window_days),
        avg_open_age_hours=_hours_since(average, now),
        median_open_age_hours=_hours_since(middle, now),
        oldest_open_age_hours=_hours_since(oldest, now),
    )


def _more(
    ctx: Context, now: datetime, window_days: int, due_soon_hours: int, site: str | None
) -> tuple[ColumnElement[int], ...]:
    mine = scope(ctx, site)
    since = now - timedelta(days=window_days)

    def number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return select(func.count()).select_from(TrackerItem).where(*mine, *conditions).scalar_subquery()

    soon = number(rows.due_soon(now, due_soon_hours)) if due_soon_hours else literal_column("0")
    done = select(func.count()).select_from(TrackerEvent).where(*rows.became_done(ctx, REMEDIATION, since, site))
    # Work that was taken back within seconds was never finished. Taken from the commands, of which few are undone.
    undone = select(TrackerCommand.id).where(
        TrackerCommand.tracker == REMEDIATION.key, TrackerCommand.undone_at.is_not(None), TrackerCommand.at >= since
    )
    back = done.where(TrackerEvent.command_id.is_not(None), TrackerEvent.command_id.in_(undone))
    unassigned = tallies.number(ctx.actor, (REMEDIATION,), "unassigned_open", None if site is None else (site,))
    return unassigned, soon, done.scalar_subquery(), back.scalar_subquery()


def _ages(ctx: Context, counts: Tally, site: str | None) -> tuple[float | None, float | None, float | None]:
    """Return average, oldest and median opening time of open items in seconds since 1970."""
    if not counts.open:
        return None, None, None
    open_items = (*scope(ctx, site), rows.OPEN)
    average, oldest = ctx.session.execute(
        select(_average(ctx), func.min(TrackerItem.opened_at)).select_from(TrackerItem).where(*open_items)
    ).one()
    # The middle one, or the mean of the middle two, by position in the index.
    wanted = 2 - counts.open % 2
    middle = ctx.session.scalars(
        select(TrackerItem.opened_at)
        .where(*open_items)
        .order_by(TrackerItem.opened_at)
        .offset((counts.open - 1) // 2)
        .limit(wanted)
    ).all()
    known = [at.timestamp() for at in middle]
    return _seconds(average), oldest.timestamp(), sum(known) / len(known) if known else None


_START = datetime(1970, 1, 1, tzinfo=UTC)


def _average(ctx: Context) -> ColumnElement[Any]:
    if ctx.session.get_bind().dialect.name == "postgresql":
        # Of intervals: numbers would be exact decimals, which take twice as long to add up.
        return func.avg(TrackerItem.opened_at - literal(_START, TrackerItem.opened_at.type), type_=Interval)
    # Old versions of SQLite know no other function with fractions of a second.
    return func.avg(func.julianday(TrackerItem.opened_at))


def _seconds(average: timedelta | float) -> float:
    if isinstance(average, timedelta):
        return average.total_seconds()
    return (average - 2440587.5) * 86400


def _hours_since(seconds: float | None, now: datetime) -> float:
    return 0.0 if seconds is None else kpi.hours(now.astimezone(UTC).timestamp() - seconds)


def assignee_counts(ctx: Context, site: str | None = None) -> dict[str, int]:
    """Return open items per assignee, `unassigned` for those without, the most first; long lists are cut.

    Items whose assignee is written like that word count among those without.
    """
    number = func.count().label("number")
    statement = (
        select(TrackerItem.assignee, number)
        .where(*scope(ctx, site), rows.OPEN)
        .group_by(TrackerItem.assignee)
        .order_by(number.desc(), TrackerItem.assignee)
        .limit(ASSIGNEES_MOST)
    )
    key = ("assignee_counts", ctx.actor.site_scope, site)
    found = cached_query(ctx, key, lambda: ctx.session.execute(statement).all())
    counts: Counter[str] = Counter()
    for row in found:
        counts[row.assignee or UNASSIGNED] += row.number
    return dict(counts.most_common())


def first_items(
    ctx: Context, columns: Iterable[Any], *conditions: ColumnElement[bool], site: str | None = None, most: int = 10
) -> Select[Any]:
    """Return the SELECT of the most urgent open items: by priority, deadline, id."""
    return (
        select(*columns)
        .where(*scope(ctx, site), rows.OPEN, *conditions)
        .order_by(TrackerItem.priority, TrackerItem.due_at, TrackerItem.id)
        .limit(most)
    )
