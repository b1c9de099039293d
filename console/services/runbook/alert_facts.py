"""What the runbook must know of the alert outbox."""

from __future__ import annotations

from sqlalchemy import func, literal_column, select

from console.core.context import Context
from console.domain.alerts.alerts import DEAD, FAILED, WARNING
from console.domain.jobs import names as job_names
from console.domain.runbook.alert_checks import DEAD_WITHIN, RETRY_AGE, RETRY_ATTEMPTS, OutboxFacts
from console.models.alerts import AlertDelivery
from console.models.jobs import JobRun


def facts(ctx: Context) -> OutboxFacts:
    """Count what is due, what failed and what was given up of late: one query of index ranges."""
    now = ctx.now()
    due = select(func.count(), func.min(AlertDelivery.next_attempt_at)).where(AlertDelivery.next_attempt_at <= now)
    dead = select(func.count()).where(AlertDelivery.status == DEAD, AlertDelivery.last_attempt_at > now - DEAD_WITHIN)
    failed = select(func.count()).where(
        AlertDelivery.status.in_((FAILED, WARNING)),
        AlertDelivery.attempt_count < RETRY_ATTEMPTS,
        AlertDelivery.last_attempt_at <= now - RETRY_AGE,
    )
    # Not a parameter: for some name or other PostgreSQL would walk back through the runs of all jobs until it comes.
    retries = JobRun.job_name == literal_column(f"'{job_names.ALERT_RETRY}'")
    retried = select(func.max(JobRun.finished_at)).where(retries, JobRun.dry_run.is_(False))
    parts = (part.scalar_subquery() for part in (dead, failed, retried))
    return OutboxFacts(now, *ctx.session.execute(due.add_columns(*parts)).one())
