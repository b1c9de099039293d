"""Checklist and smoke record of a release, for automation (API contract, deploy)."""

from __future__ import annotations

from flask import Response, request
from flask_openapi3.models.tag import Tag

from console.inputs.releases import ChecklistOut, SmokeRecordIn, SmokeRunOut
from console.services.audit import record as audit
from console.services.releases import checklist, smoke
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

D = "/api/ops/deploy"
api = ApiBlueprint("releases_api", __name__, abp_tags=[Tag(name="operations", description="How the platform is")])


@api.get(f"{D}/checklist", responses={200: ChecklistOut})
@access(*checklist.READ)
def deploy_checklist() -> Response:
    """Return the checklist of a release under the version that is bound to its signature."""
    ctx = web_context()
    found = checklist.view(ctx)
    audit.viewed(ctx, "ops_deploy_checklist_view", "ops_deploy", found.version)
    return answer(checklist.as_answer(ctx, found), ChecklistOut)


@api.post(f"{D}/smoke/record", responses={200: SmokeRunOut})
@access(*smoke.WRITE)
def smoke_record(body: SmokeRecordIn) -> Response:
    """Judge a smoke test against the checklist of this moment and keep it as a run; all findings are answered."""
    return answer(smoke.as_answer(smoke.record(web_context(), body, sent=request.get_json())), SmokeRunOut)
