"""The automation of the remediation tracker for clients: SLA, workload, figures (API contract, W22 to W24)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from console.domain.jobs import names as job_names
from console.domain.jobs.runs import API
from console.inputs.automation import AutoAssignQuery, EscalateQuery, KpiQuery, RunPath, SlaQuery, WorkloadQuery
from console.inputs.response_models import run_shape, shape
from console.services.automation import assignment, kpi, workload
from console.services.automation import latest as automation_runs
from console.services.automation import sla_snapshot as sla
from console.services.automation.escalation import Escalated
from console.services.jobs import registry
from console.services.policies.automation import MANAGE, READ
from console.services.tracker.undo import Undone
from console.ui import runs
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

T = "/api/ops/governance/gate/remediation/tracker"

api = ApiBlueprint(
    "automation_api",
    __name__,
    abp_tags=[Tag(name="automation", description="Escalation, assignment and figures of the remediation")],
)

SlaOut, WorkloadOut, KpiOut = shape(sla.SlaSnapshot, "SlaOut"), shape(workload.Workload), shape(kpi.Kpi)
UndoneOut = shape(Undone, "AssignmentUndoneOut")
EscalationRunOut = run_shape(Escalated, "EscalationRunOut")
AutoAssignRunOut = run_shape(assignment.AutoAssigned, "AutoAssignRunOut")
KpiRunOut = run_shape(kpi.Kpi, "KpiRunOut", without=("generated_at",))


def automation_run(name: str, model: type[BaseModel], options: Mapping[str, Any], *, dry_run: bool) -> Response:
    """Run a job now and answer its run, or queue it when the caller prefers not to wait."""
    job = registry.get(name)
    # Runs act for all sites; a queued one would only fail later.
    web_context().actor.require_all_sites()
    if runs.respond_async():
        return runs.accepted(runs.ask(job, options, trigger=API, dry_run=dry_run))
    return answer(automation_runs.run(web_context(), job, options, dry_run=dry_run), model)


@api.get(f"{T}/sla", responses={200: SlaOut})
@access(*READ)
def get_sla(query: SlaQuery) -> Response:
    """Tell how the open items stand: what is late, due soon, unassigned, and most at risk."""
    return answer(sla.view(web_context(), due_soon_hours=query.due_soon_hours, site=query.site), SlaOut)


@api.post(f"{T}/escalate/run", responses={200: EscalationRunOut})
@access(*MANAGE)
def run_escalation(query: EscalateQuery) -> Response:
    """Tell people about items that stepped up since they were last told; `dry_run` only says what it would do."""
    options = {"include_due_soon_hours": query.include_due_soon_hours, "notify": query.notify}
    return automation_run(job_names.ESCALATION, EscalationRunOut, options, dry_run=query.dry_run)


@api.get(f"{T}/escalate/latest", responses={200: EscalationRunOut})
@access(*READ)
def latest_escalation() -> Response:
    """Return the newest escalation run; 404 before the first."""
    return answer(automation_runs.latest(web_context(), job_names.ESCALATION), EscalationRunOut)


@api.get(f"{T}/workload", responses={200: WorkloadOut})
@access(*READ)
def get_workload(query: WorkloadQuery) -> Response:
    """Tell who carries how much and who should take what nobody carries."""
    made = workload.view(
        web_context(),
        include_inactive=query.include_inactive,
        max_suggestions=query.max_suggestions,
        site=query.site,
    )
    return answer(made, WorkloadOut)


@api.post(f"{T}/auto-assign/run", responses={200: AutoAssignRunOut})
@access(*MANAGE)
def run_auto_assign(query: AutoAssignQuery) -> Response:
    """Give unassigned items to the people with the least load; `dry_run` only says who would get what."""
    return automation_run(job_names.AUTO_ASSIGN, AutoAssignRunOut, {"limit": query.limit}, dry_run=query.dry_run)


@api.get(f"{T}/auto-assign/latest", responses={200: AutoAssignRunOut})
@access(*READ)
def latest_auto_assign() -> Response:
    """Return the newest assignment run; 404 before the first."""
    return answer(automation_runs.latest(web_context(), job_names.AUTO_ASSIGN), AutoAssignRunOut)


@api.post(f"{T}/auto-assign/runs/<run_id>/undo", responses={200: UndoneOut})
@access(*MANAGE)
def undo_auto_assign(path: RunPath) -> Response:
    """Take back what an assignment run gave away, where nobody has changed anything since; 410 after a day."""
    return answer(assignment.undo(web_context(), path.run_id), UndoneOut)


@api.get(f"{T}/kpi", responses={200: KpiOut})
@access(*READ)
def get_kpi(query: KpiQuery) -> Response:
    """Return the figures of the remediation; what is not said comes from the policy."""
    made = kpi.view(web_context(), window_days=query.window_days, due_soon_hours=query.due_soon_hours, site=query.site)
    return answer(made, KpiOut)


@api.post(f"{T}/kpi/run", responses={200: KpiRunOut})
@access(*MANAGE)
def run_kpi(query: KpiQuery) -> Response:
    """Measure now and keep the size of the backlog."""
    options = {"window_days": query.window_days, "due_soon_hours": query.due_soon_hours}
    return automation_run(job_names.KPI, KpiRunOut, options, dry_run=False)


@api.get(f"{T}/kpi/latest", responses={200: KpiRunOut})
@access(*READ)
def latest_kpi() -> Response:
    """Return the newest measurement; 404 before the first."""
    return answer(automation_runs.latest(web_context(), job_names.KPI), KpiRunOut)
