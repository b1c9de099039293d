"""The integrity batch over evidence and audit archives (API contract, evidence and archive integrity)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.domain.runbook.integrity import IntegrityReport
from console.inputs.integrity import IntegrityQuery
from console.inputs.response_models import shape
from console.services.runbook import integrity
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

IntegrityOut = shape(IntegrityReport, "IntegrityOut")

api = ApiBlueprint("integrity_api", __name__, abp_tags=[Tag(name="operations", description="How the platform is")])


@api.get("/api/ops/integrity/evidence-archive", responses={200: IntegrityOut})
@access(*integrity.READ, rate="auth-heavy", writes=False)
def evidence_archive(query: IntegrityQuery) -> Response:
    """Read evidence and audit archives again, taking turns, and compare them with their hashes."""
    made = integrity.batch(web_context(), sample=query.sample_per_table, most=query.max_issues)
    return answer(integrity.as_detail(made), IntegrityOut)
