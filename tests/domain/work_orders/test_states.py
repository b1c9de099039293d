"""The life of a work order, word by word as it is published."""

from datetime import UTC, datetime, timedelta

import pytest

from console.domain.work_orders import states
from console.domain.work_orders.states import InvalidTransition, Life
from console.domain.work_orders.words import PRIORITIES, STATUSES, rank

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ALLOWED = {
    ("open", "ack"),
    ("open", "complete"),
    ("acked", "complete"),
    ("open", "cancel"),
    ("acked", "cancel"),
    ("completed", "reopen"),
    ("canceled", "reopen"),
}


def life(**values):
    made = {"status": "acked", "assignee": "kim", "resolution_notes": "", "cancel_reason": "", "due_at": NOW}
    return Life(**(made | values))


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("action", sorted(states.TARGETS))
def test_only_the_published_steps_are_allowed(status, action):
    assert states.allowed(status, action) == ((status, action) in ALLOWED)


def test_the_refusal_is_worded_as_published():
    assert str(InvalidTransition("canceled", "completed").detail) == "Invalid status transition: canceled -> completed"


def test_an_assignee_that_is_sent_replaces_the_old_one_and_null_keeps_it():
    assert states.acknowledged(life(), NOW, None).detail == {"assignee": "kim"}
    assert states.acknowledged(life(), NOW, "lee").detail == {"assignee": "lee"}
    assert states.acknowledged(life(), NOW, "").detail == {"assignee": None}


def test_completing_with_empty_notes_keeps_what_is_written():
    assert states.completed(life(resolution_notes="seal changed"), NOW, "").values["resolution_notes"] == "seal changed"
    assert states.completed(life(resolution_notes="old"), NOW, "new").values["resolution_notes"] == "new"


def test_a_cancel_reason_never_takes_the_place_of_a_solution():
    step = states.canceled(life(resolution_notes="seal changed"), NOW, "double")

    assert "resolution_notes" not in step.values
    assert step.values["cancel_reason"] == "double"


def test_a_reopened_order_gets_a_new_date_and_its_old_solution_moves_into_the_event():
    due = NOW + timedelta(hours=24)
    step = states.reopened(life(status="completed", resolution_notes="seal changed"), "leaks again", due)

    assert step.values["resolution_notes"] == ""
    assert step.values["due_at"] == due
    assert step.detail["resolution_notes"] == "seal changed"
    assert step.detail["due_at"] == {"old": NOW.isoformat(), "new": due.isoformat()}


def test_the_published_notes_of_a_canceled_order_are_its_reason():
    assert states.shown_notes("canceled", "seal changed", "double") == "double"
    assert states.shown_notes("canceled", "seal changed", "") == "seal changed"
    assert states.shown_notes("completed", "seal changed", "") == "seal changed"


def test_ranks_order_by_weight():
    assert [rank(word) for word in PRIORITIES] == [1, 2, 3, 4]
