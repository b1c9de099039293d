"""Alert deliveries over the API (contract, alerts)."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from console.core.context import SYSTEM, Context, start_writing
from console.models.alerts import AlertAttempt, AlertDelivery
from console.services.alerts import outbox as alerts
from tests.factories.facility import add_delivery

KEYS = ["id", "event_type", "target", "status", "error", "payload", "attempt_count"]
KEYS += ["last_attempt_at", "created_at", "updated_at"]
NOW = datetime(2026, 3, 2, tzinfo=UTC)
COUNTS = ["processed_count", "success_count", "warning_count", "failed_count"]


@pytest.fixture
def delivery(session, clock, config):
    configured = config.replaced(ALERT_WEBHOOK_URLS="https://hooks.example.com/T0/secret; https://other.example.com/x")
    ctx = Context(session, clock, SYSTEM, configured)
    start_writing(session)
    raised = alerts.raise_alert(ctx, "sla_escalation", {"event": "sla_escalation", "note": "변전실"})
    ctx.commit()
    return raised.delivery_ids[0]


def test_deliveries_have_the_published_keys_and_no_secret(api, delivery):
    response = api("owner").get("/api/ops/alerts/deliveries?event_type=sla_escalation")

    assert response.status_code == 200
    assert response.headers["X-Total-Count"] == "2"
    assert list(response.json[0])[: len(KEYS)] == KEYS
    assert response.json[0]["payload"]["note"] == "변전실"
    assert "secret" not in response.text


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("status=queued", 2),
        ("status=anything", 0),
        ("event_type=other", 0),
        ("status=&event_type=", 2),
        ("limit=1", 1),
        ("offset=2", 0),
    ],
)
def test_deliveries_are_narrowed_by_any_word(api, delivery, query, number):
    response = api("owner").get(f"/api/ops/alerts/deliveries?{query}")

    assert (response.status_code, len(response.json)) == (200, number)


@pytest.mark.parametrize(
    ("role", "reads", "writes"), [("manager", 200, 200), ("auditor", 200, 403), ("operator", 403, 403)]
)
def test_who_reads_and_who_retries(api, delivery, role, reads, writes):
    caller = api(role)

    assert caller.get("/api/ops/alerts/deliveries").status_code == reads
    assert caller.post(f"/api/ops/alerts/deliveries/{delivery}/retry").status_code == writes


def test_a_batch_retry_answers_with_the_published_keys(api, delivery):
    response = api("owner").post("/api/ops/alerts/retries/run", json={"only_status": [], "limit": 5})

    assert response.status_code == 200
    assert list(response.json)[:8] == ["checked_at", "event_type", "limit", *COUNTS, "delivery_ids"]
    assert (response.json["limit"], response.json["processed_count"]) == (5, 0)


@pytest.mark.parametrize(
    "body", [{"limit": 0}, {"limit": 5001}, {"min_last_attempt_age_sec": -1}, {"only_status": "failed"}]
)
def test_values_outside_the_bounds_are_refused(api, body):
    assert api("owner").post("/api/ops/alerts/retries/run", json=body).status_code == 422


def test_an_unknown_delivery_is_404(api):
    assert api("owner").post("/api/ops/alerts/deliveries/99999/retry").json["detail"] == "Alert delivery not found"


def test_people_read_what_went_wrong_in_their_language_and_clients_as_published(api, browser_client, session, delivery):
    session.execute(update(AlertDelivery).values(status="failed", error="webhook returned status 503"))
    session.add(
        AlertAttempt(
            delivery_id=delivery, number=1, started_at=NOW, duration_ms=5, error="webhook url error: timed out"
        )
    )
    session.commit()
    person = browser_client("owner")

    page, listed = person.get(f"/alerts/{delivery}"), person.get("/alerts")

    assert "받는 쪽 응답: 503" in page.text
    assert "제때 응답하지 않았습니다" in page.text
    assert "받는 쪽 응답: 503" in listed.text
    assert api("owner").get("/api/ops/alerts/deliveries").json[0]["error"] == "webhook returned status 503"


def test_the_page_says_how_many_really_wait(browser_client, session, clock):
    now = clock.now()
    add_delivery(session, now, "", status="failed", probe=True)
    add_delivery(session, now, "", status="warning", next_attempt_at=now)
    add_delivery(session, now, "", status="failed", next_attempt_at=now)
    session.commit()
    reader = browser_client("owner")

    assert "대기 2건" in reader.get("/alerts").text
    assert 'data-total="2"' in reader.get("/alerts?waiting=1").text
