"""Workflow locks: who may do what in which state, and where it leads (API contract, workflow locks)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.errors import Conflict, PermissionDenied
from console.domain.identity.iam import Role
from console.domain.text import N_, T

DRAFT, REVIEW, APPROVED, LOCKED = "draft", "review", "approved", "locked"
STATES = (DRAFT, REVIEW, APPROVED, LOCKED)
READ, CREATE, UPDATE, SUBMIT, APPROVE, REJECT, LOCK, UNLOCK = (
    *("read", "create", "update_draft", "submit", "approve", "reject", "lock", "unlock"),
)
# What a blank comment or reason stands for.
REJECTED_COMMENT, LOCK_REASON = N_("Rejected in review"), N_("Approved workflow lock")


@dataclass(frozen=True)
class Step:
    """One action: the state it needs, the state it leads to, and the roles that may take it.

    `permission` is asked for as well; `override` lets those take it who hold `workflow_locks:admin` by its own name.
    """

    needs: str | None
    leads_to: str | None
    roles: frozenset[Role]
    permission: str
    override: bool = False


def _step(needs: str | None, leads_to: str | None, *roles: Role, permission: str, override: bool = False) -> Step:
    return Step(needs, leads_to, frozenset(roles), f"workflow_locks:{permission}", override)


_OPERATOR, _MANAGER, _OWNER = Role.OPERATOR, Role.MANAGER, Role.OWNER
# The published matrix. An override opens nothing but a lock: whoever could also draft and approve would need nobody.
STEPS: Mapping[str, Step] = {
    READ: _step(None, None, *Role, permission="read"),
    CREATE: _step(None, DRAFT, _OPERATOR, permission="write"),
    UPDATE: _step(DRAFT, DRAFT, _OPERATOR, permission="write"),
    SUBMIT: _step(DRAFT, REVIEW, _OPERATOR, permission="write"),
    APPROVE: _step(REVIEW, APPROVED, _MANAGER, _OWNER, permission="approve"),
    REJECT: _step(REVIEW, DRAFT, _MANAGER, _OWNER, permission="approve"),
    LOCK: _step(APPROVED, LOCKED, _OWNER, permission="approve"),
    UNLOCK: _step(LOCKED, APPROVED, permission="read", override=True),
}
# What pages offer in a state, the way forward first.
OFFERED: Mapping[str, tuple[str, ...]] = {
    state: tuple(name for name in (SUBMIT, APPROVE, LOCK, UNLOCK, UPDATE, REJECT) if STEPS[name].needs == state)
    for state in STATES
}


@dataclass(frozen=True)
class Caller:
    """Who asks: the role, the permissions that count for it, and whether `workflow_locks:admin` is held literally."""

    role: str
    permitted: frozenset[str]
    override: bool


def may(caller: Caller, action: str) -> bool:
    """Return whether somebody may take an action in some state."""
    step = STEPS[action]
    if step.override and caller.override:
        return True
    return caller.role in step.roles and step.permission in caller.permitted


def require(caller: Caller, action: str) -> None:
    """Raise PermissionDenied unless the caller may take the action."""
    if not may(caller, action):
        raise PermissionDenied(T("Workflow lock action denied: %(action)s", action=action), code="lock_action_denied")


def require_state(action: str, status: str) -> None:
    """Raise Conflict unless a lock in this state can be acted on so."""
    needs = STEPS[action].needs
    if needs is not None and status != needs:
        raise Conflict(
            T("%(action)s requires %(status)s status", action=action, status=needs), code="lock_state_conflict"
        )


def require_another(action: str, username: str, submitted_by: str | None) -> None:
    """Raise Conflict when somebody would approve what they handed in themselves."""
    if action == APPROVE and submitted_by is not None and username == submitted_by:
        raise Conflict(T("Workflow lock cannot be self-approved"), code="lock_self_approval")
