"""Recovery drills, for automation and for people."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.core.serialize import to_json
from console.domain.jobs import names as job_names
from console.domain.text import N_, T, Text
from console.inputs.recovery import DrillHistoryQuery, DrillOptions, DrillOut, RunQuery
from console.inputs.response_models import shape
from console.services.audit import record as audit
from console.services.jobs import registry
from console.services.jobs.runs import Run
from console.services.recovery import drill, history, look
from console.ui import runs
from console.ui.addresses import url_if
from console.ui.labels import recovery as words
from console.ui.labels.common import Word
from console.ui.navigation import tab
from console.ui.responses import answer, download, fragment_of, show, vary
from console.ui.runs import run_endpoint
from console.ui.slices import slice_headers
from console.web.api_blueprint import ApiBlueprint
from console.web.negotiation import wants_fragment
from console.web.request import access, current_actor, web_context

HistoryOut = shape(history.History, "DrillHistoryOut")
R = "/api/ops/dr/rehearsal"
READ = history.READ
TYPE = "ops_dr"

pages = Blueprint("recovery", __name__)
NAV = tab("evidence", 22, "recovery.page", N_("Recovery drills"), READ)
api = ApiBlueprint("recovery_api", __name__, abp_tags=[Tag(name="operations", description="How the platform is")])


@api.post(f"{R}/run", responses={200: DrillOut})
@access(drill.MANAGE)
def drill_run(query: RunQuery) -> Response:
    """Make a sealed backup, restore it beside the database and compare; `Prefer: respond-async` queues it."""
    return run_endpoint(job_names.DR_REHEARSAL, DrillOptions(restore_check=query.simulate_restore), model=DrillOut)


@api.get(f"{R}/latest", responses={200: DrillOut})
@access(*READ)
def drill_latest() -> Response:
    """Return the newest drill; 404 before the first."""
    ctx = web_context()
    found = history.latest(ctx)
    audit.viewed(ctx, "ops_dr_rehearsal_latest_view", TYPE, found.id)
    return answer(history.flat(found), DrillOut)


@api.get(f"{R}/history", responses={200: HistoryOut})
@access(*READ)
def drill_history(query: DrillHistoryQuery) -> Response:
    """Return drills, newest first; X-Total-Count tells how many there are under these filters."""
    ctx = web_context()
    found = history.history(ctx, **query.model_dump())
    audit.viewed(ctx, "ops_dr_rehearsal_history_view", TYPE, "history", count=found.count)
    return answer(found, HistoryOut, headers=slice_headers(found.total))


@pages.app_template_filter()
def standing_word(word: str) -> Word:
    """Return the verdict on the installation, with its tone."""
    label, tone = words.STANDING[word]
    return Word(_(label), tone)


@pages.app_template_filter()
def drill_word(valid: bool) -> Word:
    """Return the verdict on one drill, with its tone."""
    label, tone = words.RESULT[valid]
    return Word(_(label), tone)


@pages.app_template_filter()
def table_word(result: str) -> Word:
    """Return how a table of the copy stands to its source, with its tone."""
    label, tone = words.TABLES[result]
    return Word(_(label), tone)


@pages.app_template_filter()
def method_name(method: str | None) -> str:
    """Return how the database was copied."""
    return _(words.METHODS[method]) if method in words.METHODS else "–"


@pages.app_template_filter()
def file_state_name(state: str) -> str:
    """Return what became of the file of a drill."""
    return _(words.FILES[state])


@pages.app_template_filter()
def drill_cause(cause: str | None) -> str:
    """Return why a drill failed, in a few words."""
    return _(words.CAUSES.get(cause or "failed", words.CAUSES["failed"]))


@pages.get("/ops/recovery")
@access(*READ)
def page() -> Response:
    """Show how the installation stands, the newest drill in full and the last twelve."""
    return _shown(look.page_data(web_context()), url_for("recovery.page"))


@pages.get("/ops/recovery/runs/<int:run_id>")
@access(*READ)
def run(run_id: int) -> Response:
    """Show one drill in full."""
    return _shown(look.page_data(web_context(), run_id), url_for("recovery.run", run_id=run_id))


def _shown(data: look.Look, url: str) -> Response:
    links: dict[str, Any] = {"page": url, "job": None, "certificate": None, "download": None}
    if data.shown is not None:
        run_id = data.shown.run.id
        links |= {
            "job": url_if("jobs.run", run_id=run_id),
            "certificate": url_for("recovery.certificate", run_id=run_id),
            "download": url_for("recovery.certificate_json", run_id=run_id),
        }
    return show(data, fragment="recovery.recovery", page="recovery/page.html", links=links, panel=_panel(data.current))


@pages.get("/ops/recovery/runs/<int:run_id>/certificate")
@access(*READ)
def certificate(run_id: int) -> Response:
    """Show a drill as a certificate to be printed."""
    data = look.view_of_run(history.stored(web_context(), run_id))
    signed = look.certificate(web_context(), run_id)
    return show(data, fragment="recovery.certificate", page="recovery/certificate.html", signed=signed)


@pages.get("/ops/recovery/runs/<int:run_id>/certificate.json")
@access(*READ, rate="auth-heavy", writes=False)
def certificate_json(run_id: int) -> Response:
    """Download the same certificate for programs, signed as the archives of the audit log are."""
    made = look.certificate(web_context(), run_id)
    return download(to_json(made), f"recovery-certificate-{run_id}.json", "application/json")


@pages.get("/ops/recovery/panel")
@access(*READ)
def panel() -> ResponseReturnValue:
    """Return the button that starts a drill with its progress; the page asks while a run is open, 286 ends that."""
    if not wants_fragment():
        return redirect(url_for("recovery.page"), 303)
    found = look.current_run(web_context())
    status = 200 if found is not None and found.state != "finished" else 286
    return vary(Response(_panel_text(found), status))


@pages.post("/ops/recovery/start")
@access(drill.MANAGE)
def start() -> ResponseReturnValue:
    """Ask a worker for a drill."""
    made = runs.ask(registry.get(job_names.DR_REHEARSAL))
    if not wants_fragment():
        return redirect(url_for("recovery.page"), 303)
    return vary(Response(_panel_text(made)))


def _panel(found: Run | None) -> dict[str, Any]:
    may_run = current_actor().can(drill.MANAGE)
    return {
        "run": found and runs.panel_of(found, _summary(found)),
        "job": registry.get(job_names.DR_REHEARSAL),
        "start_url": url_for("recovery.start") if may_run else None,
        "panel_url": url_for("recovery.panel"),
        "run_url": url_if("jobs.run", run_id=found.id) if found else None,
    }


def _panel_text(found: Run | None) -> str:
    values = _panel(found)
    return fragment_of("recovery.start", values.pop("run"), **values)


def _summary(found: Run) -> Text | None:
    if not found.executed:
        return None
    if found.detail.get("restore_valid"):
        return T("The copy came back and is the same in every table.")
    return T("Nothing was proven: the reasons stand beside the result.")
