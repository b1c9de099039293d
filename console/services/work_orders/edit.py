"""Changes of an open order beside its status: reassign, priority, due date, texts, asset."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from console.core.context import Context
from console.domain.errors import Conflict, Invalid
from console.domain.text import T
from console.domain.work_orders.requests import OrderChange
from console.domain.work_orders.words import rank
from console.services.common.versions import check_version
from console.services.tracker.change import Person, person
from console.services.work_orders import snooze
from console.services.work_orders.create import asset_at, check_due
from console.services.work_orders.rows import WRITE, WorkOrderView, load
from console.services.work_orders.store import MEANWHILE, Event, plain, record, store, write_event

CLOSED = T("A closed work order cannot be changed; open it again first")
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
    check_version(order, version, if_match, MEANWHILE)
    if wanted.asset_id and wanted.asset_id != order.asset_id:
        asset_at(ctx, wanted.asset_id, order.site)
    whom = None if wanted.assignee is None else person(ctx, wanted.assignee)
    values = decided(order, wanted, whom, now)
    if not values:
        return order
    after = store(ctx, order, values, now)
    event = told(order, values, wanted.reason)
    write_event(ctx, after, event, now)
    snooze.follow(ctx, order, values, now)
    record(ctx, "update", after, **event.detail)
    return after


def told(order: WorkOrderView, values: Mapping[str, Any], reason: str) -> Event:
    """Return the event of a change: old and new value of each column, and the reason if there is one."""
    named = [key for key in values if key not in _BESIDE]
    detail = {key: plain({"old": getattr(order, key), "new": values[key]}) for key in named}
    return Event("updated", order.status, order.status, reason, {**detail, **({"reason": reason} if reason else {})})


def decided(order: WorkOrderView, wanted: OrderChange, whom: Person | None, now: datetime) -> dict[str, Any]:
    """Return the columns that really change; `whom` is the person that `wanted` names, None for nobody's change.

    Raises Invalid for a change that cannot be, Conflict where anything would change in a closed order.
    """
    values = _values(order, wanted, whom, now)
    if values and not order.is_open:
        raise Conflict(CLOSED, code="closed")
    return values


def _values(order: WorkOrderView, wanted: OrderChange, whom: Person | None, now: datetime) -> dict[str, Any]:
    values = {key: sent for key in _TEXTS if (sent := getattr(wanted, key)) not in (None, getattr(order, key))}
    if wanted.asset_id is not None and (wanted.asset_id or None) != order.asset_id:
        values["asset_id"] = wanted.asset_id or None
    if whom is not None and whom.text != order.assignee:
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
