"""Stretches of time: where a sample belongs, percentiles of a histogram, and the points of a trend."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.reliability.buckets import (
    FINE,
    HOUR,
    PARTS,
    STEPS,
    Bucket,
    added,
    floor,
    part_of,
    share_below,
    trend,
)
from console.domain.reliability.latency import percentile

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DURATIONS = st.lists(st.floats(0, 60_000), min_size=1, max_size=200)


def _parts(durations):
    parts = [0] * PARTS
    for duration in durations:
        parts[part_of(duration)] += 1
    return tuple(parts)


@pytest.mark.parametrize(
    ("duration", "part"), [(0, 0), (5, 0), (5.001, 1), (450, 10), (450.1, 11), (10_000, 17), (10_001, 18)]
)
def test_a_duration_belongs_to_the_first_step_it_does_not_exceed(duration, part):
    assert part_of(duration) == part


@pytest.mark.parametrize(
    ("minutes", "expected"), [(FINE, NOON + timedelta(minutes=55)), (HOUR, NOON), (480, NOON - timedelta(hours=4))]
)
def test_stretches_are_counted_in_utc_from_1970(minutes, expected):
    assert floor(NOON + timedelta(minutes=59, seconds=59), minutes) == expected


@given(DURATIONS)
def test_the_percentile_of_a_histogram_lies_in_the_step_of_the_rank_it_stands_for(durations):
    ordered = sorted(durations)
    found = share_below(_parts(durations), 95, ordered[-1])
    rank = -(-95 * len(ordered) // 100)
    exact = ordered[min(rank, len(ordered)) - 1]
    low = STEPS[part_of(exact) - 1] if part_of(exact) else 0.0

    assert low - 0.01 <= found <= ordered[-1] + 0.01
    assert found <= (STEPS[part_of(exact)] if part_of(exact) < len(STEPS) else ordered[-1]) + 0.01


def test_within_one_step_it_is_near_the_exact_one():
    durations = [float(number) for number in range(451, 601)]

    found = share_below(_parts(durations), 95, 600.0)

    assert found == pytest.approx(percentile(durations, 95), rel=0.01)


def test_nothing_has_no_percentile():
    assert share_below((0,) * PARTS, 95, 0.0) is None
    assert added([], NOON) == Bucket(NOON)


def test_a_trend_has_a_point_where_nothing_happened_and_no_percentile_of_a_few():
    few = Bucket(NOON, 3, 0, 1, 500.0, _parts([5.0, 5.0, 500.0]))
    many = Bucket(NOON + timedelta(minutes=20), 10, 1, 0, 5.0, _parts([5.0] * 10))

    points = trend([few, many], NOON, NOON + timedelta(minutes=40), 15, 8)

    assert [(point.count, point.p95_ms is None, point.slow) for point in points] == [
        (3, True, 1), (10, False, 0), (0, True, 0),
    ]  # fmt: skip
