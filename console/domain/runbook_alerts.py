"""The runbook check that watches the alert outbox: messages that are due and do not leave, and messages given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.runbook import CRITICAL, OK, WARNING, Finding, check
from console.domain.text import T

# Delivery runs every minute: a quarter of an hour is fifteen runs that did not take a message.
STUCK_WARNING = timedelta(minutes=15)
STUCK_CRITICAL = timedelta(hours=1)
DEAD_WITHIN = timedelta(hours=24)


@dataclass(frozen=True)
class OutboxFacts:
    """The outbox at `now` (aware UTC): how many are due, since when the oldest is, how many were given up of late."""

    now: datetime
    due_count: int = 0
    oldest_due_at: datetime | None = None
    dead_count: int = 0


@check(100, owner_role="Ops Lead", needs=("outbox",), page="alerts")
def alert_outbox_moving(outbox: OutboxFacts) -> Finding:
    """Judge whether alerts leave the outbox."""
    late = outbox.now - outbox.oldest_due_at if outbox.oldest_due_at else timedelta(0)
    minutes = int(late.total_seconds() // 60)
    fields = {
        "due_count": outbox.due_count,
        "oldest_due_at": outbox.oldest_due_at,
        "oldest_due_minutes": minutes,
        "dead_count": outbox.dead_count,
        "warning_minutes": int(STUCK_WARNING.total_seconds() // 60),
        "critical_minutes": int(STUCK_CRITICAL.total_seconds() // 60),
    }
    if late > STUCK_WARNING:
        status = CRITICAL if late > STUCK_CRITICAL else WARNING
        return Finding(status, T("Alerts have not left the outbox for %(minutes)s minutes.", minutes=minutes), fields)
    if outbox.dead_count:
        return Finding(WARNING, T("Alerts given up within a day: %(count)s.", count=outbox.dead_count), fields)
    return Finding(OK, T("Alerts leave the outbox."), fields)
