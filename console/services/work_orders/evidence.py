"""Files of a work order: what was seen before the work, and what after it."""

from __future__ import annotations

from sqlalchemy import update

from console.core.context import Context
from console.domain.evidence.evidence import WORK_ORDERS
from console.domain.text import T
from console.domain.work_orders.words import AFTER, PHASES
from console.models.evidence import EvidenceFile
from console.models.work_orders import WorkOrder
from console.services.evidence.subjects import FileView, Subject
from console.services.jobs.runs import changed
from console.services.work_orders.rows import READ, WRITE, load
from console.services.work_orders.store import RESOURCE, Event, write_event

EVENTS = {"upload": "evidence_added", "remove": "evidence_removed", "quarantine": "evidence_quarantined"}


def _readable(ctx: Context, order_id: int) -> str:
    ctx.actor.require(READ)
    return load(ctx, order_id, ctx.now()).site


def _writable(ctx: Context, order_id: int, lock: bool) -> str:
    # In every status, like a comment: a photo that was taken without signal arrives after the work is done.
    ctx.actor.require(WRITE)
    return load(ctx, order_id, ctx.now(), lock=lock).site


def _noted(ctx: Context, file: FileView, step: int, what: str, reason: str) -> None:
    """Count a file on its order and write it into the history; the order's version and time stay, as for comments."""
    order_id = file.work_order_id or 0
    column = WorkOrder.evidence_after if file.part == AFTER else WorkOrder.evidence_before
    if step:
        changed(ctx, update(WorkOrder).where(WorkOrder.id == order_id).values({column: column + step}))
    now = ctx.now()
    order = load(ctx, order_id, now)
    detail = {"evidence_id": file.id, "phase": file.part, "file_name": file.file_name}
    note = f"{file.file_name}: {reason}" if reason else file.file_name
    write_event(ctx, order, Event(EVENTS[what], order.status, order.status, note, detail), now)


FILES = Subject(
    module=WORK_ORDERS,
    column=EvidenceFile.work_order_id,
    resource=RESOURCE,
    parts=PHASES,
    not_found=T("Work order evidence not found"),
    forced="work_orders:escalate",
    readable=_readable,
    writable=_writable,
    noted=_noted,
)
