"""Taking a step for many orders back: the orders that nobody touched since are as they were before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select

from console.core.context import Context
from console.domain.errors import Conflict
from console.domain.work_orders import requests as wanted
from console.domain.work_orders.words import rank
from console.models.identity import User
from console.models.tracker import TrackerCommand
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.audit import record as audit
from console.services.tracker import undo as commands
from console.services.tracker.undo import Undone
from console.services.work_orders import edit, rows
from console.services.work_orders.rows import WRITE, WorkOrderView
from console.services.work_orders.store import RESOURCE, Event, store, write_events

# Whose commands they are, among those of the trackers.
KEY = "work_orders"
# What can be taken back: these steps start and stop no clock, and tell nobody that work is done.
STEPS = frozenset({wanted.ASSIGN, wanted.PRIORITY, wanted.DUE})
_CHANGED = ("assignee", "priority", "due_at")
_CHUNK = 500


class _Told(NamedTuple):
    """What the history has of an order: the event of the command, and the policy revision before it."""

    event: WorkOrderEvent
    revision: int | None


def undo(ctx: Context, token: str) -> Undone:
    """Take back the step that `token` belongs to, for each order that nobody touched since.

    Raises NotFound for a token that is not the caller's, Gone when the time is over or it was taken back already, and
    Conflict when nothing can be taken back any more.
    """
    ctx.actor.require(WRITE)
    now = ctx.now()
    command = commands.command_of(ctx, token, KEY)
    commands.claim(ctx, command)
    events = _events(ctx, command)
    ids = sorted(events)
    restored: list[int] = []
    for at in range(0, len(ids), _CHUNK):
        restored += _take_back(ctx, ids[at : at + _CHUNK], events, now)
    if not restored:
        raise Conflict(commands.NOTHING_LEFT, code="version_conflict")
    skipped = tuple(sorted(set(ids) - set(restored)))
    detail = {"restored": restored[:_CHUNK], "restored_count": len(restored), "skipped": list(skipped[:_CHUNK])}
    audit.record(ctx, "work_order_bulk_undo", RESOURCE, command.kind, detail=detail)
    return Undone(tuple(restored), skipped)


def _events(ctx: Context, command: TrackerCommand) -> dict[int, WorkOrderEvent]:
    """Return the events that a command wrote, by order."""
    written = select(WorkOrderEvent).where(
        WorkOrderEvent.created_at == command.at,
        WorkOrderEvent.event_type == "updated",
        WorkOrderEvent.actor_username == command.actor,
    )
    found = ctx.session.scalars(written)
    return {event.work_order_id: event for event in found if event.detail_json.get("command") == command.id}


def _take_back(ctx: Context, ids: Sequence[int], events: Mapping[int, WorkOrderEvent], now: datetime) -> list[int]:
    locked = rows.base(ctx.actor).where(WorkOrder.id.in_(ids)).order_by(WorkOrder.id).with_for_update(of=WorkOrder)
    orders = [rows.view(row, now) for row in ctx.session.execute(locked).all()]
    told = _untouched(ctx, ids, events)
    people = _people(ctx, [one.event for one in told.values()])
    written: list[tuple[WorkOrderView, Event]] = []
    for order in orders:
        if order.is_open and order.id in told:
            values = _before(told[order.id], people)
            detail = {**edit.told(order, values, "").detail, "undo": True}
            after = store(ctx, order, values, now)
            written.append((after, Event("updated", order.status, order.status, "", detail)))
    write_events(ctx, written, now)
    return [order.id for order, _event in written]


def _untouched(ctx: Context, ids: Sequence[int], events: Mapping[int, WorkOrderEvent]) -> dict[int, _Told]:
    """Return what is told of the orders whose history ends with the event of the command; they must be locked."""
    event = WorkOrderEvent
    newest = select(event.work_order_id, func.max(event.id)).where(event.work_order_id.in_(ids))
    last = {row[0]: row[1] for row in ctx.session.execute(newest.group_by(event.work_order_id))}
    mine = {order_id: events[order_id] for order_id in ids if last.get(order_id) == events[order_id].id}
    earlier = select(func.max(event.id)).where(
        event.work_order_id.in_(mine), event.id.not_in([one.id for one in mine.values()])
    )
    before = select(event.work_order_id, event.policy_revision_id).where(
        event.id.in_(earlier.group_by(event.work_order_id))
    )
    revisions = {row[0]: row[1] for row in ctx.session.execute(before)} if mine else {}
    return {order_id: _Told(one, revisions.get(order_id)) for order_id, one in mine.items()}


def _people(ctx: Context, events: Sequence[WorkOrderEvent]) -> dict[str, int]:
    named = {old for event in events if (old := event.detail_json.get("assignee", {}).get("old"))}
    if not named:
        return {}
    found = ctx.session.execute(select(User.username, User.id).where(User.username.in_(named)))
    return {row.username: row.id for row in found}


def _before(told: _Told, people: Mapping[str, int]) -> dict[str, Any]:
    """Return the values of the columns before the step, with those that repeat them."""
    detail = told.event.detail_json
    values: dict[str, Any] = {key: detail[key]["old"] for key in _CHANGED if key in detail}
    if "assignee" in values:
        values["assignee_user_id"] = people.get(values["assignee"] or "")
    if "priority" in values:
        values["priority_rank"] = rank(values["priority"])
    if "due_at" in values:
        values |= {"due_at": datetime.fromisoformat(values["due_at"]), "policy_revision_id": told.revision}
    return values
