"""What the runbook must know of the alert outbox."""

from __future__ import annotations

from sqlalchemy import func, select

from console.context import Context
from console.domain.alerts import DEAD
from console.domain.runbook_alerts import DEAD_WITHIN, OutboxFacts
from console.models.alerts import AlertDelivery


def facts(ctx: Context) -> OutboxFacts:
    """Count what is due and what was given up of late: one query of index ranges."""
    now = ctx.now()
    due = select(func.count(), func.min(AlertDelivery.next_attempt_at)).where(AlertDelivery.next_attempt_at <= now)
    dead = select(func.count()).where(AlertDelivery.status == DEAD, AlertDelivery.last_attempt_at > now - DEAD_WITHIN)
    number, oldest, given_up = ctx.session.execute(due.add_columns(dead.scalar_subquery())).one()
    return OutboxFacts(now, number, oldest, given_up)
