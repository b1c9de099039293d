"""The pages of the autopilot: plan, policy, figures, runs. Clients find the same in `autopilot_api`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.automation import filters as autopilot_filters
from console.blueprints.automation.autopilot_api import anomalies_download, history_download, summary_download
from console.blueprints.automation.links import can, links_of
from console.domain.jobs import cron
from console.domain.jobs import names as job_names
from console.domain.text import N_, T, Text
from console.domain.tracker.tracker import OPEN_STATUSES
from console.services.automation import assignment, dashboard
from console.services.automation import history as autopilot_history
from console.services.automation import latest as automation_runs
from console.services.jobs import registry
from console.services.jobs.runs import Run
from console.services.policies import automation as autopilot_policy
from console.services.policies.automation import AUTOPILOT as POLICY
from console.services.policies.automation import MANAGE, READ
from console.ui import runs
from console.ui.addresses import url_if
from console.ui.formats import number, tr
from console.ui.frame import frame, leave_toast
from console.ui.labels import automation as words
from console.ui.lists import list_download, list_page
from console.ui.navigation import NavItem
from console.ui.responses import fragment_of, show, toast, vary, wants_bom
from console.web.negotiation import wants_fragment
from console.web.request import access, current_actor, web_context

pages = Blueprint("autopilot", __name__)
NAV = NavItem("work", 40, "autopilot.page", N_("Autopilot"), "robot", permission=READ[0], any_of=READ[1:])


autopilot_filters.register(pages)


def _next_at(now: datetime) -> datetime | None:
    line = next((line for line in registry.schedule() if line.job == job_names.AUTOPILOT), None)
    return cron.next_after(line.cron, line.zone, now) if line is not None else None


@pages.get("/autopilot")
@access(*READ)
def page() -> Response:
    """Show the plan of this moment, the outcomes of the last days, the policy."""
    if not current_actor().all_sites:
        return show(url_for("autopilot.figures"), fragment="automation/autopilot.scoped", page="automation/scoped.html")
    ctx = web_context()
    data = dashboard.page_data(ctx)
    return show(
        data,
        fragment="automation/autopilot.autopilot",
        page="automation/autopilot.html",
        links=links_of("page"),
        next_at=_next_at(data.computed_at),
        panel=_panel(dashboard.current_run(ctx)),
        may={"run": can(MANAGE), "resume": can(POLICY.write), "propose": can(POLICY.propose)},
    )


def _panel(found: Run | None) -> dict[str, Any]:
    run_url = None
    if found:
        # While it is under way its log is all there is to see.
        ended = found.state == "finished"
        run_url = url_for("autopilot.run", run_id=found.id) if ended else url_if("jobs.run", run_id=found.id)
    return {
        "run": found and runs.panel_of(found, _summary(found)),
        "job": registry.get(job_names.AUTOPILOT),
        "panel_url": url_for("autopilot.panel"),
        "run_url": run_url,
    }


def _summary(found: Run) -> Text | None:
    reason = found.detail.get("skip_reason")
    if reason in words.SKIP_SENTENCES:
        return Text(words.SKIP_SENTENCES[reason])
    if found.detail.get("errors"):
        return T("%(count)s of its steps failed.", count=len(found.detail["errors"]))
    results = {one.get("action"): one.get("changed", 0) for one in found.detail.get("action_results", ())}
    if found.dry_run:
        return T("The dry run ended; its result tells what a real one would do.")
    return T(
        "Assigned %(assigned)s, told about %(told)s.",
        assigned=results.get("auto_assign", 0),
        told=results.get("escalation", 0),
    )


@pages.get("/autopilot/panel")
@access(*READ)
def panel() -> ResponseReturnValue:
    """Return the latest run with its progress; the page asks while it is open, and 286 ends that."""
    if not wants_fragment():
        return redirect(url_for("autopilot.page"), 303)
    current_actor().require_all_sites()
    found = dashboard.current_run(web_context())
    ended = found is None or found.state == "finished"
    response = vary(Response(_panel_text(found), 286 if ended else 200))
    return response if found is None or not ended else _told(response, found)


def _told(response: Response, found: Run) -> Response:
    """Say how a run ended that the page has waited for, with the way to its result."""
    said = found.error or _summary(found)
    link = (url_for("autopilot.run", run_id=found.id), _("Result"))
    return toast(response, tr(said), kind="error" if found.error else "success", link=link)


def _panel_text(found: Run | None) -> str:
    values = _panel(found)
    return fragment_of("automation/autopilot.run", values.pop("run"), **values)


@pages.post("/autopilot/start")
@access(*MANAGE)
def start() -> ResponseReturnValue:
    """Ask a worker for a run as planned, a dry run, or (with a reason) a run that passes over the guard."""
    ctx = web_context()
    ctx.actor.require_all_sites()
    force = request.form.get("force") == "1"
    if force:
        automation_runs.note_force(ctx, request.form.get("reason", ""))
    dry_run = request.form.get("dry_run") == "1"
    # A forced run has another plan than the one that was shown; a dry run only looks.
    mark = None if force or dry_run else request.form.get("fingerprint") or None
    made = runs.ask(registry.get(job_names.AUTOPILOT), {"force": force, "fingerprint": mark}, dry_run=dry_run)
    if not wants_fragment():
        leave_toast(_("The dry run was requested") if dry_run else _("The run was requested"))
        return redirect(url_for("autopilot.page"), 303)
    return vary(Response(_panel_text(made)))


@pages.post("/autopilot/stop")
@access(*MANAGE)
def stop() -> ResponseReturnValue:
    """Stop everything that acts by itself."""
    autopilot_policy.pause(web_context(), reason=request.form.get("reason", ""))
    leave_toast(_("The automation was stopped"))
    return redirect(url_for("autopilot.page"), 303)


@pages.post("/autopilot/resume")
@access(*POLICY.write)
def resume() -> ResponseReturnValue:
    """Let the automation act again."""
    autopilot_policy.resume(web_context(), reason=request.form.get("reason", ""))
    leave_toast(_("The automation acts again"))
    return redirect(url_for("autopilot.page"), 303)


@pages.get("/autopilot/figures")
@access(*READ)
def figures() -> Response:
    """Show the figures of the remediation; every number opens its rows."""
    site = frame().site
    data = dashboard.look_at_figures(web_context(), site)

    chosen: dict[str, Any] = {"site": site} if site else {}

    def board(**filters: str | tuple[str, ...]) -> str | None:
        return url_if("board.page", view="table", **filters, **chosen)

    here = url_for("autopilot.figures", **chosen)
    links = {**links_of("figures"), "board": board, "open": board(status=OPEN_STATUSES), "page": here}
    return show(data, fragment="automation/figures.figures", page="automation/figures.html", links=links)


@pages.get("/autopilot/runs")
@access(*READ)
def history() -> Response:
    """Show all runs."""
    ctx = web_context()
    ctx.actor.require_all_sites()
    return list_page(
        dashboard.run_list(words.SKIPS),
        fragment="automation/autopilot.history",
        page="automation/history.html",
        url=url_for("autopilot.history"),
        csv_url=url_for("autopilot.runs_csv"),
        summary=autopilot_history.summary(ctx, days=30),
        links=links_of("history"),
    )


@pages.get("/autopilot/runs/<int:run_id>")
@access(*READ)
def run(run_id: int) -> ResponseReturnValue:
    """Show what one run did, item by item."""
    ctx = web_context()
    found = automation_runs.stored(ctx, run_id)
    if found["job_name"] == job_names.KPI:
        return redirect(url_for("autopilot.figures"), 303)
    parts = {job_names.AUTO_ASSIGN: "auto_assign", job_names.ESCALATION: "escalation"}
    if found["job_name"] in parts:
        # A run of its own is shown like one inside the autopilot.
        found = {**found, parts[found["job_name"]]: dict(found)}
    given = found.get("auto_assign") or {}
    undo = given.get("updated_ids") and can(MANAGE)
    data = {"auto_assign": None, "escalation": None, "error": None, **_absent(found)}
    more: dict[str, Any] = {"seen": dashboard.look_at_run(ctx, found)}
    more |= {"undo_url": url_for("autopilot.undo", run_id=given["run_id"]) if undo else None}
    around = {"links": links_of("history"), "job_url": url_if("jobs.run", run_id=run_id)}
    return show(data, fragment="automation/figures.result", page="automation/run.html", around=around, **more)


def _absent(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's answer with every key that the page asks for, so that a broken-off run is shown as well."""
    keys = (
        *("skip_reason", "errors", "fingerprint", "policy_revision", "metrics", "metrics_after", "action_results"),
        "dry_run",
    )
    return {**dict.fromkeys(keys), **found}


@pages.post("/autopilot/runs/<int:run_id>/undo")
@access(*MANAGE)
def undo(run_id: int) -> ResponseReturnValue:
    """Take back what an assignment run gave away."""
    undone = assignment.undo(web_context(), run_id)
    leave_toast(
        _(
            "%(restored)s assignments taken back, %(skipped)s changed since",
            restored=number(len(undone.restored), 0),
            skipped=number(len(undone.skipped), 0),
        )
    )
    return redirect(url_for("autopilot.history"), 303)


@pages.get("/autopilot/runs.csv")
@access(*READ)
def runs_csv() -> Response:
    """Download the runs that the list shows."""
    return list_download(dashboard.run_list(words.SKIPS), "autopilot-runs.csv")


@pages.get("/autopilot/history.csv")
@access(*READ, writes=True)
def history_csv() -> Response:
    """Download the newest hundred runs in the published form."""
    return history_download(limit=100, bom=wants_bom())


@pages.get("/autopilot/summary.csv")
@access(*READ, writes=True)
def summary_csv() -> Response:
    """Download the sums of the last 14 days in the published form."""
    return summary_download(days=dashboard.DAYS, bom=wants_bom())


@pages.get("/autopilot/anomalies.csv")
@access(*READ, writes=True)
def anomalies_csv() -> Response:
    """Download what stands out in the published form."""
    return anomalies_download(days=dashboard.DAYS, bom=wants_bom())
