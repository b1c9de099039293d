"""The monthly report: counted for the month under way, read from the closed version afterwards."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from console.core.context import Context
from console.core.serialize import BOM, csv_line
from console.domain.errors import Invalid
from console.domain.reports import monthly as rules
from console.domain.reports import periods
from console.domain.reports.council import FROZEN
from console.domain.reports.monthly import Frozen, MonthlyReport
from console.domain.reports.periods import Period
from console.domain.text import T
from console.models.monthly_reports import MonthlyReportVersion
from console.services.audit import record as audit
from console.services.identity import sites
from console.services.reports import month_counts

READ, EXPORT = "reports:read", "reports:export"
TYPE = "report"
PUBLISHED = "en"


def report(
    ctx: Context,
    month: str | None = None,
    site: str | None = None,
    *,
    zone: str | None = None,
    as_of: datetime | None = None,
) -> MonthlyReport:
    """Return the report of a month of a site, or of all sites that the caller may see.

    The month is one of `zone`, by default that of the site; figures are of now, or of `as_of` (aware UTC). What a site
    closed is told as it was closed, unless zone or instant ask for something else. Raises PermissionDenied, SiteDenied,
    BadRequest for what is no month, Invalid for an instant that has not come.
    """
    ctx.actor.require(READ, EXPORT)
    ctx.actor.require_site(site)
    now = ctx.now()
    counted = ZoneInfo(zone) if zone else sites.zone_of(ctx, site)
    # Published: any month is counted, also one that has not begun; only closing asks for more.
    period = periods.month_named(month, counted) if month else periods.month_at(now, counted)
    if as_of is not None and as_of > now:
        raise Invalid.field("as_of", T("The instant lies in the future"), where="query")
    if site is not None and as_of is None and (closed := _closed(ctx, site, period, zone)) is not None:
        return closed
    return MonthlyReport(
        month=period.label,
        site=site,
        generated_at=now,
        inspections=month_counts.inspections(ctx, period.start, period.end, site, as_of),
        work_orders=month_counts.orders(ctx, period.start, period.end, site, as_of),
        time_zone=period.time_zone,
        period_start=period.start,
        period_end=period.end,
        sites=(site,) if site is not None else ctx.actor.site_scope,
        as_of=as_of or now,
        frozen=None,
    )


def _closed(ctx: Context, site: str, period: Period, zone: str | None) -> MonthlyReport | None:
    """Return the report that a month of a site was closed with; figures of another zone's month are not those."""
    row = ctx.session.execute(
        select(
            *(MonthlyReportVersion.version, MonthlyReportVersion.frozen_at, MonthlyReportVersion.archive_sha256),
            MonthlyReportVersion.figures,
        )
        .where(
            MonthlyReportVersion.site == site,
            MonthlyReportVersion.month == period.label,
            MonthlyReportVersion.state == FROZEN,
        )
        .order_by(MonthlyReportVersion.version.desc())
        .limit(1)
    ).one_or_none()
    if row is None or zone not in (None, row.figures["time_zone"]):
        return None
    found = row.figures
    return MonthlyReport(
        month=period.label,
        site=site,
        generated_at=datetime.fromisoformat(found["generated_at"]),
        inspections=rules.inspections_of(found["inspections"]),
        work_orders=rules.orders_of(found["work_orders"]),
        time_zone=found["time_zone"],
        period_start=datetime.fromisoformat(found["period_start"]),
        period_end=datetime.fromisoformat(found["period_end"]),
        sites=(site,),
        as_of=datetime.fromisoformat(found["generated_at"]),
        frozen=Frozen(row.version, row.frozen_at, row.archive_sha256),
    )


def csv_of(made: MonthlyReport, *, bom: bool = False) -> str:
    """Write a report as the published CSV."""
    return (BOM if bom else "") + "".join(csv_line(row) for row in rules.csv_rows(made))


def record_export(ctx: Context, made: MonthlyReport, form: str) -> None:
    """Put a download on record; `form` is `csv` or `pdf`."""
    detail = {"total": made.work_orders.total, "version": made.frozen.version if made.frozen else None}
    named = f"{made.month}:{made.scope}"
    audit.record(ctx, f"report_monthly_export_{form}", TYPE, named, detail={"site": made.site, **detail})


def record_paper(ctx: Context, month: str, site: str, *, version: int, language: str) -> None:
    """Put the download of a council's paper on record; it counts as an export of the report."""
    detail = {"site": site, "version": version, "language": language, "paper": "council"}
    audit.record(ctx, "report_monthly_export_pdf", TYPE, f"{month}:{site}", detail=detail)
