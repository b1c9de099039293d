"""How urgent an open work order is for those who take over (API contract, urgency score), and what that asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.text import N_, T, Text

PRIORITY_POINTS: Mapping[str, int] = {"low": 1, "medium": 2, "high": 4, "critical": 6}
OTHER_PRIORITY = 2
OVERDUE, DUE_SOON, ESCALATED, NOBODY = 6, 3, 4, 2
HIGH = ("high", "critical")
# Points of an order that has been open so long, the longest first.
AGES: tuple[tuple[timedelta, int, str], ...] = (
    (timedelta(hours=72), 2, "open >72h"),
    (timedelta(hours=24), 1, "open >24h"),
)


@dataclass(frozen=True)
class Urgency:
    """The score of an order and the published words for each part of it."""

    score: int
    reasons: tuple[str, ...]


def urgency(
    *,
    priority: str,
    due_at: datetime | None,
    created_at: datetime,
    is_escalated: bool,
    assigned: bool,
    now: datetime,
    soon: timedelta,
) -> Urgency:
    """Return how urgent an open order is at `now` (UTC); due within `soon` counts as due soon."""
    parts = [(PRIORITY_POINTS.get(priority, OTHER_PRIORITY), f"{priority} priority")]
    if due_at is not None and due_at < now:
        parts.append((OVERDUE, "overdue"))
    elif due_at is not None and due_at <= now + soon:
        parts.append((DUE_SOON, "due soon"))
    if is_escalated:
        parts.append((ESCALATED, "escalated"))
    if priority in HIGH and not assigned:
        parts.append((NOBODY, "unassigned high priority"))
    parts += [(points, word) for age, points, word in AGES if now - created_at >= age][:1]
    return Urgency(sum(points for points, _word in parts), tuple(word for _points, word in parts))


def minutes_left(due_at: datetime | None, now: datetime) -> int | None:
    """Return the whole minutes up to the due time, rounded down and negative when it is past; None without one."""
    return None if due_at is None else (due_at - now) // timedelta(minutes=1)


NOTHING_URGENT = N_("Nothing is urgent: 0 open points need action before the handover")
NO_SITE = N_("No site is accessible, so there is nothing to hand over")
_ACTIONS = (
    ("overdue_open_work_orders", N_("Work on the %(count)s overdue work orders first")),
    (
        "unassigned_high_priority_open_work_orders",
        N_("Assign the %(count)s unassigned work orders of high priority"),
    ),
    ("high_risk_inspections_in_window", N_("Look at the %(count)s inspections with danger or caution")),
    ("due_soon_work_orders", N_("Plan the %(count)s work orders that are due soon")),
    ("failed_alert_deliveries_24h", N_("Repair the channels: %(count)s alerts of the last 24 hours did not arrive")),
)


def recommended(counts: Mapping[str, int]) -> tuple[Text, ...]:
    """Return what to do, in the published order, each with its number; one sentence when nothing is urgent."""
    found = tuple(T(text, count=counts[name]) for name, text in _ACTIONS if counts[name] > 0)
    return found or (Text(NOTHING_URGENT),)
