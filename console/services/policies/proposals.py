"""Proposed changes of policies: made by one person, decided by another, tried in the shadow meanwhile if wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from console.core.context import Context
from console.core.records import view_of
from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied
from console.domain.identity import scope
from console.domain.policies.policy import PolicyWarning, changes, normalise
from console.domain.text import T
from console.models.identity import User
from console.models.policies import PolicyProposal
from console.services.audit import record as audit
from console.services.jobs.runs import changed as affected
from console.services.policies import policies
from console.services.policies.kinds import PolicyKind, PolicyView

OPEN, APPROVED, REJECTED, WITHDRAWN = "open", "approved", "rejected", "withdrawn"


@dataclass(frozen=True)
class Proposal:
    """A proposal as doors show it; `policy` is the whole policy with it, `changes` old and new of what would move."""

    id: int
    policy_key: str
    site: str | None
    base_revision: int
    sent: Mapping[str, Any]
    policy: Mapping[str, Any]
    changes: Mapping[str, Any]
    reason: str
    shadow: bool
    state: str
    proposed_by: str
    proposed_by_user_id: int | None
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str
    warnings: tuple[PolicyWarning, ...] = ()


def _made(row: PolicyProposal, warnings: tuple[PolicyWarning, ...] = ()) -> Proposal:
    return view_of(Proposal, row, policy=row.policy_json, warnings=warnings)


def propose(
    ctx: Context,
    kind: PolicyKind,
    sent: Mapping[str, Any],
    *,
    reason: str,
    site: str | None = None,
    shadow: bool = False,
    simulation: Mapping[str, Any] | None = None,
) -> Proposal:
    """Propose a change; raises Invalid when it changes nothing or says no reason, Conflict beside an open one.

    `simulation` is what it would do, as it was seen when it was made. A kind that takes several is less strict.
    """
    ctx.actor.require(*kind.propose)
    policies.check_scope(ctx, kind, site, write=False)
    if not reason.strip() and not kind.several:
        raise Invalid.field("reason", T("A proposal needs a reason"))
    base = policies.resolve(ctx, kind, site)
    made = normalise(kind.fields, base.values, sent)
    moved = changes(base.values, made.values)
    if not moved and not kind.several:
        raise Invalid(T("The proposal would change nothing"), code="nothing_changes")
    row = PolicyProposal(
        policy_key=base.policy_key,
        kind=kind.name,
        site=site,
        base_revision=base.revision,
        sent=dict(made.values) if kind.several else {name: made.values[name] for name in moved},
        simulation=dict(simulation or {}),
        policy_json=dict(made.values),
        changes=moved,
        reason=reason.strip(),
        shadow=shadow,
        proposed_by=ctx.actor.username,
        proposed_by_user_id=ctx.actor.user_id,
        proposed_at=ctx.now(),
    )
    try:
        with ctx.session.begin_nested():
            ctx.session.add(row)
    except IntegrityError as error:
        raise Conflict(T("There is an open proposal for this policy already"), code="proposal_open") from error
    _record(ctx, kind, row, "propose")
    return _made(row, made.warnings)


def open_proposal(ctx: Context, kind: PolicyKind, site: str | None = None) -> Proposal | None:
    """Return the proposal that waits for a decision, if there is one; permissions are the caller's business."""
    wanted = select(PolicyProposal).where(PolicyProposal.policy_key == kind.key_of(site), PolicyProposal.state == OPEN)
    row = ctx.session.scalars(wanted).one_or_none()
    return _made(row) if row is not None else None


def listed(ctx: Context, kind: PolicyKind, site: str | None = None, *, limit: int = 50) -> tuple[Proposal, ...]:
    """Return the proposals of a policy, newest first."""
    ctx.actor.require(*kind.read)
    policies.check_scope(ctx, kind, site, write=False)
    wanted = select(PolicyProposal).where(PolicyProposal.policy_key == kind.key_of(site))
    return tuple(_made(row) for row in ctx.session.scalars(wanted.order_by(PolicyProposal.id.desc()).limit(limit)))


def approve(
    ctx: Context, kind: PolicyKind, proposal_id: int, *, note: str = "", reason: str | None = None
) -> PolicyView:
    """Make a proposal the policy; `reason` stands in its revision, that of the proposal otherwise.

    Somebody else than the proposer must do it, unless there is nobody else who could. Raises PermissionDenied, and
    Conflict when it was decided already or the policy moved on since it was made.
    """
    ctx.actor.require(*kind.approve)
    row = _open(ctx, kind, proposal_id)
    policies.check_scope(ctx, kind, row.site, write=True)
    if _is_proposer(ctx, row) and _others_can(ctx, row):
        raise PermissionDenied(T("Somebody else must approve your own proposal"), code="own_proposal")
    current = policies.resolve(ctx, kind, row.site)
    if is_outdated(_made(row), current):
        raise Conflict(
            {
                "message": T("The policy was changed since the proposal was made; please propose anew"),
                "base_revision": row.base_revision,
                "current_revision": current.revision,
            },
            code="proposal_outdated",
        )
    _decide(ctx, row, APPROVED, note)
    made = policies.store(
        ctx,
        kind,
        row.sent,
        site=row.site,
        if_match=current.revision,
        reason=row.reason if reason is None else reason,
        source="approval",
        proposal_id=row.id,
        always=kind.several,
    )
    _record(ctx, kind, row, "approve")
    return made


def is_outdated(proposal: Proposal, current: PolicyView) -> bool:
    """Return whether the policy has other values than when the proposal was made; stopped and resumed is the same."""
    base = {**proposal.policy, **{name: change["old"] for name, change in proposal.changes.items()}}
    return current.revision != proposal.base_revision and dict(current.values) != base


def reject(ctx: Context, kind: PolicyKind, proposal_id: int, *, note: str) -> Proposal:
    """Turn a proposal down, with a reason."""
    ctx.actor.require(*kind.approve)
    if not note.strip() and not kind.several:
        raise Invalid.field("note", T("A rejection needs a reason"))
    row = _open(ctx, kind, proposal_id)
    policies.check_scope(ctx, kind, row.site, write=True)
    _decide(ctx, row, REJECTED, note)
    _record(ctx, kind, row, "reject")
    return _made(row)


def withdraw(ctx: Context, kind: PolicyKind, proposal_id: int, *, note: str = "") -> Proposal:
    """Take one's own proposal back; whoever may approve may clear it away too."""
    ctx.actor.require(*kind.propose)
    row = _open(ctx, kind, proposal_id)
    policies.check_scope(ctx, kind, row.site, write=False)
    if not _is_proposer(ctx, row):
        ctx.actor.require(*kind.approve)
    _decide(ctx, row, WITHDRAWN, note)
    _record(ctx, kind, row, "withdraw")
    return _made(row)


def _open(ctx: Context, kind: PolicyKind, proposal_id: int) -> PolicyProposal:
    wanted = select(PolicyProposal).where(PolicyProposal.id == proposal_id, PolicyProposal.kind == kind.name)
    row = ctx.session.scalars(wanted.with_for_update(), execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise NotFound(T("There is no such proposal"))
    if row.state != OPEN:
        raise Conflict(T("The proposal was decided already"), code="proposal_decided")
    return row


def _is_proposer(ctx: Context, row: PolicyProposal) -> bool:
    if ctx.actor.user_id is not None and row.proposed_by_user_id is not None:
        return ctx.actor.user_id == row.proposed_by_user_id
    return ctx.actor.username == row.proposed_by


def _others_can(ctx: Context, row: PolicyProposal) -> bool:
    """Return whether another active person could approve: owners can, of the sites that the policy is for."""
    others = select(User.site_scope).where(
        User.is_active.is_(True),
        User.is_bootstrap.is_(False),
        User.role == "owner",
        User.username != row.proposed_by,
    )
    wanted = scope.ALL_SITES if row.site is None else (row.site,)
    return any(scope.contains(found, wanted) for found in ctx.session.scalars(others))


def _decide(ctx: Context, row: PolicyProposal, state: str, note: str) -> None:
    statement = update(PolicyProposal).where(PolicyProposal.id == row.id, PolicyProposal.state == OPEN)
    values = {
        "state": state,
        "decided_by": ctx.actor.username,
        "decided_at": ctx.now(),
        "decision_note": note.strip(),
    }
    if affected(ctx, statement.values(values)) != 1:
        raise Conflict(T("The proposal was decided already"), code="proposal_decided")
    ctx.session.refresh(row)


def _record(ctx: Context, kind: PolicyKind, row: PolicyProposal, verb: str) -> None:
    audit.record(
        ctx,
        f"{kind.audit_action}_{verb}",
        kind.audit_resource,
        row.policy_key,
        detail={
            "proposal_id": row.id,
            "changes": row.changes,
            "reason": row.reason,
            "shadow": row.shadow,
            "note": row.decision_note,
        },
    )
