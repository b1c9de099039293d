"""The handover brief for automation (API contract, handover brief)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.inputs.handover import BriefCsvQuery, BriefPdfQuery, BriefQuery
from console.inputs.response_models import shape
from console.services.audit import record as audit
from console.services.handover import exports
from console.services.handover.brief import EXPORT, READ, Brief, brief
from console.ui.responses import answer, download, file_stamp
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

BRIEF = "/api/ops/handover/brief"
api = ApiBlueprint(
    "handover_api", __name__, abp_tags=[Tag(name="handover", description="What a shift hands over to the next")]
)
BriefOut = shape(Brief, "HandoverBriefOut")


@api.get(BRIEF, responses={200: BriefOut})
@access(*READ)
def brief_json(query: BriefQuery) -> Response:
    """Return what is open, late and dangerous now, the most urgent first."""
    ctx = web_context()
    made = brief(ctx, query.asked())
    audit.viewed(ctx, "ops_handover_brief_view", exports.RESOURCE, query.site or "all", open=made.open_work_orders)
    return answer(made, BriefOut)


@api.get(f"{BRIEF}/csv")
@access(*EXPORT, writes=True)
def brief_csv(query: BriefCsvQuery) -> Response:
    """Return the same as CSV, in blocks."""
    ctx, asked = web_context(), query.asked()
    stamp = file_stamp(ctx.now())
    return download(exports.exported(ctx, asked, stamp, bom=query.bom), exports.file_name(asked, stamp, "csv"))


@api.get(f"{BRIEF}/pdf")
@access(*EXPORT, writes=True)
def brief_pdf(query: BriefPdfQuery) -> Response:
    """Return the same as PDF on A4."""
    ctx, asked = web_context(), query.asked()
    stamp = file_stamp(ctx.now())
    body = exports.drawn(ctx, asked, stamp, query.lang)
    return download(body, exports.file_name(asked, stamp, "pdf"), "application/pdf")
