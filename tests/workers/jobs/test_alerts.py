"""The batch retry sends what it was asked for and nothing else (API contract, retries)."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from console.core.context import SYSTEM, Context
from console.domain.jobs import names as job_names
from console.models.alerts import AlertAttempt, AlertDelivery
from console.models.audit import AuditLog
from console.services.alerts import outbox as alerts
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from tests.conftest import TokenClient
from tests.factories import make_token, make_user
from tests.services.alerts.test_outbox import answer, outbox, receiver
from workers import schedule

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


@pytest.fixture
def token_client(session, clock):
    """Return `token_client(app)`: an owner's client of that application, and a delivery that waits there."""

    def build(app):
        user = make_user(session, now=clock.now(), role="owner")
        client = TokenClient(app, app.response_class, use_cookies=False)
        client.token = make_token(session, user, now=clock.now())
        ctx = Context(session, clock, SYSTEM, app.extensions["console_config"])
        raised = alerts.raise_alert(ctx, "test_event", {"event": "test"})
        session.commit()
        return client, raised.delivery_ids[0]

    return build


def retry(outbox, make_ctx, sites=("*",), trigger="api", **options):
    ctx = make_ctx("owner", sites)
    ctx.config = outbox.config
    return run_engine.execute(ctx, registry.get(job_names.ALERT_RETRY), options, trigger=trigger, dry_run=False).detail


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


@pytest.mark.parametrize(
    ("status", "kept", "error"), [(200, "success", None), (503, "failed", "webhook returned status 503")]
)
def test_a_single_retry_answers_what_came_of_it(make_app, token_client, receiver, status, kept, error):
    url = f"http://127.0.0.1:{receiver.server_address[1]}/hook"
    app = make_app(ALERT_WEBHOOK_URLS=url, ALERT_ALLOW_PRIVATE_TARGETS=True)
    receiver.behave = answer(status)
    client, delivery = token_client(app)

    made = client.post(f"/api/ops/alerts/deliveries/{delivery}/retry")

    assert (made.status_code, seen(receiver)) == (200, ["test"])
    assert (made.json["status"], made.json["error"], made.json["attempt_count"]) == (kept, error, 1)
    assert client.get(f"/api/ops/alerts/deliveries/{delivery}").json["attempts"][0]["status_code"] == status
    again = client.post(f"/api/ops/alerts/deliveries/{delivery}/retry")
    assert (again.status_code, len(seen(receiver))) == ((409, 1) if status == 200 else (200, 2))


def test_the_schedule_leaves_a_receiver_the_time_that_it_asked_for(outbox, receiver, make_ctx, session, stored, clock):
    options = next(line.options for line in schedule.ENTRIES if line.job == job_names.ALERT_RETRY)
    asked_for = clock.now() + timedelta(hours=3)
    with outbox.work() as ctx:
        later = update(AlertDelivery).where(AlertDelivery.id == stored["failed"])
        ctx.session.execute(later.values(next_attempt_at=asked_for))

    retry(outbox, make_ctx, trigger="cron", **options)
    assert seen(receiver) == ["foreign"]
    session.rollback()
    assert session.get_one(AlertDelivery, stored["failed"]).next_attempt_at == asked_for

    retry(outbox, make_ctx)
    assert seen(receiver) == ["foreign", "failed"]


def test_a_batch_that_somebody_asked_for_is_on_record(outbox, receiver, make_ctx, session, stored):
    retry(outbox, make_ctx)
    retry(outbox, make_ctx, trigger="cron")
    session.rollback()

    rows = session.scalars(select(AuditLog).where(AuditLog.action == "alert_retry_batch_run")).all()
    told = [(row.resource_type, row.resource_id, row.status) for row in rows]
    assert told == [("alert_delivery", "batch", "success")]
    assert json.loads(rows[0].detail_json)["processed_count"] == 2
    assert session.scalars(select(AlertAttempt.delivery_id)).all()
