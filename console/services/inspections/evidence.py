"""Photos and papers of an inspection, each of one of its points or of the whole."""

from __future__ import annotations

from sqlalchemy import select

from console.core.context import Context
from console.domain.errors import Conflict, Invalid
from console.domain.evidence.evidence import INSPECTIONS
from console.domain.text import T
from console.models.evidence import EvidenceFile
from console.models.inspections import Inspection, InspectionPoint, InspectionResult
from console.services.evidence import subjects
from console.services.evidence.files import Upload
from console.services.evidence.subjects import FileView, Subject
from console.services.inspections.rows import READ, WRITE, load
from console.services.inspections.templates import MANAGE

RESOURCE = "inspection"


def _readable(ctx: Context, inspection_id: int) -> str:
    ctx.actor.require(READ)
    return load(ctx, inspection_id).site


def _writable(ctx: Context, inspection_id: int, lock: bool) -> str:
    # At any time: a photo that was taken without a signal arrives after its round.
    ctx.actor.require(WRITE)
    if lock:
        ctx.session.execute(select(Inspection.id).where(Inspection.id == inspection_id).with_for_update())
    return load(ctx, inspection_id).site


def _noted(_ctx: Context, _file: FileView, _step: int, _what: str, _reason: str) -> None:
    """Leave the inspection as it is: nothing of it changes, and the audit trail tells of its files."""


FILES = Subject(
    module=INSPECTIONS,
    column=EvidenceFile.inspection_id,
    resource=RESOURCE,
    parts=(),
    not_found=T("Inspection evidence not found"),
    forced=MANAGE,
    readable=_readable,
    writable=_writable,
    noted=_noted,
)


def attach(
    ctx: Context,
    inspection_id: int,
    code: str,
    upload: Upload,
    *,
    note: str = "",
    sent_key: str | None = None,
    on_page: bool = False,
) -> FileView:
    """Attach a file to the point with this code, to the whole inspection without one.

    Raises what `subjects.attach` raises, Invalid for a point that the inspection does not have.
    """
    part = _part(ctx, inspection_id, code) if code else ""
    return subjects.attach(ctx, FILES, inspection_id, upload, part=part, note=note, sent_key=sent_key, on_page=on_page)


def of_round(ctx: Context, round_key: str) -> int:
    """Return the inspection that the caller sent under a key; raises Conflict while it is not there yet."""
    ctx.actor.require(WRITE)
    mine = (Inspection.created_by == ctx.actor.username, Inspection.round_key == round_key)
    found = ctx.session.scalar(select(Inspection.id).where(*mine))
    if found is None:
        raise Conflict(T("The round has not arrived yet: its photos follow it"), code="round_not_here")
    return found


def _part(ctx: Context, inspection_id: int, code: str) -> str:
    """Return the code of the result that a point of the sheet is stored under."""
    _readable(ctx, inspection_id)
    asked = select(InspectionResult.code).where(InspectionResult.inspection_id == inspection_id)
    codes = set(ctx.session.scalars(asked))
    if code in codes:
        return code
    column = (
        select(InspectionPoint.maps_to)
        .join(Inspection, Inspection.template_id == InspectionPoint.template_id)
        .where(Inspection.id == inspection_id, InspectionPoint.code == code)
    )
    name = ctx.session.scalar(column)
    if name in codes:
        return str(name)
    raise Invalid.field("point", T("The inspection has no such point"))
