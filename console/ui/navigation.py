"""The places of the console: each pages module declares its own entry, this module puts them in order.

A module in `console/blueprints` exports `NAV = NavItem(...)` or a tuple of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import ModuleType

from console.core.context import Actor
from console.domain.text import N_

# Groups of the rail in their order, parted by a line.
GROUPS = ("work", "facility", "operations", "administration")
GROUP_LABELS = {
    "work": N_("Work"),
    "facility": N_("Facility"),
    "operations": N_("Operations"),
    "administration": N_("Administration"),
}


@dataclass(frozen=True)
class Place:
    """An entry of the rail behind which several pages stand, as tabs."""

    group: str
    label: str
    icon: str


PLACES = {
    "alerts": Place("operations", N_("Alerts"), "bell"),
    "evidence": Place("operations", N_("Operations evidence"), "activity"),
}


@dataclass(frozen=True)
class NavItem:
    """One place: `endpoint` is its page, `permission` who sees it (None: everybody who is signed in).

    `any_of` names further permissions that open it too; `count` names the figure beside the label
    (a name in `Frame.counts`); `phone` puts it into the bottom bar of small screens; `place` makes it a tab of that
    place, which has one entry in the rail: its first tab that the reader may open.
    """

    group: str
    order: int
    endpoint: str
    label: str
    icon: str
    permission: str | None = None
    any_of: tuple[str, ...] = ()
    count: str | None = None
    phone: bool = False
    place: str | None = None

    def visible(self, actor: Actor) -> bool:
        """Return whether the actor may use the place."""
        if self.permission is None:
            return actor.kind != "anonymous"
        return any(actor.can(name) for name in (self.permission, *self.any_of))


def tab(place: str, order: int, endpoint: str, label: str, read: tuple[str, ...]) -> NavItem:
    """Return a page as a tab of a place, for those who hold one of the permissions `read`; KeyError for no place."""
    of = PLACES[place]
    return NavItem(of.group, order, endpoint, label, of.icon, permission=read[0], any_of=read[1:], place=place)


def collect(modules: Iterable[ModuleType]) -> tuple[NavItem, ...]:
    """Return the entries of the modules in the order of the rail; raises ValueError for an unknown group."""
    found: list[NavItem] = []
    for module in modules:
        declared = getattr(module, "NAV", ())
        found.extend((declared,) if isinstance(declared, NavItem) else declared)
    for item in found:
        if item.group not in GROUPS:
            raise ValueError(f"navigation: {item.endpoint} names the unknown group {item.group!r}")
    return tuple(sorted(found, key=lambda item: (GROUPS.index(item.group), item.order, item.endpoint)))


def grouped(items: Iterable[NavItem], actor: Actor) -> list[tuple[str, list[NavItem]]]:
    """Return `(group, visible items)` for every group that has any; tabs stand as one entry with the place's name."""
    seen: dict[str, NavItem] = {}
    for item in items:
        if item.visible(actor):
            seen.setdefault(item.place or item.endpoint, _entry(item))
    return [(group, mine) for group in GROUPS if (mine := [item for item in seen.values() if item.group == group])]


def _entry(item: NavItem) -> NavItem:
    if item.place is None:
        return item
    return replace(item, label=PLACES[item.place].label)
