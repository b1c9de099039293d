"""The lines of a handover: what kinds there are, in which order they stand, and from when on they tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from console.domain.text import N_

STATES = ("given", "accepted")
GIVEN, ACCEPTED = STATES
LINE_STATES = ("open", "asked", "answered", "confirmed")
OPEN, ASKED, ANSWERED, CONFIRMED = LINE_STATES

LATE, UNOWNED, DANGER, WORSE, SOON, UNASSIGNED = "late", "unowned", "danger", "worse", "soon", "unassigned"
PROMISED, WAITING, CAUTION, NEW, ALERTS, JOBS, NOTE = "promised", "waiting", "caution", "new", "alerts", "jobs", "note"
# The worst first; what several kinds fit to has the first of them.
KINDS: Mapping[str, str] = {
    LATE: N_("Late"),
    UNOWNED: N_("Danger without order"),
    DANGER: N_("Danger found"),
    WORSE: N_("Escalated"),
    SOON: N_("Due soon"),
    UNASSIGNED: N_("Unassigned"),
    PROMISED: N_("Promised"),
    WAITING: N_("Waiting"),
    CAUTION: N_("Caution found"),
    NEW: N_("New"),
    ALERTS: N_("Alerts failed"),
    JOBS: N_("Jobs late"),
    NOTE: N_("Note"),
}
ORDER, INSPECTION, REST = "work_order", "inspection", "rest"

# Without an earlier handover it looks back as far as the published brief does.
FIRST_WINDOW = timedelta(hours=12)
SOON_WITHIN = timedelta(hours=6)
# What is promised for the time of the next shift.
PROMISE_WITHIN = timedelta(hours=12)
# What was stored while the handover before was being made may have come too late for it: it is looked at twice.
LATE_STORED = timedelta(minutes=10)
# So many lines of a kind; the others are one line that opens all of them.
MOST_OF_A_KIND = 20
DEADLINES = (60, 120, 240, 480)
DEFAULT_DEADLINE = 120


@dataclass(frozen=True)
class Line:
    """A line as it is handed over; `detail` is how its subject stands, as JSON."""

    kind: str
    subject: str
    subject_id: int | None
    title: str
    detail: Mapping[str, Any] = field(default_factory=dict)


def in_order(lines: list[Line]) -> list[Line]:
    """Return lines by their kinds, the worst first; those of a kind stay as they are, its rest at their end."""
    places = list(KINDS)
    return sorted(lines, key=lambda line: (places.index(line.kind), line.subject == REST))
