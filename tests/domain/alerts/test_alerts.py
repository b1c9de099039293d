from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.alerts.alerts import (
    LONGEST_PAUSE,
    Sent,
    answered,
    channel,
    explained,
    judge,
    masked,
    pause,
    signature,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "ok", "retryable"),
    [(200, True, False), (204, True, False), (301, False, False), (400, False, False), (404, False, False),
     (408, False, True), (410, False, False), (429, False, True), (500, False, True), (503, False, True)],
)  # fmt: skip
def test_only_answers_that_may_change_are_worth_another_attempt(status, ok, retryable):
    sent = answered(status)

    assert (sent.ok, sent.retryable) == (ok, retryable)
    assert ok or f"webhook returned status {status}" in (sent.error or "")


@given(st.integers(1, 1000), st.floats(0, 1))
def test_pauses_grow_up_to_a_limit_and_never_vanish(attempt, chance):
    assert timedelta(seconds=24) <= pause(attempt, chance) <= LONGEST_PAUSE * 1.2
    assert pause(attempt, 0.5) <= pause(attempt + 1, 0.5)


def test_a_receiver_may_ask_for_patience_but_not_for_ever():
    def due(seconds):
        sent = answered(429, timedelta(seconds=seconds))
        return judge(sent, attempt=1, most=10, now=NOW, chance=lambda: 0.5).next_attempt_at

    assert due(600) == NOW + timedelta(seconds=600)
    assert due(1) == NOW + timedelta(seconds=30)
    assert due(10**8) == NOW + timedelta(hours=24)


@pytest.mark.parametrize(
    ("sent", "attempt", "status"),
    [
        (Sent(200), 1, "success"),
        (answered(500), 1, "failed"),
        (answered(500), 10, "dead"),
        (answered(410), 1, "dead"),
        (Sent(error="webhook url error: timed out", retryable=True), 3, "failed"),
    ],
)
def test_a_delivery_ends_delivered_or_given_up(sent, attempt, status):
    verdict = judge(sent, attempt=attempt, most=10, now=NOW, chance=lambda: 0.5)

    assert verdict.status == status
    assert (verdict.next_attempt_at is not None) == (status == "failed")


def test_signatures_follow_standard_webhooks():
    # Example of the specification's reference implementation.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'

    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://hooks.example.com/services/T0/B0/secret?key=1", "https://hooks.example.com/…"),
        ("http://user:password@10.0.0.1:8080/x", "http://10.0.0.1:8080/…"),
        ("manager@example.com", "m…@example.com"),
    ],
)
def test_what_makes_an_address_a_secret_is_never_shown(address, shown):
    assert masked(address) == shown
    assert "secret" not in channel("webhook", address).label


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("webhook returned status 503", "It answered 503"),
        ("webhook returned status 302 (redirects are not followed)", "It redirected (302), which is not followed"),
        ("webhook url error: timed out", "It did not answer in time"),
        ("webhook url error: the answer broke off", "Its answer broke off in the middle"),
        ("certificate refused: certificate has expired", "Its certificate was refused (certificate has expired)"),
        ("webhook url error: gaierror", "There is no such address"),
        ("webhook url error: OSError", "It could not be reached (OSError)"),
        ("webhook url error: the address is inside a private network", "Its address is inside a private network"),
        ("the channel is no longer configured", "The channel is no longer configured"),
        ("mail server returned 450", "The mail server answered 450"),
        ("written by an older release", "written by an older release"),
    ],
)
def test_stored_errors_are_sentences_for_people(error, told):
    assert str(explained(error)) == told


@pytest.mark.parametrize("address", ["http://x:abc/y", "https://[::1"])
def test_a_mistyped_address_breaks_nothing_that_shows_it(address):
    assert channel("webhook", address).label == "…"
