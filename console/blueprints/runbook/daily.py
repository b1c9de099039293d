"""The daily check and the monthly review of the runbook gate, for automation and for people."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.blueprints.runbook.sources import rows_of
from console.core.serialize import BOM, csv_text, plain
from console.domain.jobs import names as job_names
from console.domain.text import N_, T, Text
from console.inputs.daily import (
    ArchiveCsvQuery,
    ArchiveQuery,
    CsvQuery,
    LatestOut,
    LatestQuery,
    ReviewOut,
    ReviewQuery,
    RunOut,
    SummaryOut,
)
from console.inputs.response_models import shape
from console.services.audit import record as audit
from console.services.jobs import registry
from console.services.jobs.requests import RUN
from console.services.jobs.runs import Run
from console.services.jobs.strip import StripDay
from console.services.runbook import daily, daily_page, daily_runs, review
from console.services.runbook.daily_runs import Archive
from console.ui import runs
from console.ui.addresses import url_if
from console.ui.labels import runbook as ops_words
from console.ui.labels.common import status_word
from console.ui.navigation import tab
from console.ui.responses import answer, download, file_stamp, fragment_of, show, vary, wants_bom
from console.ui.runs import run_endpoint
from console.ui.slices import slice_headers
from console.ui.times import localdate
from console.web.api_blueprint import ApiBlueprint
from console.web.negotiation import wants_fragment
from console.web.request import access, current_actor, web_context

ArchiveOut = shape(Archive, "DailyCheckArchiveOut")
R = "/api/ops/runbook"
READ = daily_runs.READ
TYPE = daily_runs.TYPE

pages = Blueprint("daily_check", __name__)
NAV = tab("evidence", 20, "daily_check.page", N_("Runbook and daily check"), READ)
api = ApiBlueprint("daily_check_api", __name__, abp_tags=[Tag(name="operations", description="How the platform is")])


@api.post(f"{R}/checks/run", responses={200: RunOut})
@access(*RUN)
def checks_run() -> Response:
    """Judge all runbook checks, tell whoever has to know and keep the result; `Prefer: respond-async` queues it."""
    return run_endpoint(job_names.DAILY_CHECK, model=RunOut)


@api.get(f"{R}/checks/latest", responses={200: LatestOut})
@access(*READ)
def checks_latest(query: LatestQuery) -> Response:
    """Return the newest daily check; 404 before the first."""
    ctx = web_context()
    found = daily_runs.latest(ctx)
    audit.viewed(ctx, "ops_runbook_daily_check_latest_view", TYPE, found.id)
    return answer(plain(daily_runs.flat(found, include_checks=query.include_checks)), LatestOut)


@api.get(f"{R}/checks/latest/summary.json", responses={200: SummaryOut})
@access(*READ)
def summary_json() -> Response:
    """Return the newest daily check in short; 404 before the first."""
    ctx = web_context()
    found = daily_runs.latest(ctx)
    audit.viewed(ctx, "ops_runbook_daily_check_summary_json_view", TYPE, found.id)
    made = {
        "generated_at": ctx.now(),
        "job_name": found.job_name,
        "summary": daily_runs.summary_of(found),
        "archive": found.detail.get("archive"),
    }
    return answer(plain(made), SummaryOut)


@api.get(f"{R}/checks/latest/summary.csv")
@access(*READ, writes=True)
def summary_csv(query: CsvQuery) -> Response:
    """Return the same as CSV."""
    ctx = web_context()
    found = daily_runs.latest(ctx)
    filename = f"ops-daily-check-summary-{file_stamp(ctx.now())}.csv"
    audit.record(ctx, "ops_runbook_daily_check_summary_csv_export", TYPE, found.id, detail={"file": filename})
    return download((BOM if query.bom else "") + daily.csv_of(plain(daily_runs.summary_of(found))), filename)


@api.get(f"{R}/checks/archive.json", responses={200: ArchiveOut})
@access(*READ)
def archive_json(query: ArchiveQuery) -> Response:
    """Return the newest daily checks with what became of their files; X-Total-Count tells how many there are."""
    ctx = web_context()
    found = daily_runs.archive(ctx, **query.model_dump())
    audit.viewed(ctx, "ops_runbook_daily_check_archive_json_view", TYPE, "archive", count=found.count)
    return answer(found, ArchiveOut, headers=slice_headers(found.total))


@api.get(f"{R}/checks/archive.csv")
@access(*READ, rate="auth-heavy", writes=True)
def archive_csv(query: ArchiveCsvQuery) -> Response:
    """Return the same as CSV."""
    return _archive_download(**query.model_dump())


def _archive_download(*, bom: bool, **wanted: Any) -> Response:
    ctx = web_context()
    found = daily_runs.archive(ctx, **wanted)
    filename = f"ops-daily-check-archive-{file_stamp(ctx.now())}.csv"
    detail = {"count": found.count}
    audit.record(ctx, "ops_runbook_daily_check_archive_csv_export", TYPE, filename, detail=detail)
    text = csv_text(daily_runs.CSV_COLUMNS, found.rows, bom=bom)
    return download(text, filename, headers=slice_headers(found.total))


@api.post(f"{R}/review/run", responses={200: ReviewOut})
@access("admins:manage")
def review_run(query: ReviewQuery) -> Response:
    """Put on record that a month's deploys were reviewed; 400 for what is no month."""
    return run_endpoint(job_names.RUNBOOK_REVIEW, {"month": query.month}, ReviewOut)


@api.get(f"{R}/review/latest", responses={200: ReviewOut})
@access(*READ)
def review_latest(query: ReviewQuery) -> Response:
    """Return the newest review, of all or of those made in a month; 404 when there is none."""
    ctx = web_context()
    found = review.latest(ctx, query.month)
    audit.viewed(ctx, "ops_runbook_critical_review_latest_view", TYPE, found.run_id)
    return answer(found.flat(), ReviewOut)


@pages.app_template_filter()
def daily_cell(day: StripDay) -> dict[str, Any]:
    """Return the cell of a day of checks for `chart.strip`."""
    word = status_word(day.word) if day.word else None
    url = url_if("jobs.run", run_id=day.run_id) if day.run_id else None
    said = _(word.label) if word else _("no check")
    return {"tone": word.tone if word else "none", "title": f"{localdate(day.day)} {said}", "url": url}


@pages.app_template_filter()
def archive_state_name(state: str) -> str:
    """Return what became of the files of a check, in words."""
    return _(ops_words.label(ops_words.ARCHIVE_STATES, state))


@pages.app_template_filter()
def alert_level_name(level: str) -> str:
    """Return from which result on a daily check is told."""
    return _(ops_words.label(ops_words.ALERT_LEVELS, level))


@pages.get("/ops/daily-check")
@access(*READ)
def page() -> Response:
    """Show the last days, the checks of this moment, what changed since the stored run, and the archive."""
    ctx = web_context()
    data = daily_page.page_data(ctx)
    links: dict[str, Any] = {
        "page": url_for("daily_check.page"),
        "csv": url_for("daily_check.archive_file", bom=1),
        "run": lambda run_id: url_if("jobs.run", run_id=run_id),
        "item": lambda item_id: url_if("board.item", item_id=item_id),
    }
    panel = _panel(daily_page.current_run(ctx)) if _may_run() else None
    return show(
        data, fragment="runbook/daily.daily", page="runbook/daily.html", links=links, source=rows_of, panel=panel
    )


@pages.get("/ops/daily-check/archive.csv")
@access(*READ, rate="auth-heavy", writes=True)
def archive_file() -> Response:
    """Download the archive of all daily checks."""
    return _archive_download(limit=365, bom=wants_bom())


@pages.get("/ops/daily-check/runs/<int:run_id>.json")
@access(*READ, writes=True)
def run_json(run_id: int) -> Response:
    """Download the JSON that a daily check left behind, byte by byte as it was written."""
    return _run_file(run_id, "json")


@pages.get("/ops/daily-check/runs/<int:run_id>.csv")
@access(*READ, writes=True)
def run_csv(run_id: int) -> Response:
    """Download the CSV that a daily check left behind, byte by byte as it was written."""
    return _run_file(run_id, "csv")


def _run_file(run_id: int, suffix: str) -> Response:
    found = daily_runs.content(web_context(), run_id, suffix)
    return download(found.content, found.name, found.media_type)


@pages.get("/ops/daily-check/panel")
@access(*READ)
def panel() -> ResponseReturnValue:
    """Return the button that runs the check with its progress; the page asks while a run is open, 286 ends that."""
    if not wants_fragment():
        return redirect(url_for("daily_check.page"), 303)
    found = daily_page.current_run(web_context())
    status = 200 if found is not None and found.state != "finished" else 286
    return vary(Response(_panel_text(found), status))


@pages.post("/ops/daily-check/start")
@access(*RUN)
def start() -> ResponseReturnValue:
    """Ask a worker to run the daily check."""
    made = runs.ask(registry.get(job_names.DAILY_CHECK))
    if not wants_fragment():
        return redirect(url_for("daily_check.page"), 303)
    return vary(Response(_panel_text(made)))


def _may_run() -> bool:
    return any(current_actor().can(name) for name in RUN)


def _panel(found: Run | None) -> dict[str, Any]:
    return {
        "run": found and runs.panel_of(found, _summary(found)),
        "job": registry.get(job_names.DAILY_CHECK),
        "start_url": url_for("daily_check.start") if _may_run() else None,
        "panel_url": url_for("daily_check.panel"),
        "run_url": url_if("jobs.run", run_id=found.id) if found is not None else None,
    }


def _panel_text(found: Run | None) -> str:
    values = _panel(found)
    return fragment_of("runbook/daily.start", values.pop("run"), **values)


def _summary(found: Run) -> Text | None:
    word = found.detail.get("overall_status")
    return T("The result is %(word)s.", word=(Text(status_word(word).label),)) if word else None
