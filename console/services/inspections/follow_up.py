"""What follows an inspection beside orders: findings that need nothing, and the signature of a second person."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table, select, update

from console.core.context import Context
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.inspections.points import FINDINGS
from console.domain.inspections.signature import is_second_person
from console.domain.text import T, Text
from console.models.inspections import Inspection, InspectionResult
from console.services.audit import record as audit
from console.services.identity.names import name_of
from console.services.inspections import events, read
from console.services.inspections.read import ResultView
from console.services.inspections.rows import WRITE, InspectionView, load
from console.services.jobs.runs import changed

_INSPECTIONS, _RESULTS = cast("Table", Inspection.__table__), cast("Table", InspectionResult.__table__)


def close_finding(ctx: Context, inspection_id: int, code: str, reason: str) -> ResultView:
    """Say of a finding that nothing is to be done about it, and why; the finding itself stays as it is.

    Raises PermissionDenied, NotFound, SiteDenied, Invalid without a reason or for a point that is no finding, Conflict
    when it has an order or somebody else closed it first.
    """
    ctx.actor.require(WRITE)
    inspection = load(ctx, inspection_id)
    if not reason.strip():
        raise Invalid.field("reason", T("Say why nothing is to be done"))
    result = _result(ctx, inspection, code)
    if result.verdict not in FINDINGS:
        raise Invalid.field("code", T("It lies within its limits"))
    mine = (_RESULTS.c.id == result.id, _RESULTS.c.work_order_id.is_(None), _RESULTS.c.closed_at.is_(None))
    values = {"closed_reason": reason.strip(), "closed_by": ctx.actor.username, "closed_at": ctx.now()}
    if changed(ctx, update(_RESULTS).where(*mine).values(**values)) != 1:
        raise Conflict(_already(ctx, result.id), code="finding_settled")
    detail = {"code": code, "verdict": result.verdict}
    events.write(ctx, inspection, events.FINDING_CLOSED, reason.strip(), {**detail, "name": result.name})
    told = {"site": inspection.site, **detail, "reason": reason.strip()}
    audit.record(ctx, "inspection_finding_close", "inspection", inspection.id, detail=told)
    return _result(ctx, inspection, code)


def countersign(ctx: Context, inspection_id: int, note: str = "") -> InspectionView:
    """Sign an inspection as the second person.

    Raises PermissionDenied, NotFound, SiteDenied, Conflict for whoever did or stored it, and when it is signed already.
    """
    ctx.actor.require(WRITE)
    inspection = load(ctx, inspection_id)
    if not may_countersign(ctx, inspection):
        raise Conflict(T("Whoever inspected cannot countersign"), code="same_person")
    name = (ctx.actor.display_name or ctx.actor.username)[:80]
    mine = (_INSPECTIONS.c.id == inspection.id, _INSPECTIONS.c.countersigned_at.is_(None))
    values = {"countersigned_by": name, "countersigned_at": ctx.now()}
    if changed(ctx, update(_INSPECTIONS).where(*mine).values(**values)) != 1:
        stored = ctx.session.scalar(select(_INSPECTIONS.c.countersigned_by).where(_INSPECTIONS.c.id == inspection.id))
        raise Conflict(T("%(name)s was first: it is countersigned already", name=stored), code="countersigned")
    events.write(ctx, inspection, events.COUNTERSIGNED, note.strip(), {"name": name})
    told = {"site": inspection.site, "inspector": inspection.inspector, "name": name}
    audit.record(ctx, "inspection_countersign", "inspection", inspection.id, detail=told)
    return load(ctx, inspection.id)


def may_countersign(ctx: Context, inspection: InspectionView) -> bool:
    """Return whether the caller is somebody else than those who did, signed and stored an inspection."""
    own = (ctx.actor.username, ctx.actor.display_name)
    return is_second_person(own, (inspection.created_by, inspection.inspector, inspection.signed_by))


def _result(ctx: Context, inspection: InspectionView, code: str) -> ResultView:
    found = read.results_of(ctx, inspection, (code,))
    if not found:
        raise NotFound(T("The inspection has no such point"))
    return found[0]


def _already(ctx: Context, result_id: int) -> Text:
    names = (InspectionResult.work_order_id, InspectionResult.closed_by)
    row = ctx.session.execute(select(*names).where(InspectionResult.id == result_id)).one()
    if row.work_order_id is not None:
        return T("Work order #%(number)s was made of this finding already", number=row.work_order_id)
    return T("%(name)s was first: it needs no action already", name=name_of(ctx, row.closed_by))
