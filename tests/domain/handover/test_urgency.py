"""The published urgency score and the actions that follow from the counts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.handover import urgency as rules

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOON = 6 * HOUR


def judged(priority="medium", due=48, age=0, escalated=False, assigned=True):
    return rules.urgency(
        priority=priority,
        due_at=None if due is None else NOW + due * HOUR,
        created_at=NOW - age * HOUR,
        is_escalated=escalated,
        assigned=assigned,
        now=NOW,
        soon=SOON,
    )


@pytest.mark.parametrize(
    ("values", "score", "reasons"),
    [
        ({}, 2, ["medium priority"]),
        ({"priority": "low"}, 1, ["low priority"]),
        ({"priority": "odd"}, 2, ["odd priority"]),
        ({"priority": "high"}, 4, ["high priority"]),
        ({"priority": "critical"}, 6, ["critical priority"]),
        ({"due": 6}, 5, ["medium priority", "due soon"]),
        ({"due": 0}, 5, ["medium priority", "due soon"]),
        ({"due": 6.001}, 2, ["medium priority"]),
        ({"due": -0.001}, 8, ["medium priority", "overdue"]),
        ({"due": None}, 2, ["medium priority"]),
        ({"age": 24}, 3, ["medium priority", "open >24h"]),
        ({"age": 71.99}, 3, ["medium priority", "open >24h"]),
        ({"age": 72}, 4, ["medium priority", "open >72h"]),
        ({"assigned": False}, 2, ["medium priority"]),
        (
            {"priority": "critical", "due": -1, "age": 100, "escalated": True, "assigned": False},
            20,
            ["critical priority", "overdue", "escalated", "unassigned high priority", "open >72h"],
        ),
    ],
)
def test_the_published_points_give_the_score(values, score, reasons):
    found = judged(**values)

    assert (found.score, list(found.reasons)) == (score, reasons)


@given(
    st.sampled_from(["low", "medium", "high", "critical"]),
    st.floats(-200, 200),
    st.floats(0, 200),
    st.booleans(),
    st.booleans(),
)
def test_more_trouble_never_lowers_the_score(priority, due, age, escalated, assigned):
    now = judged(priority, due, age, escalated, assigned).score

    assert judged("critical", due, age, escalated, assigned).score >= now
    assert judged(priority, min(due, -1), age, escalated, assigned).score >= now
    assert judged(priority, due, 100, True, False).score >= now
    assert 1 <= now <= 20


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 0), (59, 0), (60, 1), (119, 1), (-1, -1), (-60, -1), (-61, -2)])
def test_minutes_are_rounded_down(seconds, minutes):
    assert rules.minutes_left(NOW + timedelta(seconds=seconds), NOW) == minutes
    assert rules.minutes_left(None, NOW) is None


def test_actions_stand_in_their_order_with_their_numbers():
    names = (
        "overdue_open_work_orders",
        "unassigned_high_priority_open_work_orders",
        "high_risk_inspections_in_window",
        "due_soon_work_orders",
        "failed_alert_deliveries_24h",
    )
    counts = dict(zip(names, range(11, 16), strict=True))

    assert [text.params["count"] for text in rules.recommended(counts)] == [11, 12, 13, 14, 15]
    assert all(str(count) in str(text) for count, text in zip(counts.values(), rules.recommended(counts), strict=True))
    (calm,) = rules.recommended(dict.fromkeys(names, 0))
    assert str(calm) == rules.NOTHING_URGENT
    assert len(rules.recommended({**counts, names[2]: 0})) == 4
