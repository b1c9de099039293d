"""Who is told that something became theirs: at their own address, and no channel; whoever took it themselves is not."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, Select, select

from console.core.context import Context
from console.core.i18n import DEFAULT_LOCALE, text_in
from console.domain.alerts.alerts import ASSIGNED, ORDER_ASSIGNED
from console.domain.alerts.personal import MOST_LISTED, things_of
from console.domain.programme.trackers import programme
from console.domain.tracker.tracker import item_number, title_of
from console.models.tracker import TrackerItem
from console.models.work_orders import WorkOrder
from console.services.alerts import audience
from console.services.alerts.addresses import item_address, order_address
from console.services.identity.names import names_of

_ORDER = ("id", "title", "site", "priority", "due_at", "assignee")
_ITEM = (
    *("id", "tracker", "number", "item_key", "item_name", "action", "texts", "site", "priority", "due_at"),
    "assignee",
)


def orders(ctx: Context, ids: Collection[int]) -> None:
    """Tell the assignees of these work orders, in the transaction that gave them. One query where nobody can be."""
    wanted = select(*(getattr(WorkOrder, name) for name in _ORDER)).where(WorkOrder.id.in_(ids))
    for rows, names in _found(ctx, wanted, WorkOrder.assignee):
        lines = [
            {
                **{name: getattr(row, name) for name in _ORDER},
                "assignee_name": names.get(row.assignee),
                **order_address(ctx.config, row.id),
            }
            for row in rows
        ]
        payload = {"event": ORDER_ASSIGNED, "checked_at": ctx.now(), "orders": lines}
        audience.spread(ctx, ORDER_ASSIGNED, payload, things_of(ORDER_ASSIGNED, payload, None))


def items(ctx: Context, ids: Collection[int]) -> None:
    """Tell the assignees of these items of the board or of a week, in the transaction that gave them."""
    wanted = select(*(getattr(TrackerItem, name) for name in _ITEM)).where(TrackerItem.id.in_(ids))
    for rows, names in _found(ctx, wanted, TrackerItem.assignee):
        lines = [
            {
                "id": row.id,
                "tracker": row.tracker,
                "item_id": item_number(kind.item_prefix, row.number),
                "title": text_in(DEFAULT_LOCALE, title_of(row)),
                "site": row.site,
                "priority": row.priority,
                "due_at": row.due_at,
                "assignee": row.assignee,
                "assignee_name": names.get(row.assignee),
                **item_address(ctx.config, row.id, row.tracker),
            }
            for row in rows
            if (kind := programme(row.tracker)) is not None
        ]
        payload = {"event": ASSIGNED, "checked_at": ctx.now(), "items": lines}
        audience.spread(ctx, ASSIGNED, payload, things_of(ASSIGNED, payload, None))


def _found(ctx: Context, wanted: Select[Any], assignee: Any) -> list[tuple[list[Row[Any]], dict[str, str]]]:
    """Return what of `wanted` belongs to people who can be told, with their names; nothing of the caller's own."""
    reached = audience.reachable(ctx) - {ctx.actor.username}
    if not reached:
        return []
    rows = list(ctx.session.execute(wanted.where(assignee.in_(reached)).limit(MOST_LISTED)))
    return [(rows, names_of(ctx, [row.assignee for row in rows]))] if rows else []
