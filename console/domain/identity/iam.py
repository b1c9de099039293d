"""Roles, permissions and who may grant what (API contract, identity sections 3 and 23 B)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from functools import lru_cache

from console.domain.programme.catalogue import WEEKS
from console.domain.text import N_

ALL = "*"
ADMIN = "admins:manage"
# Users within the own role, sites and permissions; nothing else of what administrators do.
USERS = "users:manage"
LOCK_OVERRIDE = "workflow_locks:admin"

# The word the earlier product used for its own accounts; nobody may take it by creating a user.
BOOTSTRAP_USERNAME = "legacy-admin"
BOOTSTRAP_DISPLAY_NAME = "Legacy Bootstrap Admin"
BOOTSTRAP_TOKEN_LABEL = "legacy-env-admin-token"
ENV_USERNAME = "legacy-env-token"
LOCAL_USERNAME = "local-dev"
RESERVED_USERNAMES = frozenset({BOOTSTRAP_USERNAME, ENV_USERNAME, LOCAL_USERNAME, "system", "unknown", "anonymous"})

ADOPTION_WEEKS = tuple(f"{week:02d}" for week in range(2, 16))


class Role(StrEnum):
    """The four roles of the published API; no other word is accepted."""

    OWNER = "owner"
    MANAGER = "manager"
    OPERATOR = "operator"
    AUDITOR = "auditor"


def _adoption(*verbs: str) -> tuple[str, ...]:
    return tuple(f"adoption_w{week}:{verb}" for week in ADOPTION_WEEKS for verb in verbs)


# Letter for letter what the API reports for a role; the counts are pinned by a test (1, 38, 34, 19).
PUBLISHED: dict[Role, tuple[str, ...]] = {
    Role.OWNER: (ALL,),
    Role.MANAGER: (
        "inspections:read",
        "inspections:write",
        "work_orders:read",
        "work_orders:write",
        "work_orders:escalate",
        "reports:read",
        "reports:export",
        "workflow_locks:read",
        "workflow_locks:review",
        "workflow_locks:approve",
        *_adoption("read", "write"),
    ),
    Role.OPERATOR: (
        "inspections:read",
        "inspections:write",
        "work_orders:read",
        "work_orders:write",
        "workflow_locks:read",
        "workflow_locks:write",
        *_adoption("read", "write"),
    ),
    Role.AUDITOR: (
        "inspections:read",
        "work_orders:read",
        "reports:read",
        "reports:export",
        "workflow_locks:read",
        *_adoption("read"),
    ),
}

# What a role may do with a week that is not among the published ones.
WEEK_VERBS = {Role.MANAGER: ("read", "write"), Role.OPERATOR: ("read", "write"), Role.AUDITOR: ("read",)}

# Permissions this product adds beside the published lists; they are reported apart (`added_permissions`).
ADDED: dict[Role, frozenset[str]] = {
    Role.OWNER: frozenset({ALL}),
    Role.MANAGER: frozenset(
        {
            "governance:read",
            "governance:write",
            "governance:manage",
            "alerts:read",
            "alerts:manage",
            "jobs:read",
            "jobs:run",
            "security:read",
            "inspections:manage",
            "assets:read",
            "assets:write",
            "reports:freeze",
            USERS,
        }
    ),
    Role.OPERATOR: frozenset({"governance:read", "governance:write", "assets:read"}),
    Role.AUDITOR: frozenset(
        {"governance:read", "alerts:read", "jobs:read", "security:read", "audit:read", "assets:read"}
    ),
}

# A role may hand out these roles; the lists of operator and manager overlap without containing each other,
# so "not above my own" is an order of roles, not a comparison of lists.
GRANTABLE: dict[Role, frozenset[Role]] = {
    Role.OWNER: frozenset(Role),
    Role.MANAGER: frozenset({Role.MANAGER, Role.OPERATOR, Role.AUDITOR}),
    Role.OPERATOR: frozenset({Role.OPERATOR}),
    Role.AUDITOR: frozenset({Role.AUDITOR}),
}


def allows(granted: Collection[str], permission: str) -> bool:
    """Return whether `granted` opens `permission`: the string itself, `ns:*` or `*` (contract 3.1)."""
    if ALL in granted or permission in granted:
        return True
    namespace, colon, _ = permission.partition(":")
    return bool(colon) and f"{namespace}:*" in granted


def effective_permissions(role: str, custom: Iterable[str]) -> tuple[str, ...]:
    """Return role defaults joined with the user's own strings, sorted; an owner always has `*`."""
    return _effective(role, tuple(custom))


@lru_cache(maxsize=512)
def _effective(role: str, custom: tuple[str, ...]) -> tuple[str, ...]:
    # Asked for on every request; there are few different answers.
    return tuple(sorted({*PUBLISHED.get(Role(role), ()), *custom}))


def added_permissions(role: str) -> frozenset[str]:
    """Return what this product adds to the published list of `role`, weeks that came later among it."""
    return ADDED[Role(role)] | _later_weeks(Role(role))


def _later_weeks(role: Role) -> frozenset[str]:
    verbs = WEEK_VERBS.get(role, ())
    later = [code for code in WEEKS if code.removeprefix("w") not in ADOPTION_WEEKS]
    return frozenset(f"adoption_{code}:{verb}" for code in later for verb in verbs)


def normalise_permissions(values: Iterable[str]) -> tuple[str, ...]:
    """Return custom permissions trimmed, without empties and doubles, sorted.

    Raises ValueError for a comma or a control character: the earlier product joined with commas, so one text
    could smuggle in a second permission (contract 23-B7).
    """
    cleaned = set()
    for value in values:
        text = value.strip()
        if not text:
            continue
        if "," in text or not text.isprintable():
            raise ValueError(N_("a permission must not contain a comma or a control character"))
        if len(text) > 120:
            raise ValueError(N_("a permission has at most 120 characters"))
        cleaned.add(text)
    return tuple(sorted(cleaned))


def may_grant_role(caller_role: str, role: str) -> bool:
    """Return whether a caller with `caller_role` may hand out `role`; only owners make or touch owners."""
    return Role(role) in GRANTABLE[Role(caller_role)]


def controls_admins(permission: str) -> bool:
    """Return whether a permission opens administration itself: `*`, or anything of `admins:`."""
    return permission == ALL or permission.startswith("admins:")


def permissions_beyond(granted: Collection[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the strings of `wanted` that the caller does not hold; granting `ns:*` needs `ns:*` or `*`."""
    return tuple(sorted(text for text in wanted if not allows(granted, text)))
