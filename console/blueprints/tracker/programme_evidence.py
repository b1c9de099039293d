"""Evidence of the weeks, and the completion package, for automation (API contract, evidence and package)."""

from __future__ import annotations

import re
from urllib.parse import quote

from flask import Response
from flask_openapi3.models.tag import Tag

from console.inputs.evidence import EvidenceForm, RemovalIn
from console.inputs.programme import PackageQuery, WeekEvidencePath, WeekItemPath, WeekPath
from console.inputs.response_models import array, shape
from console.services.evidence import evidence
from console.services.evidence.evidence import Attached, EvidenceView
from console.services.programme import package as programme_package
from console.services.programme import weeks as programme
from console.services.programme.package import Package, Wanted
from console.ui.responses import answer, file_stamp
from console.ui.uploads import received, send, send_stream, sent_note
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

T = "/api/adoption/<week:week>/tracker"
READ, WRITE = "adoption_{week}:read", "adoption_{week}:write"
NAME_LIMIT = 140

api = ApiBlueprint(
    "programme_evidence_api", __name__, abp_tags=[Tag(name="programme", description="The weeks of the programme")]
)
EvidenceOut, AttachedOut = shape(EvidenceView), shape(Attached)
EvidenceList = array(EvidenceOut, "EvidenceList")


# No writing transaction before the service asks for it: a slow sender must not hold up everybody else.
@api.post(f"{T}/items/<tracker_item_id>/evidence", responses={201: AttachedOut})
@access(WRITE, rate="auth-upload", writes=False)
def upload(path: WeekItemPath, form: EvidenceForm) -> Response:
    """Attach a file to an item: type by content, at most 5 MiB, scanned; opens a closed week again."""
    tracker = programme.week_of(path.week).programme
    with received(form.file) as file:
        made = evidence.attach(web_context(), tracker, path.tracker_item_id, file, sent_note())
    return answer(made, AttachedOut, status=201)


@api.get(f"{T}/items/<tracker_item_id>/evidence", responses={200: EvidenceList})
@access(READ)
def files(path: WeekItemPath) -> Response:
    """Return the files of an item, newest first."""
    tracker = programme.week_of(path.week).programme
    return answer(evidence.listed(web_context(), tracker, path.tracker_item_id), EvidenceOut)


@api.get(f"{T}/evidence/<evidence_id>/download")
@access(READ, writes=False)
def fetch(path: WeekEvidencePath) -> Response:
    """Download a file after its content was compared with its hash."""
    return send(evidence.fetch(web_context(), programme.week_of(path.week).programme, path.evidence_id))


@api.post(f"{T}/evidence/<evidence_id>/remove", responses={200: EvidenceOut})
@access(WRITE, writes=False)
def remove(path: WeekEvidencePath, body: RemovalIn) -> Response:
    """Remove a file for good; who and why stays on record."""
    tracker = programme.week_of(path.week).programme
    return answer(evidence.remove(web_context(), tracker, path.evidence_id, body.reason), EvidenceOut)


@api.get(f"{T}/completion-package")
@access(READ, rate="auth-heavy", writes=False)
def package(path: WeekPath, query: PackageQuery) -> Response:
    """Download everything that proves the week at a site as one ZIP, closed or not."""
    wanted = Wanted(query.include_evidence, query.include_weekly, query.weekly_limit)
    week, site = programme.week_of(path.week), programme.site_name(query.site)
    return send_package(path.week, programme_package.build(web_context(), week, site, wanted))


def send_package(code: str, made: Package) -> Response:
    """Send a package; its stream is closed whatever becomes of the connection."""
    stem = re.sub(r"[^\w.-]+", "_", f"ka-facility-os-{code}-completion-package-{made.site}")
    tail = f"-{file_stamp(made.made_at)}.zip"
    return send_stream(
        made.stream,
        stem[: NAME_LIMIT - len(tail)] + tail,
        "application/zip",
        made.size,
        # Headers are Latin-1: names beyond ASCII travel percent-encoded.
        {"X-Archive-SHA256": made.sha256, "X-Package-Site": quote(made.site, safe=" !#$&'()*+,/:;=?@[]~")},
    )
