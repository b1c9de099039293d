"""The life of a work order: which change of status is allowed, and what it does to the order (API contract, 2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.domain.errors import Conflict
from console.domain.text import N_, Text
from console.domain.work_orders.words import ACKED, CANCELED, COMPLETED, OPEN, OPEN_STATUSES

ACK, COMPLETE, CANCEL, REOPEN = "ack", "complete", "cancel", "reopen"
TARGETS = {ACK: ACKED, COMPLETE: COMPLETED, CANCEL: CANCELED, REOPEN: OPEN}
_FROM = {ACK: (OPEN,), COMPLETE: OPEN_STATUSES, CANCEL: OPEN_STATUSES, REOPEN: (COMPLETED, CANCELED)}


class InvalidTransition(Conflict):
    """The order is not in a status from which this is possible (409); `told` names who was there first."""

    code = "invalid_transition"

    def __init__(self, seen: str, target: str, told: Text | None = None) -> None:
        super().__init__(f"Invalid status transition: {seen} -> {target}", told=told)


@dataclass(frozen=True)
class Life:
    """What a change of status depends on; instants are aware UTC."""

    status: str
    assignee: str | None
    resolution_notes: str
    cancel_reason: str
    due_at: datetime


@dataclass(frozen=True)
class Step:
    """What a change of status does: column values, and note and detail of its event."""

    values: dict[str, Any]
    note: str
    detail: dict[str, Any]


def allowed(status: str, action: str) -> bool:
    """Return whether an order of that status may take the action; completing twice changes nothing and is no step."""
    return status in _FROM[action]


def acknowledged(life: Life, now: datetime, assignee: str | None) -> Step:
    """Return the step to `acked`; an assignee that was sent replaces the old one, None keeps it."""
    whom = life.assignee if assignee is None else assignee or None
    return Step({"status": ACKED, "acknowledged_at": now}, N_("Work order acknowledged"), {"assignee": whom})


def completed(life: Life, now: datetime, notes: str) -> Step:
    """Return the step to `completed`; empty notes keep what is written already."""
    kept = notes or life.resolution_notes
    values = {"status": COMPLETED, "completed_at": now, "resolution_notes": kept}
    return Step(values, kept, {"resolution_notes": kept})


def canceled(_life: Life, now: datetime, reason: str) -> Step:
    """Return the step to `canceled`; its reason never takes the place of a solution."""
    values = {"status": CANCELED, "canceled_at": now, "cancel_reason": reason}
    return Step(values, reason or N_("Work order canceled"), {"reason": reason})


def reopened(life: Life, reason: str, due_at: datetime) -> Step:
    """Return the step back to `open` with a new due date; solution and cancel reason move into the event."""
    values = {
        "status": OPEN,
        "completed_at": None,
        "canceled_at": None,
        "acknowledged_at": None,
        "is_escalated": False,
        "resolution_notes": "",
        "cancel_reason": "",
        "due_at": due_at,
    }
    detail = {
        "reason": reason,
        "due_at": {"old": life.due_at.isoformat(), "new": due_at.isoformat()},
        "resolution_notes": life.resolution_notes,
        "cancel_reason": life.cancel_reason,
    }
    return Step(values, reason or N_("Work order reopened"), detail)


def shown_notes(status: str, resolution_notes: str, cancel_reason: str) -> str:
    """Return the published `resolution_notes`: of a canceled order its reason, if there is one."""
    return cancel_reason if status == CANCELED and cancel_reason else resolution_notes
