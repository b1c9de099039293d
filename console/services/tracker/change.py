"""What one person's change makes of one item: values to store and events to write. Decides, stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from console.core.context import Actor, Context
from console.core.records import edited_of
from console.domain.automation.workload import RETURNED, source_of
from console.domain.errors import Conflict, Invalid, PermissionDenied
from console.domain.local_time import REACH, TOO_FAR
from console.domain.text import T
from console.domain.tracker.requests import ItemChange
from console.domain.tracker.rules import State, next_state
from console.domain.tracker.tracker import TrackerKind
from console.models.identity import User
from console.services.tracker.rows import ItemView
from console.services.tracker.store import Event


@dataclass(frozen=True)
class Person:
    """Whom an assignee's text names: the user, or nobody that is known."""

    text: str | None
    user_id: int | None


@dataclass(frozen=True)
class Decision:
    """What a change does: column values, events, and whether a contradicting pair was put right."""

    values: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    adjusted: bool = False
    active: bool = True

    def resets(self, programme: TrackerKind) -> bool:
        """Whether it opens a closed tracker again."""
        if not (self.active and self.values):
            return False
        return programme.any_change_reopens or not {"status", "assignee"}.isdisjoint(self.values)


def person(ctx: Context, text: str) -> Person:
    """Find the user that a text names: by user name, then by user name in other letter case.

    The text stays as it was sent: it is a published field that clients compare.
    """
    text = text.strip()
    if not text:
        return Person(None, None)
    found = ctx.session.scalar(select(User.id).where(User.username == text))
    if found is None:
        alike = ctx.session.scalars(select(User.id).where(func.lower(User.username) == text.lower()).limit(2)).all()
        found = alike[0] if len(alike) == 1 else None
    return Person(text, found)


def check_permission(actor: Actor, programme: TrackerKind, item: ItemView, change: ItemChange) -> None:
    """Raise PermissionDenied unless the actor may make this change; assignees may work on their own items."""
    if any(actor.can(permission) for permission in programme.write):
        return
    own = item.owned_by(actor) and change.assignee is None and change.due_at is None
    if not own or not any(actor.can(permission) for permission in programme.read):
        raise PermissionDenied.missing(programme.write[0])


def check_due(due_at: datetime | None, reason: str, now: datetime) -> None:
    """Raise Invalid for a new due date without reason, or one that nobody can mean."""
    if due_at is None:
        return
    if not reason.strip():
        raise Invalid.field("reason", T("A new due date needs a reason"))
    if abs(due_at - now) > REACH:
        raise Invalid.field("due_at", TOO_FAR)


def decide(item: ItemView, change: ItemChange, whom: Person | None, actor: Actor, now: datetime) -> Decision:
    """Decide a change at `now`; raises Conflict for a change of state or deadline of an inactive item.

    `whom` is the person that `change.assignee` names, None when the assignee is not to change.
    """
    stored = State(item.status, item.completion_checked, item.completed_at)
    following = next_state(stored, change.status, change.completion_checked, now)
    moved = following.state != stored
    new_due = change.due_at is not None and change.due_at != item.due_at
    if not item.is_active and (moved or new_due):
        raise Conflict(T("The item is closed; only its note can be changed"), code="item_inactive")
    values: dict[str, Any] = {}
    events: list[Event] = []
    if whom is not None and whom.text != item.assignee:
        events.append(_assign(item, whom, now, values))
    if new_due:
        new = {"due_at": change.due_at, "due_changed_at": now}
        values |= new
        old = {"due_at": item.due_at, "due_changed_at": item.due_changed_at}
        events.append(Event("due", old, {**new, "reason": change.reason.strip()}))
    if moved:
        events.append(_move(item, following.state, actor, now, values))
    for name, edited in edited_of(ItemView).items():
        sent, before = getattr(change, name), getattr(item, name)
        wanted = sent.strip() if isinstance(sent, str) else sent
        if wanted is not None and wanted != before:
            values[name] = wanted
            events.append(Event(edited.event, {name: before}, {name: wanted}))
    return Decision(values, tuple(events), following.adjusted, item.is_active)


def _assign(item: ItemView, whom: Person, now: datetime, values: dict[str, Any]) -> Event:
    source = source_of(whom.text, item.assignment_source)
    new = {
        "assignee": whom.text,
        "assignee_user_id": whom.user_id,
        "assigned_at": now if source else None,
        "assignment_source": source,
        "accepted_at": None,
    }
    values |= new
    return Event("assigned", {key: getattr(item, key) for key in new}, new)


def _move(item: ItemView, state: State, actor: Actor, now: datetime, values: dict[str, Any]) -> Event:
    new: dict[str, Any] = {
        "status": state.status,
        "completion_checked": state.completion_checked,
        "completed_at": state.completed_at,
        "verified_at": None,
        "unproven_at": None,
    }
    if item.accepted_at is None and item.owned_by(actor) and state.status in ("in_progress", "done"):
        new["accepted_at"] = now
    if item.status == "done" and item.assignment_source == RETURNED and "assignment_source" not in values:
        # Work that begins again may be given away again.
        new |= {"assigned_at": None, "assignment_source": None}
    values |= new
    return Event("status", {key: getattr(item, key) for key in new}, new)
