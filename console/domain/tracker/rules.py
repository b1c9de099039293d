"""What a person's change does to a tracker item."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class State:
    """The part of an item that hangs together: done exactly when checked, `completed_at` set exactly then."""

    status: str
    completion_checked: bool
    completed_at: datetime | None


@dataclass(frozen=True)
class NextState:
    """The state after a change; `adjusted` says that the sent pair contradicted itself and was put right."""

    state: State
    adjusted: bool


def next_state(stored: State, status: str | None, checked: bool | None, now: datetime) -> NextState:
    """Decide the pair of status and check (API contract, PATCH of an item; the weekly trackers' rules are the same).

    `status` and `checked` are None when they were not sent. The time of completion is stamped only on the change
    to done, so that a later note does not make old work look new.
    """
    if status is None and checked is None:
        return NextState(stored, adjusted=False)
    if checked is True or (status == "done" and checked is None):
        target = "done"
    elif status == "done" or (status is None and stored.status == "done"):
        target = "in_progress"
    else:
        target = status or stored.status
    if target == "done":
        keep = stored.status == "done" and stored.completed_at is not None
        state = State("done", True, stored.completed_at if keep else now)
    else:
        state = State(target, False, None)
    return NextState(state, adjusted=status is not None and status != target)


def soon_hours(sla_hours: int | None, hours: float = 24) -> float:
    """Return how many hours before the deadline an item reads as due soon: never more than half of its SLA."""
    return min(hours, max(sla_hours, 1) / 2) if sla_hours else hours
