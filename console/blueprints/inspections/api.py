"""Inspections for automation (API contract, inspections)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.core.listing import asked
from console.inputs.inspections import (
    CountersignIn,
    FindingClosingIn,
    FindingPath,
    InspectionIn,
    InspectionPath,
    InspectionsQuery,
)
from console.inputs.response_models import array, shape
from console.services.inspections import create, events, follow_up, lists, read, rows
from console.services.inspections.events import InspectionEventView
from console.services.inspections.read import ResultView
from console.services.inspections.rows import READ, WRITE, InspectionView
from console.ui.idempotent import idempotent
from console.ui.responses import answer
from console.ui.slices import slice_headers
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

api = ApiBlueprint(
    "inspections_api", __name__, abp_tags=[Tag(name="inspections", description="What was measured, and its risk")]
)
INSPECTIONS, INSPECTION = "/api/inspections", "/api/inspections/<inspection_id>"
InspectionOut, ResultOut = shape(InspectionView), shape(ResultView)
EventOut = shape(InspectionEventView)
EventList = array(EventOut, "InspectionEventList")
InspectionList, ResultList = array(InspectionOut, "InspectionList"), array(ResultOut, "InspectionResultList")


@api.post(INSPECTIONS, responses={201: InspectionOut})
@access(WRITE)
@idempotent
def create_inspection(body: InspectionIn) -> Response:
    """Store an inspection and judge it. Takes an `Idempotency-Key`; a round has its own `round_key`."""
    return answer(create.create(web_context(), body.new()), InspectionOut, status=201)


@api.get(INSPECTIONS, responses={200: InspectionList})
@access(READ)
def list_inspections(query: InspectionsQuery) -> Response:
    """Return inspections, newest first; `X-Total-Count` says how many match, `Link` and `X-Next-Cursor` lead on."""
    wanted = asked(**query.model_dump())
    found = lists.listed(web_context(), wanted, limit=query.limit, offset=query.offset, cursor=query.cursor)
    return answer(found.inspections, InspectionOut, headers=slice_headers(found.total, cursor=found.next_cursor))


@api.get(INSPECTION, responses={200: InspectionOut})
@access(READ)
def get_inspection(path: InspectionPath) -> Response:
    """Return one inspection."""
    return answer(rows.load(web_context(), path.inspection_id), InspectionOut)


@api.get(f"{INSPECTION}/results", responses={200: ResultList})
@access(READ)
def inspection_results(path: InspectionPath) -> Response:
    """Return what was found at each point of an inspection, with the values of the time before."""
    ctx = web_context()
    return answer(read.results_of(ctx, rows.load(ctx, path.inspection_id)), ResultOut)


@api.post(f"{INSPECTION}/findings/<code>/close", responses={200: ResultOut})
@access(WRITE)
def close_finding(path: FindingPath, body: FindingClosingIn) -> Response:
    """Say that a finding needs no action, and why; 409 when it has a work order or is closed already."""
    made = follow_up.close_finding(web_context(), path.inspection_id, path.code, body.reason)
    return answer(made, ResultOut)


@api.post(f"{INSPECTION}/countersign", responses={200: InspectionOut})
@access(WRITE)
def countersign_inspection(path: InspectionPath, body: CountersignIn) -> Response:
    """Sign an inspection as the second person; 409 for whoever inspected, and when it is countersigned already."""
    return answer(follow_up.countersign(web_context(), path.inspection_id, body.note), InspectionOut)


@api.get(f"{INSPECTION}/events", responses={200: EventList})
@access(READ)
def inspection_events(path: InspectionPath) -> Response:
    """Return what people did about an inspection after it was stored, oldest first."""
    ctx = web_context()
    return answer(events.of_inspection(ctx, rows.load(ctx, path.inspection_id)), EventOut)
