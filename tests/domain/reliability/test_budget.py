"""The error budget of 30 days: worked numbers, the pace of the last hour, and sentences."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.reliability.budget import budget
from console.domain.reliability.policy import LatencyPolicy, WindowCounts

POLICY = LatencyPolicy()
QUIET = WindowCounts(0, 0, 0)


def test_a_budget_that_was_spent_is_used_up_and_never_below_nothing():
    found = budget(WindowCounts(88_600, 0, 4512), WindowCounts(312, 0, 162), 60, POLICY)

    assert (found.allowed, found.used, found.left_percent, found.lasts, found.state) == (
        4430,
        4512,
        0.0,
        None,
        "used_up",
    )
    assert str(found.sentence) == "The budget of 30 days is used up."


def test_the_pace_of_the_last_hour_says_how_long_the_rest_lasts():
    # 5 % of 20,000 are 1,000, 400 are used. The hour takes 165 and earns 15: 600 last for 4 hours.
    found = budget(WindowCounts(20_000, 0, 400), WindowCounts(300, 0, 165), 60, POLICY)

    assert (found.left_percent, found.lasts) == (60.0, timedelta(hours=4))
    assert str(found.sentence) == "At this pace the budget is used up in 4 h."


def test_a_pace_that_earns_more_than_it_takes_lasts():
    found = budget(WindowCounts(20_000, 0, 400), WindowCounts(300, 0, 15), 60, POLICY)

    assert (found.lasts, str(found.sentence)) == (None, "At this pace the budget lasts.")


def test_the_budget_that_is_nearer_its_end_counts():
    found = budget(WindowCounts(1000, 9, 10), QUIET, 60, POLICY)

    assert (found.kind, found.left_percent, found.state) == ("error", 10.0, "late")


def test_too_few_samples_are_no_budget():
    found = budget(WindowCounts(7, 7, 7), QUIET, 60, POLICY)

    assert (found.left_percent, found.state) == (None, "too_few")
    assert "Too few samples" in str(found.sentence)


def test_a_pace_of_too_few_requests_tells_nothing():
    assert budget(WindowCounts(1000, 0, 10), WindowCounts(7, 0, 7), 60, POLICY).lasts is None


@pytest.mark.parametrize(
    ("used", "state"), [(0, "ok"), (12, "ok"), (13, "soon"), (37, "soon"), (38, "late"), (50, "used_up")]
)
def test_what_is_left_has_a_word(used, state):
    assert budget(WindowCounts(1000, 0, used), QUIET, 60, POLICY).state == state


COUNTS = st.integers(0, 10**7)


@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_whatever_was_counted_it_stays_within_its_bounds(count, errors, slow, near, near_errors, near_slow):
    month = WindowCounts(count, min(errors, count), min(slow, count))
    recent = WindowCounts(near, min(near_errors, near), min(near_slow, near))

    found = budget(month, recent, 60, POLICY)

    assert found.left_percent is None or 0 <= found.left_percent <= 100
    assert found.lasts is None or timedelta(0) <= found.lasts <= timedelta(days=30)
    assert str(found.sentence)
