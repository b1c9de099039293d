"""Who should take an item: people who may really work on it, the least loaded first, with the reason (API contract)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from console.domain.identity import able, scope
from console.domain.text import N_, T, Text

OWNER, MANAGER, OPERATOR = "owner", "manager", "operator"
POOL = (OWNER, MANAGER, OPERATOR)
ROLE_NAMES = {OWNER: Text(N_("Owner")), MANAGER: Text(N_("Manager")), OPERATOR: Text(N_("Operator"))}
# Which roles are asked for an owner role (published), in the order that decides between equals.
_PLATFORM = (OWNER, MANAGER)
_OPERATIONS = (MANAGER, OPERATOR, OWNER)
PREFERRED = {
    "Platform Owner": _PLATFORM,
    "Security Manager": _PLATFORM,
    "Release Manager": _PLATFORM,
    "DR Owner": _PLATFORM,
    "Ops Lead": _OPERATIONS,
    "Ops PM": _OPERATIONS,
    "Operations Excellence Lead": _OPERATIONS,
    "Ops Manager": _OPERATIONS,
}
WRITES = ("admins:manage", "governance:write")
WEIGHTS = {"tracker": 1.0, "work_orders": 1.0}
_NEVER = datetime.min.replace(tzinfo=UTC)

LEAST_LOADED, NO_CANDIDATE = "least_loaded", "no_candidate"
# Where an assignment comes from; `returned`: a person took back what the machine had given away.
AUTO, MANUAL, RETURNED = "auto", "manual", "returned"
RETURNED_REASON = Text(N_("Somebody took the automatic assignment back; it waits until a person assigns it"))


@dataclass(frozen=True)
class Person:
    """An active user as a candidate. `spare` accounts (of automation) are asked only when nobody else is there."""

    user_id: int
    username: str
    role: str
    permissions: tuple[str, ...] = ()
    sites: tuple[str, ...] = scope.ALL_SITES
    spare: bool = False
    last_assigned_at: datetime | None = None

    @property
    def worker(self) -> able.Worker:
        """What decides about them."""
        return able.Worker(self.role, self.permissions, self.sites)


@dataclass(frozen=True)
class Load:
    """What somebody has on the table: open items of all trackers and open work orders."""

    tracker: int = 0
    work_orders: int = 0

    @property
    def weighted(self) -> float:
        """Return the sum that people are compared by."""
        return self.tracker * WEIGHTS["tracker"] + self.work_orders * WEIGHTS["work_orders"]


@dataclass(frozen=True)
class Waiting:
    """An open item without somebody who works on it."""

    id: int
    owner_role: str
    site: str | None = None


@dataclass(frozen=True)
class Suggestion:
    """Who should take an item and why; `user_id` and `assignee` are None when nobody can.

    `load` is what they had before this suggestion, including earlier suggestions of the same answer.
    """

    item_id: int
    user_id: int | None
    assignee: str | None
    rule: str
    reason: Text
    candidates: int = 0
    load: float = 0.0
    load_detail: Mapping[str, float] = field(default_factory=dict)
    last_assigned_at: datetime | None = None


# Load, whether they got something in this very answer, when they last got something, place of their role, name.
_Rank = tuple[float, bool, datetime, int, str]


def source_of(assignee: str | None, before: str | None) -> str | None:
    """Return where an assignment that a person made, or removed, comes from; `before` is what the item said so far."""
    if assignee is not None:
        return MANUAL
    return RETURNED if before in (AUTO, RETURNED) else None


def may_work(person: Person, site: str | None) -> bool:
    """Return whether a person can see and change items of a site (None: of the platform)."""
    return person.role in POOL and able.obstacle(person.worker, WRITES, site) is None


def candidates(people: Iterable[Person], owner_role: str, site: str | None) -> tuple[Person, ...]:
    """Return who may be asked: the roles of the owner role, else anybody of the pool.

    Spare accounts only as the last.
    """
    able = [person for person in people if may_work(person, site)]
    preferred = [person for person in able if person.role in roles_of(owner_role)]
    for group in (preferred, able):
        regular = tuple(person for person in group if not person.spare)
        if regular:
            return regular
    return tuple(preferred or able)


def roles_of(owner_role: str) -> tuple[str, ...]:
    """Return the roles that are asked for an owner role, the preferred one first."""
    return PREFERRED.get(owner_role, _OPERATIONS)


def suggest(items: Sequence[Waiting], people: Sequence[Person], loads: Mapping[int, Load]) -> tuple[Suggestion, ...]:
    """Return a suggestion per item, in the order of `items`.

    Least weighted load first, then who was assigned something longest ago, then the role's order, then the name. Each
    suggestion adds to its winner's load, so that one answer spreads its items.
    """
    known = {person.user_id: loads.get(person.user_id, Load()) for person in people}
    extra = dict.fromkeys(known, 0)
    pools: dict[tuple[str, str | None], tuple[Person, ...]] = {}
    ranks: dict[tuple[str, ...], dict[int, _Rank]] = {}
    made = []
    for item in items:
        key = (item.owner_role, item.site)
        if key not in pools:
            pools[key] = candidates(people, *key)
        pool, order = pools[key], roles_of(item.owner_role)
        if not pool:
            made.append(Suggestion(item.id, None, None, NO_CANDIDATE, _nobody(item.owner_role)))
            continue
        if order not in ranks:
            ranks[order] = {one.user_id: _rank(one, order, known[one.user_id], extra[one.user_id]) for one in people}
        rank = ranks[order]
        winner = min(pool, key=lambda person: rank[person.user_id])
        made.append(_chosen(item, winner, len(pool), known[winner.user_id], extra[winner.user_id]))
        extra[winner.user_id] += 1
        # Only the winner's rank has changed.
        for roles, known_ranks in ranks.items():
            known_ranks[winner.user_id] = _rank(winner, roles, known[winner.user_id], extra[winner.user_id])
    return tuple(made)


def _rank(person: Person, order: tuple[str, ...], load: Load, extra: int) -> _Rank:
    place = order.index(person.role) if person.role in order else len(order)
    # Somebody who got something in this very answer was assigned last, whatever the stored instant says.
    return (load.weighted + extra, extra > 0, person.last_assigned_at or _NEVER, place, person.username)


def _chosen(item: Waiting, person: Person, pool: int, load: Load, extra: int) -> Suggestion:
    before = load.weighted + extra
    reason = T(
        "Least load of %(candidates)s candidates: %(load)s open",
        candidates=pool,
        load=f"{before:g}",
    )
    detail = {"tracker": load.tracker + extra, "work_orders": load.work_orders, "weighted": before}
    return Suggestion(
        item.id,
        person.user_id,
        person.username,
        LEAST_LOADED,
        reason,
        candidates=pool,
        load=before,
        load_detail=detail,
        last_assigned_at=person.last_assigned_at,
    )


def left_alone(item_id: int) -> Suggestion:
    """Return what is suggested for an item that a person took back from the machine: nobody, and why."""
    return Suggestion(item_id, None, None, RETURNED, RETURNED_REASON)


def _nobody(owner_role: str) -> Text:
    return T("No active %(roles)s may work on it", roles=tuple(ROLE_NAMES[role] for role in roles_of(owner_role)))
