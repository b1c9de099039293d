from datetime import UTC, datetime, timedelta

import pytest

from console.domain.alerts.alerts import explained
from console.domain.alerts.guard import (
    ChannelState,
    GuardRules,
    blocked_error,
    blocked_guard,
    rank,
    remaining_minutes,
    summary_status,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
RULES = GuardRules(True, 2, timedelta(minutes=120))


def state(failures, minutes_ago=2):
    return ChannelState("webhook-1", "t", failures, last_failure_at=NOW - timedelta(minutes=minutes_ago))


@pytest.mark.parametrize(
    ("failures", "minutes_ago", "word"),
    [
        (0, 2, "healthy"),
        (1, 2, "warning"),
        (2, 2, "quarantined"),
        (5, 119, "quarantined"),
        (5, 120, "warning"),
        (5, 500, "warning"),
    ],
)
def test_a_channel_is_left_alone_after_failures_in_a_row_until_the_cooldown_is_over(failures, minutes_ago, word):
    assert state(failures, minutes_ago).at(NOW, RULES) == word


def test_without_guard_nothing_is_held_back_and_the_real_state_is_still_told():
    off = GuardRules(False, 2, timedelta(minutes=120))

    assert state(4).held(NOW, RULES) == NOW + timedelta(minutes=118)
    assert (state(4).held(NOW, off), state(4).at(NOW, off), off.on_trial(4)) == (None, "quarantined", False)


def test_after_the_cooldown_the_next_message_is_a_trial():
    assert state(2, 121).held(NOW, RULES) is None
    assert RULES.on_trial(2)
    assert not RULES.on_trial(1)


@pytest.mark.parametrize(("seconds", "minutes"), [(-5, 0), (0, 0), (1, 1), (60, 1), (61, 2)])
def test_what_is_left_of_a_quarantine_is_rounded_up(seconds, minutes):
    assert remaining_minutes(NOW + timedelta(seconds=seconds), NOW) == minutes
    assert remaining_minutes(None, NOW) == 0


def test_the_error_of_what_is_held_back_is_published_and_can_be_read_again():
    error = blocked_error(state(3), NOW)

    assert error == "channel quarantined until 2026-03-02T09:00:00+00:00 (consecutive_failures=3)"
    assert blocked_guard(error) == {
        "state": "quarantined",
        "consecutive_failures": 3,
        "quarantined_until": "2026-03-02T09:00:00+00:00",
    }
    assert blocked_guard("webhook returned status 500") is None
    assert str(explained(error)) == "Held back: the channel failed 3 times in a row"


def test_the_worst_stands_first_and_names_the_whole():
    found = sorted([("healthy", "a"), ("warning", "b"), ("quarantined", "c"), ("warning", "a")], key=lambda p: rank(*p))

    assert found == [("quarantined", "c"), ("warning", "a"), ("warning", "b"), ("healthy", "a")]
    assert summary_status({"quarantined": 1}, enabled=True) == "critical"
    assert summary_status({"quarantined": 1}, enabled=False) == "warning"
    assert (summary_status({"warning": 1}, enabled=True), summary_status({}, enabled=True)) == ("warning", "ok")
