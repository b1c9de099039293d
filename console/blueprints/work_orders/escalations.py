"""The escalation of late work orders for automation (API contract, SLA escalation batch)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.domain.jobs import names as job_names
from console.inputs.facility_sla import EscalationIn, EscalationOut
from console.services.work_orders.escalation import ESCALATE
from console.ui import runs
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

api = ApiBlueprint(
    "work_order_escalations_api", __name__, abp_tags=[Tag(name="SLA", description="Until when, and what if not")]
)


@api.post("/api/work-orders/escalations/run", responses={200: EscalationOut})
@access(ESCALATE)
def run_escalation(body: EscalationIn) -> Response:
    """Flag what is past its due date and grace, and tell about it once; `dry_run` only says what it would do."""
    ctx = web_context()
    if body.site is not None:
        ctx.actor.require_site(body.site)
    options = {"site": body.site, "limit": body.limit}
    return runs.run_endpoint(job_names.SLA_ESCALATION, options, EscalationOut, dry_run=body.dry_run)
