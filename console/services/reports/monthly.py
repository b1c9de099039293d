"""The monthly report: counted for the month under way, read from the closed version afterwards."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from console.core.context import Context
from console.core.serialize import BOM, csv_line
from console.domain.reports import monthly as rules
from console.domain.reports.monthly import MonthlyReport
from console.services.audit import record as audit
from console.services.identity import sites
from console.services.reports import month_counts

READ, EXPORT = "reports:read", "reports:export"
TYPE = "report"
PUBLISHED = "en"


def report(ctx: Context, month: str | None = None, site: str | None = None, zone: str | None = None) -> MonthlyReport:
    """Return the report of a month of a site, or of all sites that the caller may see.

    The month is one of `zone`, by default that of the site. Raises PermissionDenied, SiteDenied, BadRequest for what is
    no month, Invalid for one that has not begun.
    """
    ctx.actor.require(READ, EXPORT)
    ctx.actor.require_site(site)
    now = ctx.now()
    period = rules.month_of(month, ZoneInfo(zone) if zone else sites.zone_of(ctx, site), now)
    return MonthlyReport(
        month=period.label,
        site=site,
        generated_at=now,
        inspections=month_counts.inspections(ctx, period.start, period.end, site),
        work_orders=month_counts.orders(ctx, period.start, period.end, site),
        time_zone=period.time_zone,
        period_start=period.start,
        period_end=period.end,
        sites=(site,) if site is not None else ctx.actor.site_scope,
        frozen=None,
    )


def csv_of(made: MonthlyReport, *, bom: bool = False) -> str:
    """Write a report as the published CSV."""
    return (BOM if bom else "") + "".join(csv_line(row) for row in rules.csv_rows(made))


def record_export(ctx: Context, made: MonthlyReport, form: str) -> None:
    """Put a download on record; `form` is `csv` or `pdf`."""
    detail = {"total": made.work_orders.total, "version": made.frozen.version if made.frozen else None}
    named = f"{made.month}:{made.scope}"
    audit.record(ctx, f"report_monthly_export_{form}", TYPE, named, detail={"site": made.site, **detail})
