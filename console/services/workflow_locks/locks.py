"""Workflow locks as callers use them: read, draft, hand in, approve, lock, unlock, each with its event and entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, cast

from sqlalchemy import CursorResult, select, update

from console.core.context import Actor, Context
from console.core.records import INTERNAL, Fact, JsonObject, view_of
from console.domain.errors import BadRequest, Conflict, NotFound
from console.domain.identity.iam import LOCK_OVERRIDE
from console.domain.text import N_, T, Text
from console.domain.workflow_locks import locks as rules
from console.domain.workflow_locks.locks import APPROVE, CREATE, LOCK, REJECT, STEPS, SUBMIT, UNLOCK, UPDATE, Caller
from console.models.workflow_locks import WorkflowLock, WorkflowLockEvent
from console.services.audit import record as audit
from console.services.identity.names import name_of

READ_ACCESS = STEPS[rules.READ].permission
NOT_FOUND = N_("Workflow lock not found")
NO_REASON, NO_TICKET = N_("Unlock reason is required"), N_("Unlock request ticket is required")
HISTORY = 200


@dataclass(frozen=True)
class LockView:
    """A workflow lock as pages, API and exports read it; instants are aware UTC, people are user names."""

    id: int
    site: Annotated[str, Fact(N_("Site"), sort=True)]
    workflow_key: Annotated[str, Fact(N_("Workflow"), sort=True)]
    status: Annotated[str, Fact(N_("Status"), sort=True)]
    content: JsonObject
    requested_ticket: Annotated[str | None, Fact(N_("Ticket"), shown=False)]
    last_comment: Annotated[str, Fact(N_("Last comment"))]
    lock_reason: str | None
    unlock_reason: str | None
    created_by: Annotated[str, Fact(N_("Drafted by"), shown=False)]
    updated_by: Annotated[str, Fact(N_("Changed by"))]
    reviewed_by: str | None
    approved_by: Annotated[str | None, Fact(N_("Approved by"), shown=False)]
    locked_by: str | None
    unlocked_by: str | None
    created_at: Annotated[datetime, Fact(N_("Created"), sort=True, shown=False)]
    updated_at: Annotated[datetime, Fact(N_("Changed"), sort=True)]
    reviewed_at: datetime | None
    approved_at: datetime | None
    locked_at: datetime | None
    unlocked_at: datetime | None
    submitted_by: Annotated[str | None, INTERNAL]
    submitted_at: Annotated[datetime | None, INTERNAL]
    version: Annotated[int, INTERNAL]


@dataclass(frozen=True)
class LockEvent:
    """One line of the history of a lock; `content` is the draft that it left behind."""

    id: int
    at: datetime
    actor: str
    action: str
    from_status: str | None
    to_status: str
    comment: str
    ticket: str | None
    content: Mapping[str, Any]


def view(row: WorkflowLock) -> LockView:
    """Return what is shown of a lock."""
    return view_of(LockView, row, content=row.content_json)


def caller_of(actor: Actor) -> Caller:
    """Return what the matrix asks of an actor; `*` is no override, only the permission by its own name is."""
    permitted = frozenset(step.permission for step in STEPS.values() if actor.can(step.permission))
    return Caller(actor.role, permitted, actor.is_legacy or LOCK_OVERRIDE in actor.permissions)


def get(ctx: Context, lock_id: int) -> LockView:
    """Return one lock; raises PermissionDenied, NotFound and SiteDenied."""
    rules.require(caller_of(ctx.actor), rules.READ)
    return view(_found(ctx, lock_id))


def history(ctx: Context, lock_id: int) -> tuple[LockEvent, ...]:
    """Return what happened to a lock, newest first, at most 200 events; raises as `get`."""
    get(ctx, lock_id)
    rows = ctx.session.scalars(
        select(WorkflowLockEvent)
        .where(WorkflowLockEvent.lock_id == lock_id)
        .order_by(WorkflowLockEvent.id.desc())
        .limit(HISTORY)
    )
    return tuple(view_of(LockEvent, row) for row in rows)


def create(
    ctx: Context, *, site: str, workflow_key: str, content: Mapping[str, Any], ticket: str | None = None
) -> LockView:
    """Begin a draft; raises SiteDenied, then PermissionDenied (API contract, workflow locks, errors)."""
    ctx.actor.require_site(site)
    rules.require(caller_of(ctx.actor), CREATE)
    now, who = ctx.now(), ctx.actor.username
    row = WorkflowLock(
        site=site,
        workflow_key=workflow_key,
        content_json=dict(content),
        requested_ticket=ticket,
        created_by=who,
        updated_by=who,
        created_at=now,
        updated_at=now,
    )
    ctx.session.add(row)
    ctx.session.flush()
    _put_on_record(ctx, row, CREATE, None, "")
    return view(row)


def change(
    ctx: Context,
    lock_id: int,
    *,
    content: Mapping[str, Any] | None = None,
    ticket: str | None = None,
    comment: str = "",
    version: int | None = None,
) -> LockView:
    """Change a draft; None and a blank comment keep what stands there.

    Raises as `take`, and Conflict for a `version` that is not the current one.
    """
    values: dict[str, Any] = {} if content is None else {"content_json": dict(content)}
    return _step(ctx, lock_id, UPDATE, values, comment, ticket, version)


def take(
    ctx: Context, lock_id: int, action: str, *, comment: str = "", reason: str = "", ticket: str | None = None
) -> LockView:
    """Take a step: submit, approve, reject, lock or unlock.

    Raises BadRequest for an unlock without reason or ticket, then NotFound, SiteDenied, PermissionDenied, and Conflict
    for a lock in another state or an approval of what one handed in oneself.
    """
    now, who = ctx.now(), ctx.actor.username
    reason, ticket = reason.strip(), (ticket or "").strip() or None
    if action == UNLOCK:
        if not reason:
            raise BadRequest(T(NO_REASON))
        if ticket is None:
            raise BadRequest(T(NO_TICKET))
    values: dict[str, Any] = {
        SUBMIT: {"submitted_by": who, "submitted_at": now},
        APPROVE: {"reviewed_by": who, "reviewed_at": now, "approved_by": who, "approved_at": now},
        REJECT: {
            "reviewed_by": who,
            "reviewed_at": now,
            **dict.fromkeys(("approved_by", "approved_at", "locked_by", "locked_at", "unlocked_by", "unlocked_at")),
            **dict.fromkeys(("lock_reason", "unlock_reason")),
        },
        LOCK: {"lock_reason": reason or rules.LOCK_REASON, "locked_by": who, "locked_at": now},
        UNLOCK: {"unlock_reason": reason, "unlocked_by": who, "unlocked_at": now},
    }[action]
    if action == REJECT and not comment.strip():
        comment = rules.REJECTED_COMMENT
    return _step(ctx, lock_id, action, values, comment, ticket if action in (SUBMIT, LOCK, UNLOCK) else None)


def _step(
    ctx: Context,
    lock_id: int,
    action: str,
    values: Mapping[str, Any],
    comment: str,
    ticket: str | None,
    version: int | None = None,
) -> LockView:
    row = _found(ctx, lock_id)
    rules.require(caller_of(ctx.actor), action)
    _fits(ctx, row, action, version)
    step, before = STEPS[action], view(row)
    assert step.needs is not None
    assert step.leads_to is not None
    written = {**values, "status": step.leads_to, "updated_by": ctx.actor.username, "updated_at": ctx.now()}
    if comment.strip():
        written["last_comment"] = comment.strip()
    if ticket is not None:
        written["requested_ticket"] = ticket
    # The state is a condition of the write: of two people at the same moment one wins.
    won = ctx.session.execute(
        update(WorkflowLock)
        .where(WorkflowLock.id == lock_id, WorkflowLock.status == step.needs, WorkflowLock.version == before.version)
        .values(**written, version=before.version + 1)
        .execution_options(synchronize_session=False)
    )
    ctx.session.refresh(row)
    if not cast("CursorResult[Any]", won).rowcount:
        _fits(ctx, row, action, before.version)
    _put_on_record(ctx, row, action, before, comment.strip())
    return view(row)


def _fits(ctx: Context, row: WorkflowLock, action: str, version: int | None) -> None:
    try:
        rules.require_state(action, row.status)
        rules.require_another(action, ctx.actor.username, row.submitted_by)
    except Conflict as error:
        error.told = _told(ctx, row, error)
        raise
    if version is not None and version != row.version:
        raise Conflict(T("The workflow lock was changed meanwhile"), code="version_conflict")


def _told(ctx: Context, row: WorkflowLock, error: Conflict) -> Text:
    if error.code == "lock_self_approval":
        return T("Somebody else has to approve what you submitted yourself.")
    return T(
        "%(who)s was first: the status is “%(status)s” now.",
        who=name_of(ctx, row.updated_by),
        status=T(STATUS_WORDS[row.status]),
    )


STATUS_WORDS = {
    rules.DRAFT: N_("Draft"),
    rules.REVIEW: N_("In review"),
    rules.APPROVED: N_("Approved"),
    rules.LOCKED: N_("Locked"),
}


def _found(ctx: Context, lock_id: int) -> WorkflowLock:
    row = ctx.session.get(WorkflowLock, lock_id)
    if row is None:
        raise NotFound(T(NOT_FOUND))
    ctx.actor.require_site(row.site)
    return row


def _put_on_record(ctx: Context, row: WorkflowLock, action: str, before: LockView | None, comment: str) -> None:
    ctx.session.add(
        WorkflowLockEvent(
            lock_id=row.id,
            at=ctx.now(),
            actor=ctx.actor.username,
            action=action,
            from_status=before.status if before else None,
            to_status=row.status,
            comment=comment,
            ticket=row.requested_ticket,
            content=row.content_json,
        )
    )
    ctx.session.flush()
    detail: dict[str, Any] = {"site": row.site, "workflow_key": row.workflow_key, "status": row.status}
    if before is not None:
        pairs = {
            "status": (before.status, row.status),
            "content": (before.content, row.content_json),
            "requested_ticket": (before.requested_ticket, row.requested_ticket),
        }
        detail["changes"] = {name: {"old": old, "new": new} for name, (old, new) in pairs.items() if old != new}
    if comment:
        detail["comment"] = comment[:500]
    audit.record(ctx, f"workflow_lock_{action}", "workflow_lock", row.id, detail=detail)
