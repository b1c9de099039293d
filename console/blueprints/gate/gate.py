"""The governance gate: verdict, runs, history and plan, for automation and for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.core.serialize import csv_text
from console.domain.errors import NotFound
from console.domain.gate.gate import as_detail, shares
from console.domain.gate.site_rules import as_detail as site_detail
from console.domain.jobs import names as job_names
from console.domain.text import N_, T, Text
from console.inputs.gate import (
    GateOut,
    GateRunOut,
    HistoryQuery,
    PlanCsvQuery,
    PlanOut,
    PlanQuery,
    SiteGateOut,
    SitesQuery,
)
from console.inputs.response_models import array, shape
from console.services.audit import record as audit
from console.services.gate import dashboard, gate, site_gate
from console.services.gate.dashboard import VERDICTS
from console.services.jobs import registry
from console.services.jobs.requests import RUN
from console.services.jobs.runs import Run
from console.services.remediation import plan as remediation
from console.ui import runs
from console.ui.addresses import url_if
from console.ui.labels import runbook as ops_words
from console.ui.labels.common import status_word
from console.ui.lists import list_download, list_page
from console.ui.navigation import NavItem
from console.ui.responses import answer, download, file_stamp, fragment_of, show, vary, wants_bom
from console.ui.runs import run_endpoint
from console.ui.slices import slice_headers
from console.web.api_blueprint import ApiBlueprint
from console.web.negotiation import wants_fragment
from console.web.request import access, current_actor, web_context

HistoryOut = shape(gate.History)
SiteGateList = array(SiteGateOut, "SiteGateList")
G = "/api/ops/governance/gate"
READ = gate.READ
TYPE = "ops_governance_gate"

pages = Blueprint("gate", __name__)
NAV = NavItem("operations", 10, "gate.page", N_("Gate"), "gauge", permission=READ[0], any_of=READ[1:])
api = ApiBlueprint(
    "gate_api", __name__, abp_tags=[Tag(name="governance", description="GO or NO-GO, with reasons, and what to do")]
)


@api.get(G, responses={200: GateOut})
@access(*READ)
def gate_now() -> Response:
    """Judge all rules now; nothing is stored."""
    ctx = web_context()
    taken = gate.snapshot(ctx)
    audit.viewed(ctx, "ops_governance_gate_view", TYPE, "snapshot", decision=taken.decision)
    return answer(as_detail(taken), GateOut)


@api.get(f"{G}/sites", responses={200: SiteGateList})
@access(*READ)
def gate_of_sites(query: SitesQuery) -> Response:
    """Judge each site over its daily work, NO-GO first; the verdict of the platform follows from other rules."""
    ctx = web_context()
    found = site_gate.verdicts(ctx, query.site)
    audit.viewed(ctx, "ops_governance_gate_sites_view", TYPE, query.site or "sites", count=len(found))
    return answer([site_detail(one) for one in found], SiteGateOut)


@api.post(f"{G}/run", responses={200: GateRunOut})
@access(*RUN)
def gate_run() -> Response:
    """Judge all rules now and keep the verdict as a run; `Prefer: respond-async` queues it."""
    return run_endpoint(job_names.GATE, model=GateRunOut)


@api.get(f"{G}/latest", responses={200: GateRunOut})
@access(*READ)
def gate_latest() -> Response:
    """Return the newest stored verdict; 404 before the first."""
    ctx = web_context()
    found = gate.latest(ctx)
    audit.viewed(ctx, "ops_governance_gate_latest_view", TYPE, found.run_id)
    return answer(found.flat(), GateRunOut)


@api.get(f"{G}/history", responses={200: HistoryOut})
@access(*READ)
def gate_history(query: HistoryQuery) -> Response:
    """Return stored verdicts, newest first; X-Total-Count tells how many there are under these filters."""
    ctx = web_context()
    found = gate.history(ctx, **query.model_dump())
    audit.viewed(ctx, "ops_governance_gate_history_view", TYPE, "history", count=found.count)
    return answer(found, HistoryOut, headers=slice_headers(found.total))


@api.get(f"{G}/remediation", responses={200: PlanOut})
@access(*READ)
def gate_remediation(query: PlanQuery) -> Response:
    """Return what has to be done about a fresh verdict, most urgent first; X-Total-Count tells how much there is."""
    ctx = web_context()
    made = remediation.plan(ctx, **query.model_dump())
    audit.viewed(ctx, "ops_governance_gate_remediation_view", TYPE, "remediation", decision=made.decision)
    return answer(remediation.as_answer(made), PlanOut, headers=slice_headers(made.summary.total_candidates))


@api.get(f"{G}/remediation/csv")
@access(*READ, rate="auth-heavy", writes=True)
def gate_remediation_csv(query: PlanCsvQuery) -> Response:
    """Return the same plan as CSV."""
    return _plan_download(**query.model_dump())


def _plan_download(*, bom: bool, **wanted: Any) -> Response:
    ctx = web_context()
    filename = f"ops-governance-remediation-{file_stamp(ctx.now())}.csv"
    made = remediation.export(ctx, filename=filename, **wanted)
    text = csv_text(remediation.CSV_COLUMNS, made.items, bom=bom)
    return download(text, filename, headers=slice_headers(made.summary.total_candidates))


# Where the facts behind a rule can be seen; the others are runs of jobs.
_SOURCES: Mapping[str, tuple[str, dict[str, str]]] = {
    "preflight_no_error": ("preflight.page", {}),
    "runbook_no_critical": ("preflight.page", {"_anchor": "runbook"}),
    "security_risk_within_max": ("ops_security.page", {}),
}


@pages.app_template_filter()
def rule_name(rule_id: str) -> str:
    """Return what a rule is called."""
    return _(ops_words.label(ops_words.RULES, rule_id))


@pages.app_template_filter()
def check_name(check_id: str) -> str:
    """Return what a check of preflight or runbook is called."""
    return _(ops_words.label(ops_words.CHECKS, check_id))


@pages.app_template_filter()
def field_name(key: str) -> str:
    """Return what a field of evidence or policy is called."""
    return _(ops_words.label(ops_words.FIELDS, key))


@pages.app_template_filter()
def source_name(name: str) -> str:
    """Return what the process behind a preflight is called: `web-3f2a` is the web process 3f2a."""
    kind, dash, number = name.partition("-")
    return f"{_(ops_words.label(ops_words.KINDS, kind))}{' ' if dash else ''}{number}"


pages.app_template_filter("gate_shares")(shares)
pages.app_template_filter("value_kind")(ops_words.kind_of)
pages.app_template_filter("as_instant")(ops_words.instant)


def source_of(rule: Mapping[str, Any]) -> str | None:
    """Return the address of the page behind a rule's evidence, if there is one that the reader may open."""
    if rule["id"] in _SOURCES:
        endpoint, values = _SOURCES[rule["id"]]
        return url_if(endpoint, **values)
    run_id = rule["detail"].get("latest_run_id")
    return url_if("jobs.run", run_id=run_id) if run_id else None


@pages.get("/gate")
@access(*READ)
def page() -> Response:
    """Show the verdict of this moment with its evidence, the plan, and the last thirty days."""
    ctx = web_context()
    data = dashboard.page_data(ctx)
    links = {
        "page": url_for("gate.page"),
        "history": url_for("gate.history"),
        "csv": url_for("gate.plan_csv", bom=1),
        "board": url_if("board.page"),
        "orders": url_if("work_orders.page"),
        "inspections": url_if("inspections.page"),
    }
    started = _panel(dashboard.current_run(ctx)) if _may_run() else None
    return show(data, fragment="gate.gate", page="gate/page.html", links=links, source=source_of, panel=started)


@pages.get("/gate/plan.csv")
@access(*READ, rate="auth-heavy", writes=True)
def plan_csv() -> Response:
    """Download the plan of this moment."""
    return _plan_download(bom=wants_bom(), include_warnings=True, max_items=30)


@pages.get("/gate/history")
@access(*READ)
def history() -> Response:
    """Show all stored verdicts."""
    return list_page(
        VERDICTS,
        fragment="gate.history",
        page="gate/history.html",
        url=url_for("gate.history"),
        csv_url=url_for("gate.history_csv"),
    )


@pages.get("/gate/history.csv")
@access(*READ)
def history_csv() -> Response:
    """Download the verdicts that the list shows."""
    return list_download(VERDICTS, "gate-verdicts.csv")


@pages.get("/gate/runs/<int:run_id>")
@access(*READ)
def run(run_id: int) -> ResponseReturnValue:
    """Show one stored verdict; a run of the gate without verdict is shown as the run that it is."""
    try:
        found = gate.stored(web_context(), run_id)
    except NotFound:
        address = url_if("jobs.run", run_id=run_id)
        if address is None:
            raise
        return redirect(address, 303)
    job_url = url_if("jobs.run", run_id=run_id)
    return show(found, fragment="gate.stored", page="gate/run.html", source=source_of, job_url=job_url)


@pages.get("/gate/panel")
@access(*READ)
def panel() -> ResponseReturnValue:
    """Return the button that runs the gate with its progress; the page asks while a run is open, and 286 ends that."""
    if not wants_fragment():
        return redirect(url_for("gate.page"), 303)
    found = dashboard.current_run(web_context())
    status = 200 if found is not None and found.state != "finished" else 286
    return vary(Response(_panel_text(found), status))


@pages.post("/gate/start")
@access(*RUN)
def start() -> ResponseReturnValue:
    """Ask a worker to run the gate."""
    made = runs.ask(registry.get(job_names.GATE))
    if not wants_fragment():
        return redirect(url_for("gate.page"), 303)
    return vary(Response(_panel_text(made)))


def _may_run() -> bool:
    return any(current_actor().can(name) for name in RUN)


def _panel(found: Run | None) -> dict[str, Any]:
    address = None
    if found is not None:
        address = url_if("gate.run" if found.executed else "jobs.run", run_id=found.id)
    return {
        "run": found and runs.panel_of(found, _summary(found)),
        "job": registry.get(job_names.GATE),
        "start_url": url_for("gate.start") if _may_run() else None,
        "panel_url": url_for("gate.panel"),
        "run_url": address,
    }


def _panel_text(found: Run | None) -> str:
    values = _panel(found)
    return fragment_of("gate.start", values.pop("run"), **values)


def _summary(found: Run) -> Text | None:
    decision = found.detail.get("decision")
    return T("The verdict is %(word)s.", word=status_word(decision).label) if decision else None
