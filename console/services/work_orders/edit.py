"""Changes of an open order beside its status: reassign, priority, due date, texts, asset."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from console.core.context import Context
from console.domain.errors import Conflict, Invalid
from console.domain.text import T
from console.domain.work_orders.requests import OrderChange
from console.domain.work_orders.words import rank
from console.services.tracker.change import person
from console.services.work_orders.create import asset_at, check_due
from console.services.work_orders.rows import WRITE, WorkOrderView, load
from console.services.work_orders.store import Event, check_version, plain, record, store, write_event

_TEXTS = ("title", "description", "location", "trade")
# Columns that repeat what another one says.
_BESIDE = frozenset({"assignee_user_id", "priority_rank", "policy_revision_id"})


def change(
    ctx: Context,
    order_id: int,
    wanted: OrderChange,
    *,
    version: int | None = None,
    if_match: int | None = None,
) -> WorkOrderView:
    """Change an open order and keep old and new values in an event; a change that changes nothing writes nothing.

    `version` (of the body) that is not the current one raises Conflict, `if_match` (of the header) raises
    PreconditionFailed; without them the last writer wins, and the history shows both. Raises Invalid for a new
    priority or due date without reason, Conflict for a closed order.
    """
    ctx.actor.require(WRITE)
    now = ctx.now()
    order = load(ctx, order_id, now, lock=True)
    check_version(order, version, if_match)
    values = _values(ctx, order, wanted, now)
    if not values:
        return order
    if not order.is_open:
        raise Conflict(T("A closed work order cannot be changed; open it again first"), code="closed")
    after = store(ctx, order, values, now)
    named = [key for key in values if key not in _BESIDE]
    told = {key: plain({"old": getattr(order, key), "new": getattr(after, key)}) for key in named}
    detail = {**told, **({"reason": wanted.reason} if wanted.reason else {})}
    write_event(ctx, after, Event("updated", order.status, after.status, wanted.reason, detail), now)
    record(ctx, "update", after, **detail)
    return after


def _values(ctx: Context, order: WorkOrderView, wanted: OrderChange, now: datetime) -> dict[str, Any]:
    """Return the columns that really change; raises Invalid for a change that cannot be."""
    values = {key: sent for key in _TEXTS if (sent := getattr(wanted, key)) not in (None, getattr(order, key))}
    if wanted.asset_id is not None and (wanted.asset_id or None) != order.asset_id:
        asset_at(ctx, wanted.asset_id or None, order.site)
        values["asset_id"] = wanted.asset_id or None
    if wanted.assignee is not None and (wanted.assignee or None) != order.assignee:
        whom = person(ctx, wanted.assignee)
        values |= {"assignee": whom.text, "assignee_user_id": whom.user_id}
    if wanted.priority not in (None, order.priority):
        _reason(wanted, T("A new priority needs a reason"))
        values |= {"priority": wanted.priority, "priority_rank": rank(wanted.priority)}
    if wanted.due_at not in (None, order.due_at):
        _reason(wanted, T("A new due date needs a reason"))
        check_due(wanted.due_at, now)
        values |= {"due_at": wanted.due_at, "policy_revision_id": None}
    return values


def _reason(wanted: OrderChange, sentence: Any) -> None:
    if not wanted.reason:
        raise Invalid.field("reason", sentence)
