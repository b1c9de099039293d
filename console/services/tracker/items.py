"""Tracker items one at a time: read, change, claim, comment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import func, select, update

from console.core.context import Context
from console.core.records import Fact, view_of
from console.domain.alerts.snooze import HANDLED
from console.domain.errors import Conflict, Invalid
from console.domain.text import T
from console.domain.tracker.requests import ItemChange
from console.domain.tracker.tracker import REMEDIATION, TrackerKind
from console.inputs.tracker import Facts
from console.models.identity import User
from console.models.tracker import TrackerEvent, TrackerItem
from console.services.alerts import given
from console.services.audit import record as audit
from console.services.common.versions import check_version
from console.services.jobs.runs import changed as affected
from console.services.tracker import snooze
from console.services.tracker import store as tracker_store
from console.services.tracker.change import check_due, check_permission, decide, person
from console.services.tracker.rows import ItemView, load
from console.services.tracker.store import Event

# The person's name stands in another table, and a date that was sent may be in any zone.
_READ_AGAIN = frozenset({"assignee_user_id", "due_at"})


@dataclass(frozen=True)
class Changed:
    """An item after a change. `undo` takes it back (None when nothing changed); `adjusted`: the pair was put right."""

    item: ItemView
    adjusted: bool = False
    undo: str | None = None
    reopened_completion: bool = False


@dataclass(frozen=True)
class EventView:
    """One line of an item's history; `old` and `new` hold the fields that changed, instants as ISO 8601."""

    id: int
    item_id: int
    at: datetime
    actor: str
    actor_name: str
    kind: str
    old: Annotated[Mapping[str, Any], Fact(answer=Facts)]
    new: Annotated[Mapping[str, Any], Fact(answer=Facts)]
    run_id: int | None


def get(ctx: Context, item_id: int, programme: TrackerKind = REMEDIATION) -> ItemView:
    """Read one item; raises NotFound, SiteDenied."""
    ctx.actor.require(*programme.read)
    return load(ctx, programme, item_id, ctx.now())


def change(
    ctx: Context,
    item_id: int,
    wanted: ItemChange,
    programme: TrackerKind = REMEDIATION,
    *,
    version: int | None = None,
    if_match: int | None = None,
) -> Changed:
    """Change an item (API contract, PATCH of an item).

    `version` (of the body) that is not the current one raises Conflict, `if_match` (of the header) raises
    PreconditionFailed; without them the last writer wins, and the history shows both.
    """
    ctx.actor.require(*programme.read)
    now = ctx.now()
    item = load(ctx, programme, item_id, now, lock=True)
    check_permission(ctx.actor, programme, item, wanted)
    check_version(item, version, if_match, tracker_store.MEANWHILE)
    check_due(wanted.due_at, wanted.reason, now)
    whom = None if wanted.assignee is None else person(ctx, wanted.assignee)
    decided = decide(item, wanted, whom, ctx.actor, now)
    if not decided.values:
        _touch(ctx, item, now)
        after = load(ctx, programme, item_id, now)
        record(ctx, programme, item, after, {})
        return Changed(after, decided.adjusted)
    command = tracker_store.begin_command(ctx, programme, "change", now)
    store(ctx, programme, item, decided.values, decided.events, now, command)
    reopened = decided.resets(programme) and tracker_store.reopen_completion(
        ctx, programme, item.site, "tracker_item_updated", now
    )
    after = _after(ctx, programme, item, decided.values, now)
    record(ctx, programme, item, after, decided.values)
    if decided.values.get("assignee"):
        given.items(ctx, [item.id])
    return Changed(after, decided.adjusted, command.token, reopened)


def store(
    ctx: Context,
    programme: TrackerKind,
    item: ItemView,
    values: Mapping[str, Any],
    events: tuple[Event, ...],
    now: datetime,
    command: tracker_store.Command | None = None,
) -> None:
    """Store a decided change of a locked item with its events; raises Conflict when the item moved on meanwhile."""
    if not tracker_store.update_item(ctx, item.id, item.version, values, now):
        raise Conflict(tracker_store.MEANWHILE, code="version_conflict")
    written = [(item.id, item.site, item.version + 1, event) for event in events]
    tracker_store.write_events(ctx, programme, written, now, command)
    if item.snoozed_until is not None and values.get("status") == "done":
        snooze.end(ctx, [item.id], HANDLED, now)


def _after(ctx: Context, programme: TrackerKind, item: ItemView, values: Mapping[str, Any], now: datetime) -> ItemView:
    """Return a locked item after `values` were stored; what the database adds to them is read."""
    if not _READ_AGAIN.isdisjoint(values):
        return load(ctx, programme, item.id, now)
    return replace(item, **values, version=item.version + 1, updated_at=now, updated_by=ctx.actor.username)


def _touch(ctx: Context, item: ItemView, now: datetime) -> None:
    # Published: every PATCH stamps these two, even one that changes nothing.
    affected(
        ctx,
        update(TrackerItem)
        .where(TrackerItem.id == item.id, TrackerItem.version == item.version)
        .values(updated_at=now, updated_by=ctx.actor.username),
    )


def record(ctx: Context, programme: TrackerKind, before: ItemView, after: ItemView, values: Mapping[str, Any]) -> None:
    """Put a change of an item on record: the published keys, and old and new values of what changed."""
    old, new = tracker_store.difference(before, values)
    audit.record(
        ctx,
        f"{programme.audit_prefix}_item_update",
        programme.item_resource,
        after.id,
        detail={
            "status": after.status,
            "assignee": after.assignee,
            "completion_checked": after.completion_checked,
            "is_active": after.is_active,
            "old": tracker_store.stored(old),
            "new": tracker_store.stored(new),
            "site": after.site,
        },
    )


def claim(ctx: Context, item_id: int, programme: TrackerKind = REMEDIATION) -> Changed:
    """Take an unassigned open item; raises Conflict when somebody was faster or it is not open."""
    ctx.actor.require(*programme.write)
    now = ctx.now()
    item = load(ctx, programme, item_id, now, lock=True)
    if item.assignee is not None:
        raise Conflict(T("The item is assigned to %(name)s already", name=item.assignee_name or item.assignee))
    if not item.is_open:
        raise Conflict(T("The item is not open"))
    whom = person(ctx, ctx.actor.username)
    decided = decide(item, ItemChange(assignee=ctx.actor.username), whom, ctx.actor, now)
    values = {**decided.values, "accepted_at": now}
    events = tuple(Event(event.kind, event.old, {**event.new, "accepted_at": now}) for event in decided.events)
    command = tracker_store.begin_command(ctx, programme, "claim", now)
    store(ctx, programme, item, values, events, now, command)
    reopened = tracker_store.reopen_completion(ctx, programme, item.site, "tracker_item_updated", now)
    after = load(ctx, programme, item_id, now)
    record(ctx, programme, item, after, values)
    return Changed(after, False, command.token, reopened)


def comment(ctx: Context, item_id: int, text: str, programme: TrackerKind = REMEDIATION) -> EventView:
    """Add a comment to an item's history; whoever may change the item may comment on it."""
    ctx.actor.require(*programme.read)
    now = ctx.now()
    item = load(ctx, programme, item_id, now, lock=True)
    check_permission(ctx.actor, programme, item, ItemChange())
    text = text.strip()
    if not text:
        raise Invalid.field("text", T("A comment needs words"))
    counted = update(TrackerItem).where(TrackerItem.id == item.id)
    affected(ctx, counted.values(comment_count=TrackerItem.comment_count + 1))
    tracker_store.write_events(
        ctx, programme, [(item.id, item.site, item.version, Event("comment", {}, {"text": text}))], now
    )
    detail = {"text": text, "site": item.site}
    audit.record(ctx, f"{programme.audit_prefix}_item_comment", programme.item_resource, item.id, detail=detail)
    return events_of(ctx, item_id, programme, limit=1)[0][0]


def events_of(
    ctx: Context, item_id: int, programme: TrackerKind = REMEDIATION, *, limit: int = 200, offset: int = 0
) -> tuple[tuple[EventView, ...], int]:
    """Return an item's history, newest first, and how many events there are; raises NotFound, SiteDenied."""
    get(ctx, item_id, programme)
    mine = TrackerEvent.item_id == item_id
    total = ctx.session.scalar(select(func.count()).select_from(TrackerEvent).where(mine)) or 0
    statement = (
        select(TrackerEvent, User.display_name)
        .outerjoin(User, User.username == TrackerEvent.actor)
        .where(mine)
        .order_by(TrackerEvent.id.desc())
        .limit(limit)
        .offset(min(offset, total))
    )
    found = tuple(
        view_of(EventView, event, actor_name=name or event.actor) for event, name in ctx.session.execute(statement)
    )
    return found, total
