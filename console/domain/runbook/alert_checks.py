"""The runbook checks that watch alerts: retries, messages that are due and do not leave, and messages given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.runbook.review import MISSING
from console.domain.runbook.runbook import CRITICAL, OK, WARNING, Finding, check
from console.domain.text import T

# Delivery runs every minute: a quarter of an hour is fifteen runs that did not take a message.
STUCK_WARNING = timedelta(minutes=15)
STUCK_CRITICAL = timedelta(hours=1)
DEAD_WITHIN = timedelta(hours=24)
# What a batch retry may try again, and how long ago the last one may be (API contract, runbook checks).
RETRY_ATTEMPTS = 10
RETRY_AGE = timedelta(seconds=30)
RETRIED_WITHIN = timedelta(minutes=90)


@dataclass(frozen=True)
class OutboxFacts:
    """The outbox at `now` (aware UTC): how many are due, since when the oldest is, how many were given up of late.

    `pending_count` deliveries failed and may be tried again; the newest batch retry ended at `retried_at` with
    `retried_status`.
    """

    now: datetime
    due_count: int = 0
    oldest_due_at: datetime | None = None
    dead_count: int = 0
    pending_count: int = 0
    retried_at: datetime | None = None
    retried_status: str | None = None


@check(2, owner_role="Ops Lead", needs=("outbox",), page="alerts")
def alert_retry_recent(outbox: OutboxFacts) -> Finding:
    """Judge whether failed alerts are tried again."""
    fields = {
        "pending_count": outbox.pending_count,
        "latest_run_at": outbox.retried_at,
        "latest_status": outbox.retried_status or MISSING,
    }
    if outbox.retried_at is not None and outbox.now - outbox.retried_at <= RETRIED_WITHIN:
        return Finding(OK, T("Failed alerts are tried again."), fields)
    if not outbox.pending_count:
        return Finding(OK, T("No failed alert waits for another try."), fields)
    return Finding(WARNING, T("Failed alerts that nobody tries again: %(count)s.", count=outbox.pending_count), fields)


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
