"""What happened at an asset: its work orders and inspections in one list, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, literal, select, union_all

from console.core.context import Context
from console.models.identity import User
from console.models.inspections import Inspection, InspectionTemplate
from console.models.work_orders import WorkOrder
from console.services.assets.rows import AssetView
from console.services.inspections.rows import READ as READ_INSPECTIONS
from console.services.work_orders.rows import READ as READ_ORDERS


@dataclass(frozen=True)
class HistoryLine:
    """A work order (made at `at`, aware UTC) or an inspection (done at `at`) of an asset.

    `state` is the status of an order or the level of an inspection, `person` its assignee or its inspector.
    """

    kind: Literal["work_order", "inspection"]
    id: int
    title: str
    at: datetime
    state: str
    person: str
    trade: str


@dataclass(frozen=True)
class History:
    """Some lines of the history of an asset, and how many there are."""

    lines: tuple[HistoryLine, ...]
    total: int


def of_asset(ctx: Context, asset: AssetView, *, limit: int = 50, offset: int = 0) -> History:
    """Return what happened at an asset that was loaded, as far as the caller may read it: two queries."""
    parts = []
    if ctx.actor.can(READ_ORDERS):
        parts.append(
            select(
                literal("work_order").label("kind"),
                WorkOrder.id,
                WorkOrder.title.label("title"),
                WorkOrder.created_at.label("at"),
                WorkOrder.status.label("state"),
                func.coalesce(User.display_name, WorkOrder.assignee, "").label("person"),
                WorkOrder.trade.label("trade"),
            )
            .outerjoin(User, User.id == WorkOrder.assignee_user_id)
            .where(WorkOrder.asset_id == asset.id)
        )
    if ctx.actor.can(READ_INSPECTIONS):
        title = func.coalesce(InspectionTemplate.name, Inspection.location)
        inspections = select(
            literal("inspection").label("kind"),
            Inspection.id,
            title.label("title"),
            Inspection.inspected_at.label("at"),
            Inspection.risk_level.label("state"),
            Inspection.inspector.label("person"),
            literal("").label("trade"),
        ).outerjoin(InspectionTemplate, InspectionTemplate.id == Inspection.template_id)
        parts.append(inspections.where(Inspection.asset_id == asset.id))
    if not parts:
        return History((), 0)
    every = union_all(*parts).subquery()
    total = ctx.session.scalar(select(func.count()).select_from(every)) or 0
    newest = select(every).order_by(every.c.at.desc(), every.c.kind, every.c.id.desc())
    found = ctx.session.execute(newest.limit(limit).offset(min(offset, total)))
    return History(tuple(HistoryLine(*row) for row in found), total)
