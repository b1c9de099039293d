"""The SLA clock of one order, drawn from instants."""

from datetime import UTC, datetime, timedelta

from console.domain.facility_sla.clock import Lived, drawn

T0 = datetime(2026, 3, 2, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def lived(**values):
    made = {"answered_at": T0 + HOUR / 3, "due_at": T0 + 2 * HOUR, "escalates_at": T0 + 3 * HOUR, "closed_at": None}
    return Lived(**{"created_at": T0, "waits": (), **made, **values})


def test_a_late_order_shows_how_far_it_is_past_its_due_date():
    found = drawn(lived(), T0 + 4 * HOUR)

    assert [(mark.key, mark.place) for mark in found.marks] == [
        ("created", 0),
        ("answered", 83),
        ("due", 500),
        ("escalates", 750),
        ("now", 1000),
    ]
    assert [(part.kind, part.start, part.end) for part in found.stretches] == [("used", 0, 500), ("late", 500, 1000)]
    assert (found.answered_after, found.waited, found.over) == (HOUR / 3, timedelta(0), False)


def test_an_order_in_time_ends_at_its_due_date_and_has_no_escalation():
    found = drawn(lived(answered_at=None), T0 + HOUR)

    assert [(mark.key, mark.place) for mark in found.marks] == [("created", 0), ("now", 500), ("due", 1000)]
    assert found.answered_after is None


def test_waiting_is_a_stretch_of_its_own_and_a_share():
    found = drawn(lived(waits=((T0 + HOUR, T0 + 2 * HOUR), (T0 + 3 * HOUR, None))), T0 + 4 * HOUR)

    assert [(part.start, part.end) for part in found.stretches if part.kind == "waiting"] == [(250, 500), (750, 1000)]
    assert (found.waited, found.waiting_share) == (2 * HOUR, 50)


def test_a_closed_order_stands_at_its_end():
    found = drawn(lived(closed_at=T0 + HOUR), T0 + 100 * HOUR)

    assert found.over
    assert found.total == HOUR
    assert drawn(lived(due_at=T0, closed_at=T0, answered_at=T0), T0).waiting_share == 0


def test_words_stand_under_their_marks_in_the_order_of_time_and_cover_no_others():
    found = drawn(lived(answered_at=T0, escalates_at=T0 + 2.1 * HOUR), T0 + 4 * HOUR)

    assert [mark.key for mark in found.marks] == ["created", "answered", "due", "escalates", "now"]
    assert [mark.lane for mark in found.marks] == [0, 1, 0, 1, 0]
    assert (found.lanes, found.end) == (2, T0 + 4 * HOUR)
    assert drawn(lived(answered_at=None), T0 + HOUR).lanes == 1
