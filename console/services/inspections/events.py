"""What people did about an inspection after it was stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, cast

from sqlalchemy import Table, insert, select

from console.core.context import Context
from console.core.records import INTERNAL, JsonObject, view_of
from console.models.identity import User
from console.models.inspections import InspectionEvent
from console.services.inspections.rows import InspectionView

FINDING_CLOSED, COUNTERSIGNED = "finding_closed", "countersigned"
# Each of its points has one at most, and it is signed once.
MOST = 300
_EVENTS = cast("Table", InspectionEvent.__table__)


@dataclass(frozen=True)
class InspectionEventView:
    """One line of the history of an inspection; `created_at` is aware UTC."""

    id: int
    inspection_id: int
    event_type: str
    actor_username: str
    note: str
    detail: JsonObject
    created_at: datetime
    actor_name: Annotated[str, INTERNAL] = ""


def write(ctx: Context, inspection: InspectionView, event_type: str, note: str, detail: Mapping[str, Any]) -> None:
    """Append a line to the history of an inspection."""
    made = {"inspection_id": inspection.id, "event_type": event_type, "actor_username": ctx.actor.username}
    ctx.session.execute(insert(_EVENTS), {**made, "note": note, "detail_json": dict(detail), "created_at": ctx.now()})


def of_inspection(ctx: Context, inspection: InspectionView) -> list[InspectionEventView]:
    """Return the history of an inspection that was loaded, oldest first: one query."""
    asked = (
        select(InspectionEvent, User.display_name)
        .outerjoin(User, User.username == InspectionEvent.actor_username)
        .where(InspectionEvent.inspection_id == inspection.id)
        .order_by(InspectionEvent.created_at, InspectionEvent.id)
        .limit(MOST)
    )
    return [
        view_of(InspectionEventView, row, detail=row.detail_json, actor_name=name or row.actor_username)
        for row, name in ctx.session.execute(asked)
    ]
