"""Evidence on remediation items: upload, list, download, removal."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.domain.tracker.tracker import REMEDIATION
from console.inputs.evidence import EvidenceForm, EvidencePath, RemovalIn
from console.inputs.response_models import array, shape
from console.inputs.tracker import ItemPath
from console.services.evidence import evidence
from console.services.evidence.evidence import Attached, EvidenceView
from console.ui.responses import answer
from console.ui.uploads import received, send, sent_note
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

T = "/api/ops/governance/gate/remediation/tracker"
READ, WRITE = REMEDIATION.read, REMEDIATION.write

api = ApiBlueprint("evidence_api", __name__, abp_tags=[Tag(name="evidence", description="Files that prove the work")])
EvidenceOut, AttachedOut = shape(EvidenceView), shape(Attached)
EvidenceList = array(EvidenceOut, "EvidenceList")


# No writing transaction before the service asks for it: a slow sender must not hold up everybody else.
@api.post(f"{T}/items/<tracker_item_id>/evidence", responses={201: AttachedOut})
@access(*WRITE, "governance:read", rate="auth-upload", writes=False)
def upload(path: ItemPath, form: EvidenceForm) -> Response:
    """Attach a file to an item: type by content, at most 5 MiB, scanned."""
    with received(form.file) as file:
        made = evidence.attach(web_context(), REMEDIATION, path.tracker_item_id, file, sent_note())
    return answer(made, AttachedOut, status=201)


@api.get(f"{T}/items/<tracker_item_id>/evidence", responses={200: EvidenceList})
@access(*READ)
def files(path: ItemPath) -> Response:
    """Return the files of an item, newest first."""
    return answer(evidence.listed(web_context(), REMEDIATION, path.tracker_item_id), EvidenceOut)


@api.get(f"{T}/evidence/<evidence_id>/download")
@access(*READ, writes=False)
def fetch(path: EvidencePath) -> Response:
    """Download a file after its content was compared with its hash."""
    return send(evidence.fetch(web_context(), REMEDIATION, path.evidence_id))


@api.post(f"{T}/evidence/<evidence_id>/remove", responses={200: EvidenceOut})
@access(*WRITE, "governance:read", writes=False)
def remove(path: EvidencePath, body: RemovalIn) -> Response:
    """Remove a file for good; who and why stays on record."""
    return answer(evidence.remove(web_context(), REMEDIATION, path.evidence_id, body.reason), EvidenceOut)
