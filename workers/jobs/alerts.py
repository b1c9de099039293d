"""Jobs of the alert outbox: deliver what is due, try failed deliveries again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from pydantic import Field
from sqlalchemy.orm import sessionmaker

from console.adapters.webhooks import Sender
from console.core.context import Context, unit_of_work
from console.domain.alerts.alerts import RETRY_JOB
from console.domain.jobs.runs import CRON, Outcome, Status
from console.domain.text import N_
from console.inputs.alerts import RetriesIn
from console.inputs.base import BodyModel
from console.services.alerts import delivery as alert_delivery
from console.services.alerts import outbox as alerts
from console.services.alerts.delivery import Delivered
from console.services.jobs.progress import is_dry_run
from console.services.jobs.registry import job
from console.services.jobs.runs import Run

DELIVERY, RETRY = "alert_delivery", RETRY_JOB


class DeliveryOptions(BodyModel):
    """How many messages one run sends at most."""

    limit: int = Field(2000, ge=1, le=20000)


class RetryOptions(RetriesIn):
    """Which failed deliveries one run tries again; `patient` leaves those alone whose next attempt is yet to come."""

    patient: bool = False


@job(
    DELIVERY,
    title=N_("Deliver alerts"),
    sentence=N_("Sends the alerts that are due and records every attempt."),
    options=DeliveryOptions,
    reads_first=True,
    lease_seconds=180,
    permission="alerts:manage",
)
def deliver(ctx: Context, options: DeliveryOptions) -> Outcome:
    """Send what is due; a warning when something could not be delivered."""
    if is_dry_run(ctx):
        return Outcome({"outbox": alerts.outbox(ctx)}, "success")
    found = _deliver(ctx, limit=options.limit)
    detail = {
        "processed_count": found.processed_count,
        "success_count": found.success_count,
        "failed_count": found.failed_count,
        "dead_count": found.dead_count,
        "delivery_ids": list(found.delivery_ids),
    }
    return Outcome(detail, "warning" if found.failed_count else "success", skipped=not found.processed_count)


@job(
    RETRY,
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
    with _transactions(ctx)() as own:
        ids = alerts.due_for_retry(
            own,
            event_type=options.event_type,
            statuses=options.only_status,
            limit=options.limit,
            max_attempt_count=options.max_attempt_count,
            min_age=timedelta(seconds=options.min_last_attempt_age_sec),
            patient=options.patient,
        )
        if is_dry_run(ctx):
            own.rollback()
    found = Delivered(delivery_ids=ids[:200]) if is_dry_run(ctx) else _deliver(ctx, limit=len(ids), only=ids)
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


def deliver_now(ctx: Context, delivery_id: int) -> None:
    """Send one delivery that is due, without waiting for a worker; its attempt is on record afterwards.

    The caller commits before. Somebody else may be sending it already: then nothing is done.
    """
    _deliver(ctx, limit=1, only=(delivery_id,))


def _deliver(ctx: Context, *, limit: int, only: Collection[int] | None = None) -> Delivered:
    # The run's own transaction ends here: messages are sent outside of any, and recorded one by one.
    ctx.session.rollback()
    return alert_delivery.deliver(
        _transactions(ctx),
        Sender(ctx.config),
        alert_delivery.channel_map(ctx),
        most_attempts=ctx.config["ALERT_MAX_ATTEMPTS"],
        limit=limit,
        only=only,
        worker=ctx.request_id,
    )


def _transactions(ctx: Context) -> Callable[[], AbstractContextManager[Context]]:
    factory = sessionmaker(ctx.session.get_bind())
    return lambda: unit_of_work(factory, actor=ctx.actor, clock=ctx.clock, config=ctx.config, request_id=ctx.request_id)
