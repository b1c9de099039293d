"""The audit trail: log, integrity, rebaseline and archives, for automation and for people (API contract 10)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.core.listing import asked
from console.inputs.audit import (
    AcknowledgedOut,
    AcknowledgeIn,
    ArchiveOut,
    ArchiveQuery,
    CsvQuery,
    IntegrityOut,
    IntegrityQuery,
    LogQuery,
    RebaselineQuery,
)
from console.inputs.response_models import shape
from console.services.audit import checkpoints as audit_checkpoints
from console.services.audit import exports as audit_exports
from console.services.audit import lists as audit_lists
from console.services.audit import rebaseline as audit_rebaseline
from console.services.audit.log import READ, LogEntry
from console.services.audit.rebaseline import RebaselineResult
from console.ui.responses import answer, download
from console.ui.slices import slice_headers
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

api = ApiBlueprint("audit_api", __name__, abp_tags=[Tag(name="audit", description="Who did what, and the proof of it")])

LogOut, RebaselineOut = shape(LogEntry, "LogOut"), shape(RebaselineResult, "RebaselineOut")


@api.get("/api/admin/audit-logs", responses={200: LogOut})
@access(*READ)
def audit_logs(query: LogQuery) -> Response:
    """Return entries, newest first; X-Total-Count counts up to 10000, X-Next-Cursor leads on."""
    wanted = asked(**query.model_dump())
    found = audit_lists.listed(web_context(), wanted, limit=query.limit, offset=query.offset, cursor=query.cursor)
    headers = slice_headers(found.total, cursor=found.next_cursor, capped=found.capped)
    return answer(list(found.entries), LogOut, headers=headers)


@api.get("/api/admin/audit-integrity", responses={200: IntegrityOut})
@access(*READ)
def audit_integrity(query: IntegrityQuery) -> Response:
    """Verify every row of a month; nothing is written."""
    return answer(
        audit_exports.integrity(web_context(), month=query.month, max_entries=query.max_entries), IntegrityOut
    )


@api.post("/api/admin/audit-chain/rebaseline", responses={200: RebaselineOut})
@access("admins:manage")
def audit_rebaseline_run(query: RebaselineQuery) -> Response:
    """Write hashes anew after damage; the old ones are kept, and the stretch stays reported."""
    return answer(audit_rebaseline.rebaseline(web_context(), **query.model_dump()), RebaselineOut)


@api.post("/api/admin/audit-chain/acknowledge", responses={200: AcknowledgedOut})
@access("admins:manage")
def audit_acknowledge(body: AcknowledgeIn) -> Response:
    """Acknowledge that a log of which signed checkpoints remain is gone; who and why stays on record."""
    seq = audit_checkpoints.acknowledge(web_context(), body.chain, reason=body.reason)
    return answer({"chain": body.chain, "seq": seq}, AcknowledgedOut)


@api.get("/api/admin/audit-archive/monthly", responses={200: ArchiveOut})
@access(*READ)
def audit_archive(query: ArchiveQuery) -> Response:
    """Return the signed archive of a month; the export goes on record."""
    made = audit_exports.export_json(web_context(), **query.model_dump())
    return Response(made.as_answer(), mimetype="application/json")


@api.get("/api/admin/audit-archive/monthly/csv")
@access(*READ)
def audit_archive_csv(query: CsvQuery) -> Response:
    """Return the CSV of a month, signed as it is sent; the export goes on record."""
    made = audit_exports.export_csv(
        web_context(), month=query.month, max_entries=query.max_entries, version=query.format_version
    )
    return download(made.content, made.name, headers=made.headers)
