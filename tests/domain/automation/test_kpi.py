from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.automation.kpi import (
    BacklogPoint,
    KpiItem,
    KpiMetrics,
    completion_rate,
    hours,
    measure,
    recommendations,
    status_of,
    stride,
    throughput,
    trend,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def ago(**length):
    return NOW - timedelta(**length)


def points(*values):
    """Return points from (hours ago, open items), oldest first."""
    return [
        BacklogPoint(ago(hours=hour), number, "kpi", "success", index) for index, (hour, number) in enumerate(values)
    ]


def test_figures_of_a_small_tracker():
    items = [
        KpiItem(ago(hours=10), ago(hours=1), critical=True),
        KpiItem(ago(hours=20), NOW, "in_progress", assigned=True),
        KpiItem(ago(hours=30), NOW + timedelta(hours=24), "blocked"),
        KpiItem(ago(hours=99), NOW + timedelta(hours=25), "pending", assigned=True),
        KpiItem(ago(hours=50), ago(hours=9), "done", assigned=True),
        KpiItem(ago(hours=50), ago(hours=9), "done", is_active=False),
    ]

    made = measure(items, [ago(days=14), ago(days=14, seconds=1), ago(days=1)], NOW, window_days=14, due_soon_hours=24)

    assert made == KpiMetrics(
        total_items=6,
        active_items=5,
        open_items=4,
        pending_count=2,
        in_progress_count=1,
        done_count=1,
        blocked_count=1,
        completion_rate_percent=20,
        critical_open_count=1,
        unassigned_open_count=2,
        overdue_count=1,
        due_soon_count=2,
        done_last_window_count=2,
        throughput_per_day=0.14,
        avg_open_age_hours=39.8,
        median_open_age_hours=25.0,
        oldest_open_age_hours=99.0,
    )


def test_an_empty_tracker():
    assert measure([], [], NOW, window_days=14, due_soon_hours=24) == KpiMetrics()


def test_no_hours_mean_nothing_is_due_soon():
    assert measure([KpiItem(NOW, NOW)], [], NOW, window_days=1, due_soon_hours=0).due_soon_count == 0


@pytest.mark.parametrize(("seconds", "expected"), [(0, 0.0), (3600, 1.0), (5400, 1.5), (179, 0.0), (181, 0.1), (-9, 0)])
def test_ages_are_hours_with_one_decimal_and_never_negative(seconds, expected):
    assert hours(seconds) == expected


@pytest.mark.parametrize(("done", "active", "expected"), [(0, 0, 100), (1, 8, 12), (3, 8, 38), (8, 8, 100), (0, 3, 0)])
def test_the_completion_rate_rounds_half_to_even(done, active, expected):
    assert completion_rate(done, active) == expected


@pytest.mark.parametrize(("done", "days", "expected"), [(0, 14, 0.0), (1, 14, 0.07), (5, 7, 0.71), (28, 14, 2.0)])
def test_throughput_has_two_decimals(done, days, expected):
    assert throughput(done, days) == expected


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ([], "flat"),
        ([(1, 5)], "flat"),
        ([(2, 5), (1, 3)], "down"),
        ([(2, 3), (1, 5)], "up"),
        ([(2, 5), (1, 5)], "flat"),
        # Two weeks ago 10, now 4: the peak in between and the last odd point do not matter.
        ([(336, 10), (335, 10), (330, 11), (200, 90), (5, 4), (3, 4), (0, 12)], "down"),
        ([(336, 4), (335, 4), (5, 9), (4, 9), (0, 1)], "up"),
    ],
)
def test_the_trend_compares_the_medians_of_the_first_and_the_last_day(series, expected):
    assert trend(points(*series)) == expected


@given(st.lists(st.integers(0, 50), min_size=1, max_size=300))
def test_a_backlog_that_never_changes_has_no_trend(steps):
    made = [
        BacklogPoint(NOW + timedelta(hours=sum(steps[:end])), 7, "kpi", "success", end) for end in range(len(steps))
    ]

    assert trend(made) == "flat"


@given(st.integers(0, 100_000))
def test_thinning_keeps_at_most_400_points_and_the_newest(count):
    step = stride(count)
    kept = [number for number in range(1, count + 1) if (count - number) % step == 0]

    assert len(kept) <= 400
    assert count == 0 or kept[-1] == count
    assert count <= 400 or len(kept) > 200


@pytest.mark.parametrize(
    ("metrics", "status", "reasons"),
    [
        (KpiMetrics(), "success", ()),
        (KpiMetrics(blocked_count=1), "warning", ("blocked",)),
        (KpiMetrics(unassigned_open_count=1, blocked_count=1), "warning", ("unassigned_open", "blocked")),
        (KpiMetrics(overdue_count=1), "critical", ("overdue",)),
        (KpiMetrics(critical_open_count=1, unassigned_open_count=2), "critical", ("critical_open", "unassigned_open")),
    ],
)
def test_the_status_names_its_reasons(metrics, status, reasons):
    assert status_of(metrics) == (status, reasons)


def test_recommendations_come_in_the_published_order():
    bad = KpiMetrics(open_items=9, unassigned_open_count=1, overdue_count=2, blocked_count=3)

    assert [str(text) for text in recommendations(bad)] == [
        "1 open without assignee: run the assignment.",
        "2 overdue: run the escalation.",
        "3 blocked: find who decides and remove the cause.",
        "Nothing was finished in the window while items are open: distribute the work anew.",
    ]
    assert [str(text) for text in recommendations(KpiMetrics())] == ["Stable: keep going."]
