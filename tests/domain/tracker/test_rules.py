from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.tracker.rules import State, next_state, soon_hours
from console.domain.tracker.tracker import STATUSES

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


@pytest.mark.parametrize(("sla", "hours"), [(4, 2), (8, 4), (24, 12), (72, 24), (None, 24), (1, 0.5), (0, 24)])
def test_due_soon_is_never_more_than_half_of_the_sla(sla, hours):
    assert soon_hours(sla) == hours
