"""The words of work orders (API contract, work orders)."""

from __future__ import annotations

STATUSES = ("open", "acked", "completed", "canceled")
OPEN, ACKED, COMPLETED, CANCELED = STATUSES
OPEN_STATUSES = (OPEN, ACKED)
CLOSED_STATUSES = (COMPLETED, CANCELED)
# The worst first; the place is the rank by which lists order.
PRIORITIES = ("critical", "high", "medium", "low")
TRADES = ("electric", "mechanical", "fire", "elevator", "building", "other")
SOURCES = ("manual", "inspection", "plan", "request")
# When a file was made: before the work or after it.
PHASES = ("before", "after")
BEFORE, AFTER = PHASES
HOLD_REASONS = ("contractor", "parts", "access", "weather", "approval")


def rank(priority: str) -> int:
    """Return the place of a priority: 1 is the worst."""
    return PRIORITIES.index(priority) + 1
