"""The integrity of evidence and archives, for automation and for people (API contract, evidence archive integrity)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.domain.evidence.evidence import INSPECTIONS, WORK_ORDERS
from console.domain.jobs import names as job_names
from console.domain.programme.catalogue import WEEKS
from console.domain.runbook.integrity import CLOSED_MONTH, RECOVERY_COPY, IntegrityReport
from console.domain.text import N_
from console.inputs.integrity import IntegrityQuery
from console.inputs.response_models import shape
from console.services.jobs import registry
from console.services.jobs.requests import RUN
from console.services.jobs.runs import Run
from console.services.runbook import integrity, integrity_page
from console.services.runbook.integrity_page import Broken
from console.ui import runs
from console.ui.addresses import url_if
from console.ui.labels import reports as words
from console.ui.navigation import tab
from console.ui.responses import answer, fragment_of, show, vary
from console.ui.weeks import week_title
from console.web.api_blueprint import ApiBlueprint
from console.web.negotiation import wants_fragment
from console.web.request import access, current_actor, web_context

IntegrityOut = shape(IntegrityReport, "IntegrityOut")
READ = integrity.READ

api = ApiBlueprint("integrity_api", __name__, abp_tags=[Tag(name="operations", description="How the platform is")])
pages = Blueprint("integrity", __name__)
NAV = tab("evidence", 24, "integrity.page", N_("Integrity"), READ)


@api.get("/api/ops/integrity/evidence-archive", responses={200: IntegrityOut})
@access(*READ, rate="auth-heavy", writes=False)
def evidence_archive(query: IntegrityQuery) -> Response:
    """Read evidence and archives again, taking turns, and compare them with their hashes."""
    made = integrity.batch(web_context(), sample=query.sample_per_table, most=query.max_issues)
    return answer(integrity.as_detail(made), IntegrityOut)


@pages.app_template_filter()
def shelf_name(key: str) -> str:
    """Return what the files of a module of evidence or of a kind of archive are called."""
    if key in WEEKS:
        return week_title(WEEKS[key])
    return _(words.archive_kind(key))


@pages.app_template_filter()
def file_problem(reason: str) -> Any:
    """Return the word of what is wrong with a file, with its tone."""
    return words.archive_state(reason)


@pages.get("/ops/integrity")
@access(*READ)
def page() -> Response:
    """Show what was read when, what was never read and what is broken; reads no file."""
    ctx = web_context()
    return show(
        integrity_page.page_data(ctx),
        fragment="runbook/integrity.integrity",
        page="runbook/integrity.html",
        panel=_panel(integrity_page.current_run(ctx)),
        owner_url=_owner_url,
        months_url=url_if("audit.page"),
        copies_url=url_if("recovery.page"),
    )


@pages.post("/ops/integrity/run")
@access(*RUN)
def start() -> ResponseReturnValue:
    """Ask a worker to read the files whose turn it is."""
    made = runs.ask(registry.get(job_names.EVIDENCE_INTEGRITY), {}, dry_run=request.form.get("dry_run") == "1")
    if not wants_fragment():
        return redirect(url_for("integrity.page"), 303)
    return vary(Response(_panel_text(made)))


@pages.get("/ops/integrity/panel")
@access(*READ)
def panel() -> ResponseReturnValue:
    """Return the button that starts a reading with its progress; 286 ends the asking."""
    if not wants_fragment():
        return redirect(url_for("integrity.page"), 303)
    found = integrity_page.current_run(web_context())
    status = 200 if found is not None and found.state != "finished" else 286
    return vary(Response(_panel_text(found), status))


def _owner_url(one: Broken) -> str | None:
    """Return the page where a broken file belongs: its item, its drill, or the list of its archives."""
    if one.shelf == RECOVERY_COPY:
        return url_if("recovery.run", run_id=one.file_id)
    if one.shelf == CLOSED_MONTH:
        month, _mark, version = one.name.partition(" v")
        return url_if("months.detail", site=one.site, month=month, version=version)
    if one.item_id is None:
        return url_if(words.ARCHIVE_PAGES.get(one.shelf, ""))
    if one.shelf == WORK_ORDERS:
        return url_if("work_orders.order", order_id=one.item_id)
    if one.shelf == INSPECTIONS:
        return url_if("inspections.detail", inspection_id=one.item_id)
    if one.shelf in WEEKS:
        return url_if("programme.item", week=one.shelf, item_id=one.item_id)
    return url_if("board.item", item_id=one.item_id)


def _panel(found: Run | None) -> dict[str, Any]:
    job = registry.get(job_names.EVIDENCE_INTEGRITY)
    return {
        "run": found and runs.panel_of(found, None),
        "job": {"name": job.name, "title": job.title, "text": job.sentence},
        "start_url": url_for("integrity.start") if any(map(current_actor().can, RUN)) else None,
        "panel_url": url_for("integrity.panel"),
        "run_url": url_if("jobs.run", run_id=found.id) if found else None,
    }


def _panel_text(found: Run | None) -> str:
    values = _panel(found)
    return fragment_of("runbook/integrity.start", values.pop("run"), **values)
