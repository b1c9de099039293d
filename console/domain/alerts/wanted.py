"""Whether a message that waits is still wanted: not any more once what it is about was handled.

Told by the state of the things at the moment at which it would leave, for each kind of message once. A message about
several things is wanted as long as one of them is not handled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.domain.alerts.alerts import (
    ASSIGNED,
    BURNS,
    DROPPED,
    ESCALATED,
    HANDOVER_LATE,
    NOT_WANTED,
    RULE_FAILS,
    SLA_ESCALATED,
    W07_DEGRADED,
)
from console.domain.alerts.slo import BREACHED
from console.domain.jobs import names as job_names

ORDERS_HANDLED, ITEMS_HANDLED, ITEMS_ACCEPTED, HANDOVER_CONFIRMED, BURN_OVER, RECOVERED = NOT_WANTED
# Messages of these are about a run: job, and the names of what it looked at in its result and in the message. A later
# run that looked at the same and found nothing wrong makes them pointless.
RUNS = {
    job_names.DAILY_CHECK: (job_names.DAILY_CHECK, "", ""),
    BREACHED: (job_names.ALERT_MTTR_SLO, "event_type", "event_type_scope"),
    W07_DEGRADED: (job_names.W07_WEEKLY, "site", "site"),
}
ALL_SITES = "ALL"
# A message about items names the first of them, and says how many there are.
NAMED_MOST = 20
_COUNTED = {ESCALATED: "notified_count", ASSIGNED: "assigned_count", RULE_FAILS: "raised_count"}
ABOUT_ITEMS = frozenset(_COUNTED)
# A message that was dropped within this time after it was raised was never late.
_PROMPT = timedelta(hours=1)


@dataclass(frozen=True)
class OrderNow:
    """A work order as it is now; instants are aware UTC."""

    id: int
    is_open: bool
    due_at: datetime
    acknowledged_at: datetime | None

    def handled(self, raised_at: datetime, now: datetime) -> bool:
        """Return whether the escalation of it was answered: closed, begun since it was told, or no longer late."""
        return self.begun_since(raised_at) or self.due_at >= now

    def begun_since(self, raised_at: datetime) -> bool:
        """Return whether it was closed or begun since somebody was told: all that being given it asks for."""
        return not self.is_open or (self.acknowledged_at is not None and self.acknowledged_at >= raised_at)


@dataclass(frozen=True)
class ItemNow:
    """An item of the board as it is now; instants are aware UTC."""

    id: int
    is_open: bool
    due_at: datetime | None
    assignee: str | None
    accepted_at: datetime | None

    def handled(self, event_type: str, told: Mapping[str, Any]) -> bool:
        """Return whether a message that `told` of it is answered.

        Being given something is answered by beginning it; being late is not.
        """
        if not self.is_open:
            return True
        if event_type == ASSIGNED:
            return self.accepted_at is not None or self.assignee != told.get("assignee")
        return event_type == ESCALATED and self._postponed(told.get("due_at"))

    def _postponed(self, told: str | None) -> bool:
        then = datetime.fromisoformat(told) if told else None
        return self.due_at is None or (then is not None and self.due_at > then)


def order_ids(event_type: str, payload: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the work orders that a message is about; none for another message."""
    return _ids(payload.get("work_order_ids")) if event_type == SLA_ESCALATED else ()


def told_items(event_type: str, payload: Mapping[str, Any]) -> Mapping[int, Mapping[str, Any]]:
    """Return what a message tells of each item; nothing where it is about others, or about more than it names."""
    lines = payload.get("items")
    if event_type not in ABOUT_ITEMS or not isinstance(lines, list):
        return {}
    # A channel of some sites got those of its sites.
    if int(payload.get(_COUNTED[event_type]) or 0) > NAMED_MOST:
        return {}
    return {line["id"]: line for line in lines if isinstance(line, Mapping) and isinstance(line.get("id"), int)}


def reason_of_items(event_type: str) -> str:
    """Return why a message about items is no longer wanted."""
    return ITEMS_ACCEPTED if event_type == ASSIGNED else ITEMS_HANDLED


def handover_id(event_type: str, payload: Mapping[str, Any]) -> int | None:
    """Return the handover that a message is about."""
    number = payload.get("handover_id")
    return number if event_type == HANDOVER_LATE and isinstance(number, int) else None


def burn_of(event_type: str, payload: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return endpoint, rule and begin (ISO 8601) of the burn that a message is about."""
    named = tuple(payload.get(key) for key in ("endpoint", "rule", "since"))
    if event_type != BURNS or not all(isinstance(one, str) for one in named):
        return None
    return str(named[0]), str(named[1]), str(named[2])


def spared(
    status: str, *, snoozed: bool, raised_at: datetime, settled_at: datetime, next_at: datetime | None, now: datetime
) -> bool:
    """Return whether nobody had to get a message: it was dropped in time, or a person put it off."""
    if status == DROPPED:
        return snoozed or settled_at <= raised_at + _PROMPT
    return snoozed and next_at is not None and next_at > now


def _ids(listed: Any) -> tuple[int, ...]:
    found: Iterable[Any] = listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ()
    return tuple(one for one in found if isinstance(one, int))
