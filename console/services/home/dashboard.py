"""The published dashboard: what a period held and how its days went, counted by the database (API contract, 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, func, literal_column, select

from console.core.context import Context
from console.domain.audit.entry import detail_object
from console.domain.days import begins, last_days
from console.domain.inspections.risk import LEVELS
from console.domain.jobs import names as job_names
from console.domain.work_orders.words import STATUSES
from console.models.audit import AuditLog
from console.models.inspections import Inspection
from console.models.jobs import JobRun
from console.models.types import UtcDateTime
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.common.sql import rows_parameter, rows_value
from console.services.inspections import rows as inspections
from console.services.jobs import runs
from console.services.jobs.runs import Run
from console.services.work_orders import rows as orders

READ = ("admins:manage", "reports:read")
EXPORTS = ("report_monthly_export_csv", "report_monthly_export_pdf")
ESCALATED = "escalated"
# Somebody who sees some sites has these counted by their sites; nobody downloads as many reports.
_MOST_EXPORTS = 5_000


@dataclass(frozen=True)
class Summary:
    """What the last days held, within the caller's sites; instants are aware UTC.

    `overdue_open_count` and `escalated_open_count` are of now, whenever the orders were made. Runs of jobs and exports
    concern all sites: callers of some sites get no runs, and the exports of their sites alone.
    """

    generated_at: datetime
    site: str | None
    window_days: int
    inspections_total: int
    inspection_risk_counts: dict[str, int]
    work_orders_total: int
    work_order_status_counts: dict[str, int]
    overdue_open_count: int
    escalated_open_count: int
    report_export_count: int
    recent_job_runs: tuple[Run, ...]
    sla_recent_runs: int
    sla_warning_runs: int
    sla_last_run_at: datetime | None


@dataclass(frozen=True)
class Day:
    """What happened on one day; `date` is written YYYY-MM-DD."""

    date: str
    inspections_count: int
    work_orders_created_count: int
    work_orders_completed_count: int
    work_orders_escalated_count: int


@dataclass(frozen=True)
class Trends:
    """The days of a period, oldest first; `generated_at` is aware UTC."""

    generated_at: datetime
    site: str | None
    window_days: int
    points: tuple[Day, ...]


def summary(ctx: Context, site: str | None = None, *, days: int = 30, job_limit: int = 10) -> Summary:
    """Return what the last `days` days of 24 h held: six queries. Raises PermissionDenied and SiteDenied."""
    ctx.actor.require(*READ)
    ctx.actor.require_site(site)
    now = ctx.now()
    since = now - timedelta(days=days)
    risks, statuses = dict.fromkeys(LEVELS, 0), dict.fromkeys(STATUSES, 0)
    if _sees_nothing(ctx):
        return Summary(now, site, days, 0, risks, 0, statuses, 0, 0, 0, (), 0, 0, None)
    risks |= _grouped(ctx, Inspection.risk_level, Inspection.inspected_at >= since, _of_inspections(ctx, site))
    statuses |= _grouped(ctx, WorkOrder.status, WorkOrder.created_at >= since, _of_orders(ctx, site))
    late, escalated = ctx.session.execute(select(*_open(ctx, site, now))).one()
    ran, warned, last = ctx.session.execute(_sla_runs(since)).one()
    return Summary(
        generated_at=now,
        site=site,
        window_days=days,
        inspections_total=sum(risks.values()),
        inspection_risk_counts=risks,
        work_orders_total=sum(statuses.values()),
        work_order_status_counts=statuses,
        overdue_open_count=late,
        escalated_open_count=escalated,
        report_export_count=_exports(ctx, since),
        recent_job_runs=_recent(ctx, since, job_limit),
        sla_recent_runs=ran,
        sla_warning_runs=warned,
        sla_last_run_at=last,
    )


def trends(ctx: Context, site: str | None = None, *, days: int = 30, zone: tzinfo = UTC) -> Trends:
    """Return the last days up to today, one point for each day of `zone`: one query.

    Escalations are those of the orders themselves, so that a site has its own. Raises PermissionDenied, SiteDenied.
    """
    ctx.actor.require(*READ, orders.READ)
    ctx.actor.require_site(site)
    now = ctx.now()
    if _sees_nothing(ctx):
        return Trends(now, site, days, ())
    listed = last_days(now, zone, days)
    dialect = ctx.session.get_bind().dialect.name
    spans = enumerate(pairwise(begins(listed, zone)))
    given = rows_value(dialect, [{"place": place, "start": start, "until": until} for place, (start, until) in spans])
    found = ctx.session.execute(_by_day(dialect, _of_inspections(ctx, site), _of_orders(ctx, site)), {"days": given})
    counted = {row[0]: row[1:] for row in found}
    points = (Day(day.isoformat(), *counted[place]) for place, day in enumerate(listed))
    return Trends(now, site, days, tuple(points))


def _sees_nothing(ctx: Context) -> bool:
    return not ctx.actor.all_sites and not ctx.actor.site_scope


def _of_inspections(ctx: Context, site: str | None) -> ColumnElement[bool]:
    return inspections.visible(ctx.actor) if site is None else Inspection.site == site


def _of_orders(ctx: Context, site: str | None) -> ColumnElement[bool]:
    return orders.visible(ctx.actor) if site is None else WorkOrder.site == site


def _grouped(ctx: Context, column: Any, *where: ColumnElement[bool]) -> dict[str, int]:
    found = ctx.session.execute(select(column, func.count()).where(*where).group_by(column))
    return {row[0]: row[1] for row in found}


def _open(ctx: Context, site: str | None, now: datetime) -> list[ColumnElement[Any]]:
    mine = select(func.count()).select_from(WorkOrder).where(orders.OPEN, _of_orders(ctx, site))
    return [mine.where(one).scalar_subquery() for one in (WorkOrder.due_at < now, WorkOrder.is_escalated)]


def _sla_runs(since: datetime) -> Select[int, int, datetime | None]:
    # Counted among all runs of the job: those of other jobs would push them out of any list.
    return select(func.count(), func.count().filter(JobRun.status != "success"), func.max(JobRun.finished_at)).where(
        JobRun.job_name == job_names.SLA_ESCALATION, JobRun.finished_at >= since
    )


def _exports(ctx: Context, since: datetime) -> int:
    # The trail has them in the order of their numbers: what came before the window is not read.
    first = select(AuditLog.seq).where(AuditLog.created_at >= since)
    first = first.order_by(AuditLog.created_at, AuditLog.seq).limit(1)
    within = (AuditLog.action.in_(EXPORTS), AuditLog.seq >= first.scalar_subquery(), AuditLog.created_at >= since)
    if ctx.actor.all_sites:
        return ctx.session.scalar(select(func.count()).select_from(AuditLog).where(*within)) or 0
    found = ctx.session.scalars(select(AuditLog.detail_json).where(*within).limit(_MOST_EXPORTS))
    return sum(detail_object(one).get("site") in ctx.actor.site_scope for one in found)


def _recent(ctx: Context, since: datetime, most: int) -> tuple[Run, ...]:
    """Return the newest runs; they are of all sites, so callers of some get none."""
    if not ctx.actor.all_sites:
        return ()
    wanted = select(JobRun).where(JobRun.finished_at >= since)
    newest = wanted.order_by(JobRun.finished_at.desc(), JobRun.id.desc()).limit(most)
    return tuple(map(runs.view, ctx.session.scalars(newest)))


def _by_day(dialect: str, of_inspections: ColumnElement[bool], of_orders: ColumnElement[bool]) -> Select[Any]:
    """Count what happened within each day: a range of an index for each of them, on both databases.

    Only completed orders have an instant of completion, so their status is not asked for.
    """
    day = rows_parameter(dialect, "days", place=Integer(), start=UtcDateTime(), until=UtcDateTime())

    def within(at: Any, *conditions: ColumnElement[bool]) -> Select[int]:
        counted = select(func.count()).select_from(at.class_).where(at >= day.c.start, at < day.c.until, *conditions)
        return counted.correlate(day)

    escalated = within(WorkOrderEvent.created_at, WorkOrderEvent.event_type == literal_column(f"'{ESCALATED}'"))
    parts = (
        within(Inspection.inspected_at, of_inspections),
        within(WorkOrder.created_at, of_orders),
        within(WorkOrder.completed_at, of_orders),
        escalated.join(WorkOrder, WorkOrder.id == WorkOrderEvent.work_order_id).where(of_orders),
    )
    return select(day.c.place, *(part.scalar_subquery() for part in parts))
