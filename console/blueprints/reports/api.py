"""Quality reports and their streak, for automation (API contract, quality reports)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.core.serialize import plain
from console.domain.reports.periods import MONTHLY, WEEKLY, Period
from console.domain.reports.quality import as_document
from console.inputs.reports import (
    CsvQuery,
    MonthCsvQuery,
    MonthQuery,
    QualityReportOut,
    QualityRunOut,
    RunQuery,
    StreakOut,
)
from console.services.audit import record as audit
from console.services.jobs.requests import RUN
from console.services.reports import quality
from console.ui.responses import answer, download, file_stamp
from console.ui.runs import run_endpoint
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

Q = "/api/ops/reports/quality"
api = ApiBlueprint(
    "reports_api", __name__, abp_tags=[Tag(name="reports", description="Weekly and monthly quality reports")]
)


@api.get(f"{Q}/weekly", responses={200: QualityReportOut})
@access(*quality.READ)
def weekly() -> Response:
    """Return the report of the last seven days; nothing is stored."""
    return _answered(quality.recent(web_context(), WEEKLY))


@api.get(f"{Q}/weekly/csv")
@access(*quality.READ, writes=True)
def weekly_csv(query: CsvQuery) -> Response:
    """Return the same report as CSV."""
    ctx = web_context()
    text = quality.exported(ctx, quality.recent(ctx, WEEKLY), bom=query.bom)
    return download(text, f"ops-quality-weekly-{file_stamp(ctx.now())}.csv")


@api.get(f"{Q}/weekly/streak", responses={200: StreakOut})
@access(*quality.READ)
def weekly_streak() -> Response:
    """Return how many weeks in a row have a report."""
    ctx = web_context()
    found = quality.streak(ctx)
    audit.viewed(ctx, "ops_quality_report_weekly_streak_view", quality.TYPE, "weekly_streak", met=found.target_met)
    return answer(found, StreakOut)


@api.get(f"{Q}/monthly", responses={200: QualityReportOut})
@access(*quality.READ)
def monthly(query: MonthQuery) -> Response:
    """Return the report of a UTC month, by default the one under way; nothing is stored."""
    return _answered(quality.recent(web_context(), MONTHLY, query.month))


@api.get(f"{Q}/monthly/csv")
@access(*quality.READ, writes=True)
def monthly_csv(query: MonthCsvQuery) -> Response:
    """Return the same report as CSV."""
    ctx = web_context()
    period = quality.recent(ctx, MONTHLY, query.month)
    return download(quality.exported(ctx, period, bom=query.bom), f"ops-quality-monthly-{period.label}.csv")


@api.post(f"{Q}/run", responses={200: QualityRunOut})
@access(*RUN)
def run(query: RunQuery) -> Response:
    """Make a report and keep it with its archives; `Prefer: respond-async` queues it."""
    options = {"period": "recent"}
    if query.window == MONTHLY:
        # What is no month is refused before there is a run of it.
        quality.recent(web_context(), MONTHLY, query.month)
        options |= {"month": query.month} if query.month else {}
    return run_endpoint(quality.JOBS[query.window], options, QualityRunOut)


def _answered(period: Period) -> Response:
    ctx = web_context()
    made = quality.report(ctx, period)
    audit.viewed(ctx, f"ops_quality_report_{period.window}_view", quality.TYPE, period.label, status=made.status)
    return answer(plain(as_document(made)), QualityReportOut)
