"""Who may work on an item at a site: the one rule behind menus, bulk changes, warnings, automation, alerts and marks.

The API takes any text as an assignee; this says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from console.domain.identity import iam, scope
from console.domain.text import N_, T, Text

UNKNOWN, INACTIVE, PERMISSION, SITE = "unknown", "inactive", "permission", "site"
OBSTACLES = {
    UNKNOWN: N_("“%(name)s” is not a user of the console"),
    INACTIVE: N_("The account of %(name)s is switched off"),
    PERMISSION: N_("%(name)s has no permission to work on it"),
    SITE: N_("%(name)s does not see %(site)s"),
}


@dataclass(frozen=True)
class Worker:
    """What decides about a person: the role with its own permissions, the sites, and whether the account is on."""

    role: str
    permissions: tuple[str, ...] = ()
    sites: scope.Scope = scope.ALL_SITES
    is_active: bool = True


def obstacle(worker: Worker | None, write: Collection[str], site: str | None) -> str | None:
    """Return why somebody cannot work on an item of `site` (None: of the platform), or None when they can.

    `write` are the permissions of which one is needed; no `worker` means that no account has the name.
    """
    if worker is None:
        return UNKNOWN
    return obstacle_anywhere(worker, write) or (None if site is None or scope.sees(worker.sites, site) else SITE)


def obstacle_anywhere(worker: Worker, write: Collection[str]) -> str | None:
    """Return what keeps somebody from such items wherever they are, or None."""
    if not worker.is_active:
        return INACTIVE
    return None if _holds_one(worker.role, worker.permissions, tuple(write)) else PERMISSION


@lru_cache(maxsize=1024)
def _holds_one(role: str, own: tuple[str, ...], write: tuple[str, ...]) -> bool:
    # Asked for every row of a list; there are few different answers.
    held = {*iam.effective_permissions(role, own), *iam.added_permissions(role)}
    return any(iam.allows(held, name) for name in write)


def sentence(word: str, name: str, site: str | None) -> Text:
    """Return an obstacle as people read it."""
    return T(OBSTACLES[word], name=name, site=site or "")
