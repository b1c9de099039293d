"""Alert rules: both windows, enough requests, one kind of bad request, and an end that is really one."""

from datetime import UTC, datetime, timedelta

import pytest

from console.domain.reliability.alert_rules import judge_rule, next_step, rules_of
from console.domain.reliability.policy import LatencyPolicy, WindowCounts

POLICY = LatencyPolicy()
FAST, SLOW = rules_of(POLICY)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_the_rules_are_a_fast_and_a_slow_one():
    assert (FAST.short_minutes, FAST.long_minutes, FAST.threshold) == (5, 60, 10.0)
    assert (SLOW.short_minutes, SLOW.long_minutes, SLOW.threshold) == (30, 360, 2.0)


@pytest.mark.parametrize(
    ("short", "long", "state"),
    [
        ((20, 0, 12), (300, 0, 160), "burning"),
        # A blip, and a fire that is over.
        ((20, 0, 12), (300, 0, 12), "quiet"),
        ((20, 0, 0), (300, 0, 160), "quiet"),
        # One failed request of eight is a burn of 12.5, and no fire.
        ((8, 1, 0), (300, 40, 0), "quiet"),
        ((8, 2, 0), (300, 40, 0), "burning"),
        # Slow ones in one window and failed ones in the other are no trend of either.
        ((20, 4, 0), (300, 0, 160), "quiet"),
        ((7, 7, 7), (300, 300, 300), "too_few"),
        ((0, 0, 0), (0, 0, 0), "too_few"),
    ],
)
def test_a_rule_burns_when_both_windows_exceed_it(short, long, state):
    assert judge_rule(FAST, WindowCounts(*short), WindowCounts(*long), POLICY).state == state


@pytest.mark.parametrize(
    ("state", "is_open", "quiet_for", "step"),
    [
        ("burning", False, None, "begin"),
        ("burning", True, None, "go_on"),
        ("burning", True, 60, "go_on"),
        ("quiet", False, None, "nothing"),
        ("quiet", True, None, "calm"),
        ("quiet", True, 14, "calm"),
        ("quiet", True, 15, "end"),
        ("too_few", True, 15, "end"),
        # A clock that was set back ends nothing early.
        ("quiet", True, -60, "calm"),
    ],
)
def test_an_alert_ends_after_a_quarter_of_an_hour_of_quiet(state, is_open, quiet_for, step):
    since = None if quiet_for is None else NOON - timedelta(minutes=quiet_for)

    assert next_step(state, is_open=is_open, quiet_since=since, now=NOON) == step
