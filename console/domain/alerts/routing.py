"""Which alerts a channel wants: by event type, by how bad it is, and by site."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.text import N_

INFO, WARNING, CRITICAL = "info", "warning", "critical"
LEVELS = (INFO, WARNING, CRITICAL)
LEVEL_NAMES = {INFO: N_("All alerts"), WARNING: N_("Warnings and worse"), CRITICAL: N_("Critical ones only")}
# Words of payloads that say how bad it is, and those that count what is critical or late.
_WORDS = ("overall_status", "severity", "level")
_LATE = ("sla_escalation", "ops_governance_remediation_escalation", "mttr_slo_breach", "ops_api_burn_rate")

# Where a message lists what it is about, each with its site.
LISTS = ("items", "orders")
# How a message counts the items that it is about.
ITEM_COUNTS = ("notified_count", "assigned_count", "raised_count")


@dataclass(frozen=True)
class Wants:
    """What a channel takes; an empty set is no limit."""

    event_types: frozenset[str] = frozenset()
    least_level: str = INFO
    sites: frozenset[str] = frozenset()


ANYTHING = Wants()


def level_of(event_type: str, payload: Mapping[str, Any]) -> str:
    """Return how bad it is what a message tells of: `info`, `warning` or `critical`."""
    said = [payload.get(name) for name in _WORDS]
    if CRITICAL in said or (isinstance(count := payload.get("critical_count"), int) and count > 0):
        return CRITICAL
    return WARNING if WARNING in said or event_type in _LATE else INFO


def fitted(wants: Wants, event_type: str, payload: Mapping[str, Any], site: str | None) -> Mapping[str, Any] | None:
    """Return what of a message goes to a channel: all of it, what it lists of its sites, or None for nothing.

    A channel of some sites gets no message that names no site at all.
    """
    if wants.event_types and event_type not in wants.event_types:
        return None
    if LEVELS.index(level_of(event_type, payload)) < LEVELS.index(wants.least_level):
        return None
    if not wants.sites or site in wants.sites:
        return payload
    own = part_of(payload, wants.sites) if site is None else {}
    if not any(own.get(name) for name in LISTS):
        return None
    # The message lists everything that it is about, so that what is left can be counted.
    counts = {name: len(own["items"]) for name in ITEM_COUNTS if name in own and "items" in own}
    if "work_order_ids" in own:
        counts["escalated_count"] = len(own["work_order_ids"])
    return own | counts


def part_of(payload: Mapping[str, Any], sites: Collection[str | None]) -> dict[str, Any]:
    """Return a message with what it lists of these sites alone, and without the people that have the rest."""
    made = {name: value for name, value in payload.items() if name != "assignees"}
    for name in LISTS:
        if isinstance(listed := payload.get(name), (list, tuple)):
            made[name] = [one for one in listed if isinstance(one, Mapping) and one.get("site", ...) in sites]
    if isinstance(named := payload.get("sites"), (list, tuple)):
        made["sites"] = [one for one in named if one in sites]
    if "work_order_ids" in payload:
        made["work_order_ids"] = [one.get("id") for one in made.get("orders", ())]
    return made


def shortened(payload: Mapping[str, Any], most: int | None) -> Mapping[str, Any]:
    """Return a message whose lists have so many lines at most; None is no limit."""
    if most is None:
        return payload
    return {**payload, **{name: payload[name][:most] for name in LISTS if name in payload}}
