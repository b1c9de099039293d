"""The page of quality reports: the newest figures, the weeks in a row, the archives, and a run by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.core import listing
from console.domain.archives.archives import QUALITY_REPORT
from console.domain.reports import periods
from console.domain.reports import quality as rules
from console.domain.reports.periods import MONTHLY, WEEKLY
from console.domain.text import N_, T, Text
from console.services.archives import files
from console.services.archives import lists as archive_lists
from console.services.common import lists
from console.services.jobs import registry
from console.services.jobs.requests import RUN
from console.services.jobs.runs import Run
from console.services.reports import page as report_page
from console.services.reports import quality
from console.services.reports.page import PageData, Week
from console.ui import runs
from console.ui.addresses import url_if
from console.ui.labels import reports as words
from console.ui.lists import download_rows, opened
from console.ui.navigation import tab
from console.ui.responses import download, fragment_of, menu_of, vary
from console.ui.times import axis_day, date_span, localdate, month_name
from console.web.negotiation import wants_fragment
from console.web.request import access, current_actor, web_context

READ = quality.READ
pages = Blueprint("reports", __name__)
NAV = tab("evidence", 25, "reports.page", N_("Quality reports"), READ)
SPEC = archive_lists.spec("quality_archives", QUALITY_REPORT, READ)
WINDOWS = ((WEEKLY, N_("Weekly")), (MONTHLY, N_("Monthly")))


@pages.app_template_filter()
def archive_state(state: str) -> Any:
    """Return the word of what became of an archive, with its tone."""
    return words.archive_state(state)


pages.app_template_filter("rate_shown")(rules.shown)
pages.app_template_filter("report_headline")(rules.headline)
pages.app_template_filter("jobs_worst_first")(rules.worst_first)


@pages.app_template_filter()
def job_title(name: str) -> str:
    """Return the message id of a job's title."""
    return registry.title_of(name)


@pages.app_template_filter()
def period_name(label: str) -> str:
    """Return a period as people say it: the month, or the first and last day of the week."""
    window, first, last = periods.span_of(label)
    return month_name(first) if window == MONTHLY else date_span(first, last)


@pages.app_template_filter()
def short_label(label: str) -> str:
    """Return what stands below the bar of a report: the month, or the day that the week begins."""
    window, first, _last = periods.span_of(label)
    return month_name(first) if window == MONTHLY else axis_day(first)


@pages.app_template_filter("axis_day")
def _axis_day(day: str) -> str:
    return axis_day(date.fromisoformat(day))


@pages.app_template_filter()
def file_format(name: str) -> str:
    """Return the format of a file by its name, with the language of a paper."""
    parts = name.upper().rsplit(".", 2)
    return f"PDF ({parts[1]})" if parts[-1] == "PDF" and len(parts) == 3 else parts[-1]


@pages.app_template_filter()
def week_cell(week: Week) -> dict[str, Any]:
    """Return the cell of a week for `chart.strip`."""
    tone = {None: "none", "warning": "soon"}.get(week.status, "ok")
    said = {"none": _("no report"), "soon": _("report with critical findings"), "ok": _("report")}[tone]
    url = url_for("reports.page", report=week.run_id) if week.run_id else None
    return {"tone": tone, "title": _("Week of %(day)s: %(what)s", day=localdate(week.monday), what=said), "url": url}


def _window() -> str:
    asked = request.args.get("window", WEEKLY)
    return asked if asked in dict(WINDOWS) else WEEKLY


def _list() -> dict[str, Any]:
    ctx = web_context()
    found = opened(SPEC, lambda query: lists.run(ctx, SPEC, query), extra=("window", "report"))
    seen = replace(found, rows=archive_lists.verified(ctx, found.rows))
    return {"data": seen, "url": url_for("reports.page"), "csv_url": url_for("reports.csv")}


@pages.get("/ops/quality")
@access(*READ)
def page() -> Response:
    """Show a stored report, the newest one unless another is named, and the archives."""
    made = _list()
    if (asked := menu_of(made["data"], made["url"])) is not None:
        return asked
    if wants_fragment():
        return vary(Response(fragment_of("reports.archives", made.pop("data"), **made)))
    ctx, window = web_context(), _window()
    data = report_page.page_data(ctx, window, request.args.get("report", type=int))
    values = {
        "data": data,
        "archives": made,
        "windows": [(_(label), url_for("reports.page", window=word), word == window) for word, label in WINDOWS],
        "links": _links(data),
        "panel": _panel(window, report_page.current_run(ctx, window)),
    }
    return vary(Response(render_template("reports/page.html", **values)))


def _links(data: PageData) -> dict[str, Any]:
    document = data.document
    if document is None:
        return {"runs": lambda **_more: None, "alerts": None, "security": None, "preflight": None}
    listed = document["summary"]["days"]
    days = {"since": listed[0]["day"], "until": listed[-1]["day"]}
    return {
        "runs": lambda **more: url_if("jobs.page", **days, **more),
        "run": url_if("jobs.run", run_id=data.run.id) if data.run else None,
        "alerts": url_if("alerts.page"),
        "security": url_if("ops_security.page"),
        "preflight": url_if("preflight.page"),
        "report": lambda run_id: url_for("reports.page", window=data.window, report=run_id),
    }


@pages.get("/ops/quality/archives.csv")
@access(*READ)
def csv() -> Response:
    """Download the archives that the list shows, as CSV."""
    query = listing.parse(SPEC, request.args, extra=("window", "report"))
    lists.matching(web_context(), SPEC, query, web_context().now())
    return download_rows(
        SPEC,
        query,
        lambda reading: archive_lists.stream(reading, SPEC, query),
        listing.csv_columns(SPEC),
        "quality-archives.csv",
    )


@pages.get("/ops/quality/archives/<int:file_id>")
@access(*READ)
def archive(file_id: int) -> Response:
    """Download an archive as the run wrote it."""
    found = files.content_of(web_context(), file_id, QUALITY_REPORT)
    return download(found.content, found.name, found.media_type)


@pages.post("/ops/quality/run")
@access(*RUN)
def start() -> ResponseReturnValue:
    """Ask a worker for the report of the last finished week or month, or of the month that is named."""
    window = request.form.get("window", WEEKLY)
    window = window if window in dict(WINDOWS) else WEEKLY
    month = request.form.get("month", "").strip()
    options = {"month": month} if window == MONTHLY and month else {}
    made = runs.ask(registry.get(quality.JOBS[window]), options, dry_run=request.form.get("dry_run") == "1")
    if not wants_fragment():
        return redirect(url_for("reports.page", window=window), 303)
    return vary(Response(_panel_text(window, made)))


@pages.get("/ops/quality/panel/<window>")
@access(*READ)
def panel(window: str) -> ResponseReturnValue:
    """Return the button that makes a report with its progress; 286 ends the asking."""
    window = window if window in dict(WINDOWS) else WEEKLY
    if not wants_fragment():
        return redirect(url_for("reports.page", window=window), 303)
    found = report_page.current_run(web_context(), window)
    status = 200 if found is not None and found.state != "finished" else 286
    return vary(Response(_panel_text(window, found), status))


def _panel(window: str, found: Run | None) -> dict[str, Any]:
    job = registry.get(quality.JOBS[window])
    address = None
    if found is not None:
        shown = found.executed and not found.dry_run
        address = (
            url_for("reports.page", window=window, report=found.id) if shown else url_if("jobs.run", run_id=found.id)
        )
    return {
        "run": found and runs.panel_of(found, _summary(found)),
        "job": {"name": job.name, "title": job.title, "text": job.sentence},
        "window": window,
        "start_url": url_for("reports.start") if any(map(current_actor().can, RUN)) else None,
        "panel_url": url_for("reports.panel", window=window),
        "run_url": address,
    }


def _panel_text(window: str, found: Run | None) -> str:
    values = _panel(window, found)
    return fragment_of("reports.start", values.pop("run"), **values)


def _summary(found: Run) -> Text | None:
    document = found.detail.get("report")
    if not document:
        return None
    return T("%(label)s: %(what)s", label=period_name(document["label"]), what=(rules.headline(document["summary"]),))
