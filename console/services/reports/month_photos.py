"""The photos before and after the work of a report's failures: small copies, which stay when the files go."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from console.adapters.thumbnails import small
from console.core.context import Context
from console.domain.errors import DomainError
from console.domain.evidence.evidence import PENDING, PICTURES, QUARANTINED
from console.domain.work_orders.words import AFTER, BEFORE, PHASES
from console.models.evidence import EvidenceFile
from console.services.evidence import files


def attach(ctx: Context, faults: Sequence[dict[str, Any]]) -> None:
    """Give each failure its `photos`: the first before the work and the last after it, None where there is none."""
    rows = _rows(ctx, [order for one in faults for order in one["ids"]])
    for one in faults:
        mine = [row for row in rows if row.work_order_id in one["ids"]]
        before = [row for row in mine if row.part == BEFORE]
        after = [row for row in reversed(mine) if row.part == AFTER]
        one["photos"] = {BEFORE: _first(ctx, before), AFTER: _first(ctx, after)}


def _rows(ctx: Context, orders: Sequence[int]) -> Sequence[EvidenceFile]:
    if not orders:
        return ()
    wanted = select(EvidenceFile).where(
        EvidenceFile.work_order_id.in_(orders),
        EvidenceFile.part.in_(PHASES),
        EvidenceFile.content_type.in_(PICTURES),
        EvidenceFile.removed_at.is_(None),
        EvidenceFile.malware_scan_status.not_in((PENDING, QUARANTINED)),
    )
    return ctx.session.scalars(wanted.order_by(EvidenceFile.id)).all()


def _first(ctx: Context, rows: Iterable[EvidenceFile]) -> dict[str, Any] | None:
    """Return the first of the files that can be read and is a picture."""
    for row in rows:
        try:
            content = files.verified(ctx, row)
        except DomainError:
            continue
        with content:
            made = small(content)
        if made is not None:
            return {"evidence_id": row.id, "sha256": row.sha256, "jpeg": b64encode(made).decode()}
    return None
