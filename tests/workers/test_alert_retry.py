"""The batch retry sends what it was asked for and nothing else (API contract, retries)."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from console.inputs.alerts import RetriesIn
from console.models.alerts import AlertAttempt, AlertDelivery
from console.models.audit import AuditLog
from console.services import alerts, run_engine
from tests.services.test_alerts import outbox, receiver
from workers import runtime
from workers.alerts import RETRY

__all__ = ["outbox", "receiver"]
SITE = "푸른숲 타워"


@pytest.fixture
def stored(outbox, receiver, clock):
    """Deliveries by status, each tried an hour ago; the waiting one is due before all others."""
    outbox.config = outbox.config.replaced(ALERT_WEBHOOK_URLS=f"http://127.0.0.1:{receiver.server_address[1]}/hook")
    with outbox.work() as ctx:
        ids = {}
        for word in ("failed", "success", "dead", "foreign", "queued"):
            site = SITE if word == "foreign" else None
            ids[word] = alerts.raise_alert(ctx, "test_event", {"event": word}, site=site).delivery_ids[0]
        for word, one in ids.items():
            status = "failed" if word == "foreign" else word
            next_at = clock.now() if status == "queued" else None
            ctx.session.execute(
                update(AlertDelivery).where(AlertDelivery.id == one).values(status=status, next_attempt_at=next_at)
            )
    clock.advance(timedelta(hours=1))
    return ids


def retry(outbox, make_ctx, sites=("*",), trigger="api", **options):
    ctx = make_ctx("owner", sites)
    ctx.config = outbox.config
    return run_engine.execute(ctx, runtime.get(RETRY), RetriesIn(**options), trigger=trigger, dry_run=False).detail


def seen(receiver):
    return [body["event"] for _headers, body in receiver.seen]


def test_only_what_was_asked_for_is_sent(outbox, receiver, make_ctx, stored):
    made = retry(outbox, make_ctx)

    assert sorted(seen(receiver)) == ["failed", "foreign"]
    assert (made["processed_count"], made["success_count"], made["failed_count"]) == (2, 2, 0)
    assert made["delivery_ids"] == sorted([stored["failed"], stored["foreign"]])


def test_what_was_delivered_is_never_sent_again(outbox, receiver, make_ctx, stored):
    made = retry(outbox, make_ctx, only_status=["success", "dead"])

    assert (seen(receiver), made["delivery_ids"]) == (["dead"], [stored["dead"]])


def test_other_sites_alerts_are_left_alone(outbox, receiver, make_ctx, stored):
    made = retry(outbox, make_ctx, sites=("한빛마을",))

    assert (seen(receiver), made["delivery_ids"]) == (["failed"], [stored["failed"]])


def test_a_batch_that_somebody_asked_for_is_on_record(outbox, receiver, make_ctx, session, stored):
    retry(outbox, make_ctx)
    retry(outbox, make_ctx, trigger="cron")
    session.rollback()

    rows = session.scalars(select(AuditLog).where(AuditLog.action == "alert_retry_batch_run")).all()
    told = [(row.resource_type, row.resource_id, row.status) for row in rows]
    assert told == [("alert_delivery", "batch", "success")]
    assert json.loads(rows[0].detail_json)["processed_count"] == 2
    assert session.scalars(select(AlertAttempt.delivery_id)).all()
