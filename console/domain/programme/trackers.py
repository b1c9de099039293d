"""Every tracker there is: the remediation tracker and one for each week of the programme."""

from __future__ import annotations

from console.domain.programme.catalogue import WEEKS
from console.domain.tracker.tracker import REMEDIATION, TrackerKind


def programmes() -> tuple[TrackerKind, ...]:
    """Return all trackers, the remediation tracker first."""
    return (REMEDIATION, *(week.programme for week in WEEKS.values()))


def programme(key: str) -> TrackerKind | None:
    """Return the tracker of that key, None for one that does not exist."""
    if key == REMEDIATION.key:
        return REMEDIATION
    week = WEEKS.get(key)
    return week.programme if week else None
