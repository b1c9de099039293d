"""Worked examples of the weekly streak."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.gate.streak import weekly_streak

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 3, 5, 3, 0, tzinfo=UTC)  # a Thursday


def _streak(*days_ago, target=4, now=NOW):
    return weekly_streak([now - timedelta(days=days) for days in days_ago], now=now, target=target, zone=SEOUL)


def test_one_success_six_days_ago_meets_a_target_of_four_by_grace():
    streak = _streak(6)

    assert (streak.current_streak_weeks, streak.target_weeks) == (1, 1)
    assert (streak.bootstrap_grace_active, streak.target_met) == (True, True)
    assert streak.anchor_week_start == date(2026, 2, 23)


def test_without_any_success_the_target_is_one_week_and_missed():
    streak = _streak()

    assert (streak.current_streak_weeks, streak.target_weeks) == (0, 1)
    assert (streak.bootstrap_grace_active, streak.target_met) == (True, False)
    assert streak.latest_success_at is None


@pytest.mark.parametrize(
    ("days_ago", "weeks", "met"),
    [
        ((0, 7, 14, 21), 4, True),  # four weeks, this one included
        ((6, 13, 20, 27), 4, True),  # not yet this week: anchored last week
        ((0, 7, 21, 28), 2, False),  # a hole ends the streak
        ((13, 20, 27), 0, False),  # nothing for more than eight days
    ],
)
def test_the_streak_ends_at_the_first_week_without_report(days_ago, weeks, met):
    streak = _streak(*days_ago)

    assert (streak.current_streak_weeks, streak.target_met) == (weeks, met)


@given(st.lists(st.integers(0, 100), max_size=30), st.integers(1, 12))
def test_the_effective_target_never_asks_for_more_than_the_configured_one(days_ago, target):
    streak = _streak(*days_ago, target=target)

    assert 1 <= streak.target_weeks <= target
    assert streak.current_streak_weeks <= streak.successful_weeks_in_window
    assert streak.target_met == (streak.current_streak_weeks >= streak.target_weeks)


def test_reports_dated_after_now_do_not_count():
    assert _streak(-3).current_streak_weeks == 0
