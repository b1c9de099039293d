"""How tracker rows are written: locks, conditional updates, events, commands, the reopening of a closed tracker."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from console.core.context import Context
from console.domain.text import T
from console.domain.tracker.tracker import ACTIVE, TrackerKind
from console.models.tracker import TrackerCommand, TrackerCompletion, TrackerEvent, TrackerItem, TrackerRun
from console.services.jobs.runs import changed
from console.services.tracker.rows import ItemView

MEANWHILE = T("Somebody else changed the item meanwhile")
_ITEMS = cast("Table", TrackerItem.__table__)
_COMMANDS = cast("Table", TrackerCommand.__table__)
# The tables and not the models: every change of an item sends these, and the models would cost as much as they do.
_ADD_EVENTS = insert(cast("Table", TrackerEvent.__table__))
_ADD_COMMAND = insert(_COMMANDS).returning(_COMMANDS.c.id)


@dataclass(frozen=True)
class Event:
    """An event to be written; `old` and `new` are the column values that changed, instants as instants."""

    kind: str
    old: Mapping[str, Any] = field(default_factory=dict)
    new: Mapping[str, Any] = field(default_factory=dict)
    run_id: int | None = None


@dataclass(frozen=True)
class Command:
    """A write of a person that can be taken back with `token`."""

    id: int
    token: str


def hold_items(ctx: Context, *, freeze: bool = True) -> None:
    """Wait for all writers of items and keep new ones out; without `freeze` keep out only whoever does that.

    SQLite has one writer anyway.
    """
    if ctx.session.get_bind().dialect.name == "postgresql":
        mode = "SHARE ROW EXCLUSIVE" if freeze else "ROW EXCLUSIVE"
        ctx.session.execute(text(f"LOCK TABLE {TrackerItem.__tablename__} IN {mode} MODE"))


def lock_run(ctx: Context, programme: TrackerKind, site: str | None = None, *, freeze: bool = False) -> TrackerRun:
    """Return the run row of a tracker, locked until the end of the transaction; it is made when it is missing.

    The items table comes first and the row second, for everybody alike, so that nobody waits in a circle; `freeze` is
    for a decision about all items.
    """
    session = ctx.session
    hold_items(ctx, freeze=freeze)
    wanted = select(TrackerRun).where(TrackerRun.tracker == programme.key, TrackerRun.site_key == (site or ""))
    locked = wanted.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(locked).one_or_none()
    if row is None:
        _make_run(ctx, programme, site)
        row = session.scalars(locked).one()
    return row


def _make_run(ctx: Context, programme: TrackerKind, site: str | None) -> None:
    now, by = ctx.now(), ctx.actor.username
    values = {
        "tracker": programme.key,
        "site": site,
        "site_key": site or "",
        "created_by": by,
        "updated_by": by,
        "created_at": now,
        "updated_at": now,
    }
    dialect = postgresql if ctx.session.get_bind().dialect.name == "postgresql" else sqlite
    ctx.session.execute(dialect.insert(TrackerRun).values(values).on_conflict_do_nothing())


def next_number(ctx: Context, programme: TrackerKind) -> int:
    """Return the number of the next item; the tracker must be locked."""
    return 1 + (
        ctx.session.scalar(select(func.max(TrackerItem.number)).where(TrackerItem.tracker == programme.key)) or 0
    )


def begin_command(ctx: Context, programme: TrackerKind, kind: str, now: datetime) -> Command:
    """Open a command; the events written under it can be taken back together."""
    return open_command(ctx, programme.key, kind, now)


def open_command(ctx: Context, key: str, kind: str, now: datetime) -> Command:
    """Open a command of the tracker `key`, or of another subject whose steps can be taken back."""
    token = secrets.token_urlsafe(24)
    values = {"tracker": key, "token": token, "kind": kind, "actor": ctx.actor.username, "at": now}
    return Command(ctx.session.execute(_ADD_COMMAND, values).scalar_one(), token)


def update_item(ctx: Context, item_id: int, version: int, values: Mapping[str, Any], now: datetime) -> bool:
    """Store `values` if the item is still at `version`, which then goes up by one; tells whether it was."""
    statement = (
        update(_ITEMS)
        .where(_ITEMS.c.id == item_id, _ITEMS.c.version == version)
        .values(**values, version=version + 1, updated_at=now, updated_by=ctx.actor.username)
    )
    return changed(ctx, statement) == 1


def update_items(ctx: Context, changes: Iterable[tuple[int, int, Mapping[str, Any]]], now: datetime) -> int:
    """Store what changes of many items, each given with its id and version; tells how many were still at theirs.

    One statement for all that change the same columns.
    """
    alike: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
    for item_id, version, values in changes:
        named = {f"new_{column}": value for column, value in values.items()}
        alike[frozenset(values)].append({"item_id": item_id, "known_version": version, **named})
    count = 0
    for columns, found in alike.items():
        statement = (
            update(_ITEMS)
            .where(_ITEMS.c.id == bindparam("item_id"), _ITEMS.c.version == bindparam("known_version"))
            .values({column: bindparam(f"new_{column}") for column in sorted(columns)})
            .values(version=_ITEMS.c.version + 1, updated_at=now, updated_by=ctx.actor.username)
        )
        count += changed(ctx, statement, found)
    return count


def write_events(
    ctx: Context,
    programme: TrackerKind,
    events: Sequence[tuple[int, str | None, int, Event]],
    now: datetime,
    command: Command | None = None,
) -> None:
    """Append events, each with its item's id, site and version after it."""
    if not events:
        return
    rows = [
        {
            "item_id": item_id,
            "tracker": programme.key,
            "site_key": site or "",
            "at": now,
            "actor": ctx.actor.username,
            "kind": event.kind,
            "old": stored(event.old),
            "new": stored(event.new),
            "from_status": event.old.get("status"),
            "to_status": event.new.get("status"),
            "run_id": event.run_id,
            "command_id": command.id if command else None,
            "version": version,
        }
        for item_id, site, version, event in events
    ]
    # The table and not the model: that one sends a statement of its own for each run of rows with the same NULLs.
    ctx.session.execute(_ADD_EVENTS, rows)


def stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write column values as JSON: instants as ISO 8601."""
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}


def difference(item: ItemView, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the old and the new values of those columns that really change."""
    old = {key: getattr(item, key) for key, value in values.items() if getattr(item, key) != value}
    return old, {key: values[key] for key in old}


def reopen_completion(ctx: Context, programme: TrackerKind, site: str | None, reason: str, now: datetime) -> bool:
    """Set a closed tracker back to active, since its items changed; tells whether it was closed.

    The closing stays readable in the history.
    """
    site_key = (site or "") if programme.site_runs else ""
    readiness = {"auto_reopened": True, "reason": reason, "checked_at": now.isoformat()}
    statement = (
        update(TrackerRun)
        .where(TrackerRun.tracker == programme.key, TrackerRun.site_key == site_key, TrackerRun.status != ACTIVE)
        .values(
            status=ACTIVE,
            completion_note="",
            force_used=False,
            completed_by=None,
            completed_at=None,
            last_checked_at=now,
            readiness=readiness,
            updated_at=now,
            updated_by=ctx.actor.username,
        )
    )
    if changed(ctx, statement) != 1:
        return False
    ctx.session.add(
        TrackerCompletion(
            tracker=programme.key,
            site_key=site_key,
            kind="reopened",
            status=ACTIVE,
            at=now,
            actor=ctx.actor.username,
            reason=reason,
            readiness=readiness,
        )
    )
    ctx.session.flush()
    return True
