"""The SLA policy: how long an order of each priority may take (API contract, SLA policies)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

DEFAULT, SITE, MANUAL = "default", "site", "manual"


@dataclass(frozen=True)
class SlaPolicy:
    """Hours from creation to the due date by priority, and minutes past it before an order escalates."""

    default_due_hours: Mapping[str, int]
    escalation_grace_minutes: int = 0


BUILT_IN = SlaPolicy(MappingProxyType({"low": 72, "medium": 24, "high": 8, "critical": 2}))


@dataclass(frozen=True)
class InForce:
    """The policy that counts for a site: where it comes from (`default`, `site`), and its revision if it has one."""

    policy: SlaPolicy
    source: str = DEFAULT
    revision_id: int | None = None


def due_after(policy: SlaPolicy, priority: str, start: datetime) -> datetime:
    """Return the due date (UTC) of an order of this priority whose time begins at `start` (aware)."""
    return start + timedelta(hours=policy.default_due_hours[priority])
