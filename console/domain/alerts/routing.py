"""Which alerts a channel wants: by event type, by how bad it is, and by site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.text import N_

INFO, WARNING, CRITICAL = "info", "warning", "critical"
LEVELS = (INFO, WARNING, CRITICAL)
LEVEL_NAMES = {INFO: N_("All alerts"), WARNING: N_("Warnings and worse"), CRITICAL: N_("Critical ones only")}
# Words of payloads that say how bad it is, and those that count what is critical or late.
_WORDS = ("overall_status", "severity", "level")
_LATE = ("sla_escalation", "ops_governance_remediation_escalation", "mttr_slo_breach", "ops_api_burn_rate")


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
    """Return what of a message goes to a channel: all of it, the items of its sites, or None for nothing.

    A channel of some sites gets no message that names no site at all.
    """
    if wants.event_types and event_type not in wants.event_types:
        return None
    if LEVELS.index(level_of(event_type, payload)) < LEVELS.index(wants.least_level):
        return None
    if not wants.sites or site in wants.sites:
        return payload
    items = payload.get("items")
    if site is not None or not isinstance(items, (list, tuple)):
        return None
    own = [one for one in items if isinstance(one, Mapping) and one.get("site") in wants.sites]
    # Who has items of other sites is nothing that the channel may tell.
    rest = {name: value for name, value in payload.items() if name != "assignees"}
    return {**rest, "items": own} if own else None
