from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.tracker import STATUSES
from console.domain.tracker_rules import State, countdown, next_state, soon_window

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
DONE = State("done", True, BEFORE)
PENDING = State("pending", False, None)
BLOCKED = State("blocked", False, None)


@pytest.mark.parametrize(
    ("stored", "status", "checked", "expected", "adjusted"),
    [
        (PENDING, None, None, PENDING, False),
        (DONE, None, None, DONE, False),
        (PENDING, "done", None, State("done", True, NOW), False),
        (PENDING, "done", True, State("done", True, NOW), False),
        (DONE, "done", None, DONE, False),
        (PENDING, "done", False, State("in_progress", False, None), True),
        (DONE, "done", False, State("in_progress", False, None), True),
        (PENDING, "blocked", None, BLOCKED, False),
        (DONE, "blocked", False, BLOCKED, False),
        (DONE, "pending", None, PENDING, False),
        (PENDING, "blocked", True, State("done", True, NOW), True),
        (DONE, "blocked", True, DONE, True),
        (PENDING, None, True, State("done", True, NOW), False),
        (DONE, None, True, DONE, False),
        (DONE, None, False, State("in_progress", False, None), False),
        (BLOCKED, None, False, BLOCKED, False),
        (PENDING, None, False, PENDING, False),
    ],
)
def test_the_pair_of_status_and_check_follows_the_contract(stored, status, checked, expected, adjusted):
    result = next_state(stored, status, checked, NOW)

    assert (result.state, result.adjusted) == (expected, adjusted)


stored_states = st.sampled_from([PENDING, BLOCKED, DONE, State("in_progress", False, None)])
sent_status = st.sampled_from([None, *STATUSES])
sent_check = st.sampled_from([None, True, False])


@given(stored_states, sent_status, sent_check)
def test_done_checked_and_completed_always_go_together(stored, status, checked):
    state = next_state(stored, status, checked, NOW).state

    assert (state.status == "done") == state.completion_checked == (state.completed_at is not None)


@given(stored_states, sent_status, sent_check)
def test_the_same_change_twice_changes_nothing_more(stored, status, checked):
    once = next_state(stored, status, checked, NOW).state
    twice = next_state(once, status, checked, NOW + timedelta(hours=1)).state

    assert twice == once


@given(sent_status, sent_check)
def test_work_that_stays_done_keeps_its_time(status, checked):
    state = next_state(DONE, status, checked, NOW).state

    assert state.completed_at in (BEFORE, None)


@pytest.mark.parametrize(
    ("delta", "state", "words"),
    [
        (timedelta(hours=2, minutes=14), "soon", "2 h 14 min left"),
        (timedelta(hours=6), "soon", "6 h left"),
        (timedelta(hours=19, minutes=20), "later", "19 h left"),
        (timedelta(days=3), "later", "3 days left"),
        (timedelta(seconds=30), "soon", "Due now"),
        (timedelta(minutes=45), "soon", "45 min left"),
        (timedelta(0), "soon", "Due now"),
        (-timedelta(seconds=30), "late", "Just passed"),
        (-timedelta(minutes=5), "late", "5 min late"),
        (-timedelta(hours=1, minutes=12), "late", "1 h 12 min late"),
        (-timedelta(hours=5), "late", "5 h late"),
        (-timedelta(days=3, hours=2), "late", "3 days late"),
    ],
)
def test_a_deadline_in_words(delta, state, words):
    told = countdown(NOW + delta, NOW, sla_hours=24)

    assert (told.state, str(told.text)) == (state, words)


def test_a_done_item_and_one_without_deadline_have_no_countdown():
    assert (countdown(None, NOW).state, countdown(None, NOW, done=True).state) == ("none", "done")
    assert countdown(NOW - timedelta(days=1), NOW, done=True).state == "done"


@pytest.mark.parametrize(("sla", "hours"), [(4, 2), (8, 4), (24, 12), (72, 24), (None, 24), (1, 0.5)])
def test_due_soon_is_never_more_than_half_of_the_sla(sla, hours):
    assert soon_window(sla) == timedelta(hours=hours)


@given(st.integers(-10_000_000, 10_000_000))
def test_the_words_never_claim_more_time_than_there_is(seconds):
    told = countdown(NOW + timedelta(seconds=seconds), NOW)
    params = told.text.params
    claimed = params.get("days", 0) * 86_400 + params.get("hours", 0) * 3_600 + params.get("minutes", 0) * 60

    assert claimed <= abs(seconds) < claimed + 86_400
    assert (told.state == "late") == (seconds < 0)
