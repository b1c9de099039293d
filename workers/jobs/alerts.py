"""Jobs of the alert outbox: deliver what is due, try failed deliveries again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from pydantic import Field

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import CRON, Outcome, Status
from console.domain.text import N_
from console.inputs.alerts import TRIED_AGAIN, RetriesIn, Statuses
from console.inputs.base import BodyModel
from console.services.alerts import accuracy
from console.services.alerts import delivery as alert_delivery
from console.services.alerts import outbox as alerts
from console.services.alerts.delivery import RUN_SECONDS
from console.services.alerts.lanes import Delivered
from console.services.jobs import registry
from console.services.jobs.registry import job
from console.services.jobs.runs import Run


class DeliveryOptions(BodyModel):
    """How many messages one run sends at most."""

    limit: int = Field(2000, ge=1, le=20000)


class RetryOptions(RetriesIn):
    """Which failed deliveries one run tries again; `patient` leaves those alone whose next attempt is yet to come."""

    only_status: Statuses = Field(
        default_factory=lambda: list(TRIED_AGAIN), max_length=20, json_schema_extra={"flag": "status"}
    )
    limit: int = Field(300, ge=1, le=5000)
    patient: bool = False


@job(
    job_names.ALERT_DELIVERY,
    title=N_("Deliver alerts"),
    sentence=N_("Sends the alerts that are due and records every attempt."),
    options=DeliveryOptions,
    reads_first=True,
    lease_seconds=180,
    permission="alerts:manage",
)
def deliver(ctx: Context, options: DeliveryOptions) -> Outcome:
    """Send what is due; a warning when something could not be delivered."""
    if ctx.dry_run:
        return Outcome({"outbox": alerts.outbox(ctx)}, "success")
    found = alert_delivery.deliver_due(ctx, limit=options.limit, lasts=RUN_SECONDS)
    detail: dict[str, Any] = {
        "processed_count": found.processed_count,
        "success_count": found.success_count,
        "failed_count": found.failed_count,
        "dead_count": found.dead_count,
        "delivery_ids": list(found.delivery_ids),
    }
    if found.personal_count:
        # What became of them is nobody else's business.
        detail["personal_count"] = found.personal_count
    idle = not found.processed_count and not found.personal_count
    return Outcome(detail, "warning" if found.failed_count else "success", skipped=idle)


@job(
    job_names.ALERT_RETRY,
    title=N_("Retry failed alerts"),
    sentence=N_("Makes failed deliveries due again and sends them at once."),
    options=RetryOptions,
    reads_first=True,
    lease_seconds=180,
    permission="alerts:manage",
)
def retry(ctx: Context, options: RetryOptions) -> Outcome:
    """Try failed deliveries again (API contract, batch retry)."""
    checked_at = ctx.now()
    with alert_delivery.transactions(ctx)() as own:
        ids = alerts.due_for_retry(
            own,
            event_type=options.event_type,
            statuses=options.only_status,
            limit=options.limit,
            max_attempt_count=options.max_attempt_count,
            min_age=timedelta(seconds=options.min_last_attempt_age_sec),
            patient=options.patient,
        )
        if ctx.dry_run:
            own.rollback()
    found = (
        Delivered(delivery_ids=ids[:200]) if ctx.dry_run else alert_delivery.deliver_due(ctx, limit=len(ids), only=ids)
    )
    detail: dict[str, Any] = {
        "checked_at": checked_at,
        "event_type": options.event_type,
        "statuses": options.only_status,
        "limit": options.limit,
        "max_attempt_count": options.max_attempt_count,
        "min_last_attempt_age_sec": options.min_last_attempt_age_sec,
        "processed_count": found.processed_count,
        "success_count": found.success_count,
        "warning_count": 0,
        "failed_count": found.failed_count,
        "delivery_ids": list(found.delivery_ids),
    }
    status: Status = "warning" if found.failed_count else "success"

    def on_record(own: Context, run: Run) -> None:
        # Published for callers; the scheduled retries would flood the trail.
        if run.trigger != CRON and not run.dry_run:
            alerts.record_batch(own, detail, status)

    return Outcome(detail, status, keep=on_record)


@job(
    job_names.ALERT_ACCURACY,
    title=N_("Check the accuracy of alerts"),
    sentence=N_("Recomputes from raw events who should have been told, and compares it with what happened."),
    reads_first=True,
    lease_seconds=300,
    permission="alerts:manage",
)
def check_accuracy(ctx: Context, _options: BodyModel) -> Outcome:
    """Compare; critical after two weeks above a limit, a warning after one (alert noise policy)."""
    ctx.actor.require_all_sites()
    found = accuracy.measure(ctx, registry.schedule())
    status: Status = "success" if found.accuracy.standing == "ok" else cast("Status", found.accuracy.standing)
    dry_run = ctx.dry_run

    def keep(own: Context, run: Run) -> None:
        if not dry_run:
            accuracy.keep(own, run, found.findings)

    return Outcome(found.accuracy, status, keep=keep)
