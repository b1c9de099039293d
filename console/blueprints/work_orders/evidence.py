"""Files of work orders for automation: upload, list, download, removal."""

from __future__ import annotations

from flask import Response, request
from flask_openapi3.models.tag import Tag

from console.inputs.evidence import EvidencePath, RemovalIn
from console.inputs.response_models import array, shape
from console.inputs.work_orders import OrderEvidenceForm, OrderPath
from console.services.common import idempotency
from console.services.evidence import subjects
from console.services.evidence.subjects import FileView
from console.services.work_orders.evidence import FILES
from console.services.work_orders.rows import READ, WRITE
from console.ui.responses import answer
from console.ui.uploads import received, send, sent_note
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

api = ApiBlueprint(
    "work_order_evidence_api",
    __name__,
    abp_tags=[Tag(name="work order evidence", description="Photos and papers before and after the work")],
)
FileOut = shape(FileView, "WorkOrderEvidenceOut")
FileList = array(FileOut, "WorkOrderEvidenceList")
OF_ORDER, FILE = "/api/work-orders/<work_order_id>/evidence", "/api/work-orders/evidence/<evidence_id>"


# No writing transaction before the service asks for it: a slow sender must not hold up everybody else.
@api.post(OF_ORDER, responses={201: FileOut})
@access(WRITE, rate="auth-upload", writes=False)
def upload(path: OrderPath, form: OrderEvidenceForm) -> Response:
    """Attach a file to an order: type by content, at most 5 MiB, scanned. Takes an `Idempotency-Key`."""
    ctx, sent = web_context(), request.headers.get(idempotency.HEADER)
    key = None if sent is None else idempotency.key_of(ctx, sent, request.path)
    with received(form.file) as file:
        made = subjects.attach(ctx, FILES, path.work_order_id, file, part=form.phase, note=sent_note(), sent_key=key)
    return answer(made, FileOut, status=201)


@api.get(OF_ORDER, responses={200: FileList})
@access(READ)
def files(path: OrderPath) -> Response:
    """Return the files of an order, newest first."""
    return answer(list(subjects.listed(web_context(), FILES, path.work_order_id)), FileOut)


@api.get(f"{FILE}/download")
@access(READ, writes=False)
def fetch(path: EvidencePath) -> Response:
    """Download a file after its content was compared with its hash."""
    return send(subjects.fetch(web_context(), FILES, path.evidence_id))


@api.post(f"{FILE}/remove", responses={200: FileOut})
@access(WRITE, writes=False)
def remove(path: EvidencePath, body: RemovalIn) -> Response:
    """Remove a file for good; who and why stays on record."""
    return answer(subjects.remove(web_context(), FILES, path.evidence_id, body.reason), FileOut)
