"""The monthly report, for automation, and as a sheet to print (API contract, monthly reports)."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from flask_openapi3.models.tag import Tag

from console.domain.reports.monthly import MonthlyReport, file_name
from console.inputs.monthly import MonthlyCsvQuery, MonthlyQuery, MonthlyReportOut
from console.services.reports import month_sheet, monthly
from console.services.reports.monthly import EXPORT, PUBLISHED, READ
from console.ui.reader import locale
from console.ui.responses import answer, download
from console.ui.times import localtime
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, current_actor, web_context

URL = "/api/reports/monthly"
api = ApiBlueprint(
    "monthly_api", __name__, abp_tags=[Tag(name="monthly report", description="Monthly reports of sites")]
)
pages = Blueprint("monthly_sheet", __name__)


@api.get(URL, responses={200: MonthlyReportOut})
@access(READ)
def report(query: MonthlyQuery) -> Response:
    """Return the figures of a month; those of a closed month stay as they were closed."""
    return answer(_report(query), MonthlyReportOut)


@api.get(f"{URL}/csv")
@access(EXPORT, writes=True)
def csv(query: MonthlyCsvQuery) -> Response:
    """Return the same figures as CSV."""
    made = _report(query)
    monthly.record_export(web_context(), made, "csv")
    return download(monthly.csv_of(made, bom=query.bom), file_name(made, "csv"))


@api.get(f"{URL}/pdf")
@access(EXPORT, writes=False)
def pdf(query: MonthlyQuery) -> Response:
    """Return the same figures as a sheet of paper (A4)."""
    ctx, made = web_context(), _report(query)
    language, made_at = _reader(made)
    content = month_sheet.draw(made, language, made_at=made_at)
    # Drawn before the transaction may write: nobody waits for the drawing.
    ctx.begin_write()
    monthly.record_export(ctx, made, "pdf")
    return download(content, file_name(made, "pdf"), "application/pdf")


@pages.get("/reports/monthly/print")
@access(READ)
def sheet() -> str:
    """Show the figures of a month as a sheet of paper (A4); programs get its published English labels."""
    query = MonthlyQuery.model_validate(request.args.to_dict())
    made = _report(query)
    language, made_at = _reader(made)
    return render_template(
        "reports/month_sheet.html", sheet=month_sheet.sheet(made, language, made_at=made_at), language=language
    )


def _report(query: MonthlyQuery) -> MonthlyReport:
    return monthly.report(web_context(), query.month, query.site, zone=query.zone, as_of=query.as_of)


def _reader(made: MonthlyReport) -> tuple[str, str | None]:
    """Return language and time for people; programs get the published English and no words of people."""
    if current_actor().kind not in ("session", "local"):
        return PUBLISHED, None
    return locale(), localtime(made.generated_at, "full", made.time_zone)
