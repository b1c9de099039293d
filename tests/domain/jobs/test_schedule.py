"""What is due, what was missed, what is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.domain.jobs.schedule import Due, ScheduleEntry, decide, look_back_to, standing

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TOLERANCE = timedelta(minutes=5)


def at(*minutes: int) -> list[datetime]:
    return [NOON + minute * MINUTE for minute in minutes]


@pytest.mark.parametrize(
    ("instants", "now", "expected"),
    [
        ([], NOON, None),
        (at(1), NOON, None),
        (at(0), NOON, Due(NOON, 0, catch_up=False)),
        (at(-5), NOON, Due(at(-5)[0], 0, catch_up=False)),
        (at(-6), NOON, Due(at(-6)[0], 0, catch_up=True)),
        (at(-180, -120, -60, 0), NOON, Due(NOON, 3, catch_up=True)),
        (at(-60, 0, 60), NOON, Due(NOON, 1, catch_up=True)),
    ],
)
def test_only_the_newest_passed_instant_is_run_and_the_others_are_counted(instants, now, expected):
    assert decide(instants, now=now, tolerance=TOLERANCE) == expected


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        (NOON - timedelta(days=3), NOON - timedelta(days=3)),
        (NOON + 4 * MINUTE, NOON + 4 * MINUTE),
        (NOON + timedelta(hours=1), NOON),
    ],
)
def test_a_cursor_far_in_the_future_is_a_clock_that_was_set_back(cursor, expected):
    assert look_back_to(cursor, NOON) == expected


@pytest.mark.parametrize(
    ("previous", "known_since", "served", "now", "late_by"),
    [
        (None, NOON, None, NOON, None),
        (at(-6)[0], at(-60)[0], None, NOON, 6 * MINUTE),
        (at(-5)[0], at(-60)[0], None, NOON, None),
        (at(-6)[0], at(-60)[0], at(-6)[0], NOON, None),
        (at(-6)[0], at(-60)[0], at(-66)[0], NOON, 6 * MINUTE),
        (at(-6)[0], at(-5)[0], None, NOON, None),
        (at(-6)[0], None, None, NOON, None),
    ],
)
def test_a_line_is_late_when_an_instant_it_owes_was_not_served(previous, known_since, served, now, late_by):
    found = standing(
        previous_at=previous,
        next_at=at(54)[0],
        known_since=known_since,
        served_until=served,
        tolerance=TOLERANCE,
        now=now,
    )

    assert found.late_by == late_by
    assert found.late == (late_by is not None)


def test_changed_words_make_another_line():
    assert (
        ScheduleEntry("a", "5 * * * *").key
        != ScheduleEntry("a", "6 * * * *").key
        != ScheduleEntry("a", "6 * * * *", "Asia/Seoul").key
    )
