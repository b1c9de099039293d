"""Taking a change back: the inverse of a command, for the items that nobody touched since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from console.core.context import Context
from console.domain.automation.autopilot import AUTO_ASSIGN
from console.domain.automation.workload import RETURNED
from console.domain.errors import Conflict, Gone, NotFound
from console.domain.text import T
from console.domain.tracker.tracker import REMEDIATION, TrackerKind
from console.models.tracker import TrackerCommand, TrackerEvent, TrackerItem
from console.services.audit import record as audit
from console.services.jobs.runs import changed as affected
from console.services.tracker import store as tracker_store
from console.services.tracker.store import Event

CHUNK = 500
TOO_LATE = T("This can no longer be taken back")
NOTHING_LEFT = T("Everything was changed again meanwhile; nothing was taken back")


@dataclass(frozen=True)
class Undone:
    """How many items are as before, and how many somebody has changed since and were left alone."""

    restored: tuple[int, ...]
    skipped: tuple[int, ...]


@dataclass
class _Item:
    site: str | None = None
    version: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


def undo(ctx: Context, token: str, programme: TrackerKind = REMEDIATION) -> Undone:
    """Take back the command that `token` belongs to, item by item, where its version still stands.

    Raises NotFound for a token that is not the caller's, Gone when the time is over or it was taken back already, and
    Conflict when every item was changed meanwhile.
    """
    ctx.actor.require(*programme.read)
    return take_back(ctx, command_of(ctx, token, programme.key), programme)


def command_of(ctx: Context, token: str, key: str) -> TrackerCommand:
    """Return the command of the tracker `key` (or of `work_orders`) that the caller may take back with this token.

    Raises NotFound for a token that is not the caller's, Gone when the time is over or it was taken back already.
    """
    command = ctx.session.scalars(
        select(TrackerCommand).where(TrackerCommand.tracker == key, TrackerCommand.token == token[:64])
    ).one_or_none()
    if command is None or command.actor != ctx.actor.username:
        raise NotFound(T("There is nothing to take back"))
    late = ctx.now() - command.at > timedelta(seconds=ctx.config["TRACKER_UNDO_SECONDS"])
    if command.undone_at is not None or late:
        raise Gone(TOO_LATE)
    return command


def claim(ctx: Context, command: TrackerCommand) -> None:
    """Be the one who takes a command back; raises Gone where somebody was faster."""
    unclaimed = update(TrackerCommand).where(TrackerCommand.id == command.id, TrackerCommand.undone_at.is_(None))
    if affected(ctx, unclaimed.values(undone_at=ctx.now())) != 1:
        raise Gone(TOO_LATE)


def take_back(ctx: Context, command: TrackerCommand, programme: TrackerKind = REMEDIATION) -> Undone:
    """Take back a command that the caller may take back, once; who and how long after is the caller's business.

    Raises Gone when it was taken back already, Conflict when every item was changed meanwhile.
    """
    now = ctx.now()
    claim(ctx, command)
    items, versions = _inverse(ctx, command.id), _versions(ctx, command.id)
    if command.kind == AUTO_ASSIGN:
        for item in items.values():
            _keep(item, now)
    restored, skipped = [], []
    written: list[tuple[int, str | None, int, Event]] = []
    for item_id, item in items.items():
        ctx.actor.require_site(item.site)
        if versions[item_id] == item.version:
            restored.append(item_id)
            written += [(item_id, item.site, item.version + 1, event) for event in item.events]
        else:
            skipped.append(item_id)
    back = [(item_id, items[item_id].version, items[item_id].values) for item_id in restored]
    if not restored or tracker_store.update_items(ctx, back, now) != len(restored):
        raise Conflict(NOTHING_LEFT, code="version_conflict")
    tracker_store.write_events(ctx, programme, written, now)
    for site in {items[item_id].site for item_id in restored} if programme.site_runs else {None}:
        tracker_store.reopen_completion(ctx, programme, site, "tracker_item_updated", now)
    audit.record(
        ctx,
        f"{programme.audit_prefix}_item_undo",
        programme.item_resource,
        restored[0] if len(restored) == 1 else command.kind,
        detail={"restored": restored[:CHUNK], "restored_count": len(restored), "skipped": skipped[:CHUNK]},
    )
    return Undone(tuple(restored), tuple(skipped))


def _keep(item: _Item, now: datetime) -> None:
    """Mark an item whose automatic assignment is taken back, so that the next run does not give it away again."""
    kept = {"assigned_at": now, "assignment_source": RETURNED}
    item.values |= kept
    item.events = [replace(event, new={**event.new, **kept}) for event in item.events]


def _versions(ctx: Context, command_id: int) -> dict[int, int]:
    """Return the present versions of the items of a command, locked: what is still at its version stays there."""
    touched = select(TrackerEvent.item_id).where(TrackerEvent.command_id == command_id)
    statement = select(TrackerItem.id, TrackerItem.version).where(TrackerItem.id.in_(touched)).order_by(TrackerItem.id)
    return {row.id: row.version for row in ctx.session.execute(statement.with_for_update())}


def _inverse(ctx: Context, command_id: int) -> dict[int, _Item]:
    """Return what each item of a command looked like before, and the version the command left it at."""
    statement = select(TrackerEvent).where(TrackerEvent.command_id == command_id).order_by(TrackerEvent.id)
    items: dict[int, _Item] = {}
    for event in ctx.session.scalars(statement, execution_options={"yield_per": CHUNK}):
        item = items.setdefault(event.item_id, _Item())
        item.site, item.version = event.site_key or None, event.version
        restored = restore(event.old)
        item.values |= {key: value for key, value in restored.items() if key not in item.values}
        # Without from and to: work that was taken back is neither finished nor reopened work.
        taken_back = {key: value for key, value in event.new.items() if key in event.old and key != "status"}
        new = {**{key: value for key, value in event.old.items() if key != "status"}, "undo": event.kind}
        if "status" in event.old:
            taken_back["from"], new["to"] = event.new.get("status"), event.old["status"]
        item.events.append(Event("undo", taken_back, new))
    return items


def restore(values: Mapping[str, Any]) -> dict[str, Any]:
    """Read stored column values back: instants of instant columns from ISO 8601."""
    return {
        key: datetime.fromisoformat(value) if value is not None and key.endswith("_at") else value
        for key, value in values.items()
        if key in TrackerItem.__table__.columns
    }
