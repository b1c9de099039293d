"""The SLA policy: how long an order of each priority may take (API contract, SLA policies)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

DEFAULT, SITE, MANUAL = "default", "site", "manual"
# As the published policy lists them.
PRIORITIES = ("low", "medium", "high", "critical")
HOURS = MappingProxyType({"low": 72, "medium": 24, "high": 8, "critical": 2})
LEAST_HOURS, MOST_HOURS = 1, 720
MOST_GRACE = 1440
MOST_ANSWER = 43_200
_DUE, _ANSWER = "due_hours_", "ack_target_minutes_"


@dataclass(frozen=True)
class SlaPolicy:
    """Hours from creation to the due date by priority, and minutes past it before an order escalates.

    With `pause_on_hold` the time that an order waited is added to its due date, and what waits does not escalate.
    `ack_target_minutes`: within how many minutes somebody should answer, by priority; a figure that never escalates.
    """

    default_due_hours: Mapping[str, int]
    escalation_grace_minutes: int = 0
    pause_on_hold: bool = False
    ack_target_minutes: Mapping[str, int] = field(default_factory=dict)

    @property
    def grace(self) -> timedelta:
        """Return how long past its due date an order may be before it escalates."""
        return timedelta(minutes=self.escalation_grace_minutes)


BUILT_IN = SlaPolicy(HOURS)


@dataclass(frozen=True)
class InForce:
    """The policy that counts for a site: where it comes from (`default`, `site`), and its revision if it has one."""

    policy: SlaPolicy
    source: str = DEFAULT
    revision_id: int | None = None


def due_after(policy: SlaPolicy, priority: str, start: datetime) -> datetime:
    """Return the due date (UTC) of an order of this priority whose time begins at `start` (aware)."""
    return start + timedelta(hours=policy.default_due_hours[priority])


def as_values(policy: SlaPolicy) -> dict[str, Any]:
    """Return a policy as the fields that the policy engine stores; no target is 0."""
    return {
        **{_DUE + word: policy.default_due_hours[word] for word in PRIORITIES},
        "escalation_grace_minutes": policy.escalation_grace_minutes,
        "pause_on_hold": policy.pause_on_hold,
        **{_ANSWER + word: policy.ack_target_minutes.get(word, 0) for word in PRIORITIES},
    }


def from_values(values: Mapping[str, Any]) -> SlaPolicy:
    """Return the policy that stored fields are; what is missing is built in."""
    answers = {word: int(values.get(_ANSWER + word) or 0) for word in PRIORITIES}
    return SlaPolicy(
        {word: int(values.get(_DUE + word) or HOURS[word]) for word in PRIORITIES},
        int(values.get("escalation_grace_minutes") or 0),
        bool(values.get("pause_on_hold")),
        {word: minutes for word, minutes in answers.items() if minutes},
    )
