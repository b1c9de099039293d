"""Worked numbers of percentiles, latency verdicts and burn rates."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.reliability.burn import burn_verdict, burn_window
from console.domain.reliability.latency import Samples, judge, percentile, summarize
from console.domain.reliability.policy import LatencyPolicy, Target, WindowCounts, parse_targets, template_shape

NOW = datetime(2026, 3, 2, tzinfo=UTC)
POLICY = LatencyPolicy()
HEALTH = Target("GET", "/health")


def _judge(durations, *, errors=0, seen_minutes_ago=1, policy=POLICY, **windows):
    seen = None if seen_minutes_ago is None else NOW - timedelta(minutes=seen_minutes_ago)
    return judge(HEALTH, Samples("database", durations, errors, seen, **windows), policy, NOW)


@pytest.mark.parametrize(
    ("durations", "share", "expected"),
    [
        ([], 95, None),
        ([7.0], 95, 7.0),
        ([1, 2, 3, 4], 50, 2.5),
        (list(range(1, 101)), 95, 95.05),
        (list(range(1, 101)), 99, 99.01),
        ([10, 20], 95, 19.5),
    ],
)
def test_percentiles_interpolate_between_closest_ranks(durations, share, expected):
    assert percentile(durations, share) == expected


@given(st.lists(st.floats(0, 60_000), min_size=1, max_size=60))
def test_percentiles_lie_within_the_samples_and_are_ordered(durations):
    p95, p99 = percentile(durations, 95), percentile(durations, 99)

    assert round(min(durations), 2) - 0.01 <= p95 <= p99 <= round(max(durations), 2) + 0.01


@pytest.mark.parametrize(
    ("durations", "more", "status"),
    [
        ([1000.0] * 20, {"seen_minutes_ago": 240}, "ok"),  # stale wins
        ([], {"seen_minutes_ago": None}, "ok"),
        ([10.0] * 2, {}, "ok"),  # idle, collecting
        ([10.0] * 2, {"errors": 1}, "warning"),
        ([500.0] * 2, {}, "warning"),
        ([449.99] * 8, {}, "ok"),
        ([450.0] * 8, {}, "warning"),
        ([899.99] * 8, {}, "warning"),
        ([900.0] * 8, {}, "critical"),
        ([900.0] * 8, {"policy": replace(POLICY, enabled=False)}, "ok"),
    ],
)
def test_the_latency_status_follows_the_first_match(durations, more, status):
    assert _judge(durations, **more).status == status


def test_a_target_last_seen_four_hours_ago_is_stale_and_says_idle():
    verdict = _judge([900.0] * 20, seen_minutes_ago=240)

    assert (verdict.status, verdict.is_stale, verdict.burn_idle) == ("ok", True, True)
    assert "idle" in str(verdict.message).lower()


def test_two_fast_samples_of_half_an_hour_ago_are_idle_for_the_burn_rate():
    verdict = _judge([5.0, 6.0], seen_minutes_ago=30, long=WindowCounts(2))

    assert (verdict.burn_idle, verdict.burn_status) == (True, "ok")


@pytest.mark.parametrize(
    ("counts", "error_burn", "latency_burn", "burn", "ready"),
    [
        (WindowCounts(), 0.0, 0.0, 0.0, False),
        (WindowCounts(8, 1, 0), 12.5, 0.0, 12.5, True),
        (WindowCounts(100, 2, 10), 2.0, 2.0, 2.0, True),
        (WindowCounts(7, 0, 7), 0.0, 20.0, 20.0, False),
        (WindowCounts(300, 1, 0), 0.3333, 0.0, 0.3333, True),
    ],
)
def test_the_burn_rate_is_the_rate_over_the_budget(counts, error_burn, latency_burn, burn, ready):
    window = burn_window(counts, 5, POLICY)

    assert (window.error_burn_rate, window.latency_burn_rate, window.burn_rate, window.ready) == (
        error_burn,
        latency_burn,
        burn,
        ready,
    )


@pytest.mark.parametrize(
    ("short", "long", "status"),
    [
        (WindowCounts(8, 1), WindowCounts(8, 1), "ok"),  # one failed request is no trend
        (WindowCounts(8, 2), WindowCounts(8, 2), "critical"),
        (WindowCounts(20, 2), WindowCounts(400, 2), "ok"),  # short 10, long 0.5: a blip
        (WindowCounts(20, 0), WindowCounts(40, 20), "ok"),  # it is over already
        (WindowCounts(50, 2), WindowCounts(100, 3), "warning"),  # 4 and 3
        (WindowCounts(4, 0), WindowCounts(40, 0), "warning"),  # warming up
        (WindowCounts(2, 2), WindowCounts(7, 2), "warning"),
    ],
)
def test_both_windows_have_to_exceed(short, long, status):
    assert burn_verdict(short, long, POLICY, stale=False).status == status


def test_a_stale_endpoint_burns_nothing():
    assert burn_verdict(WindowCounts(9, 9), WindowCounts(9, 9), POLICY, stale=True).status == "ok"


@pytest.mark.parametrize(("slo", "budget"), [(99.0, 1.0), (100.0, 0.01), (250.0, 0.01), (0.0, 99.9), (99.995, 0.01)])
def test_the_error_budget_is_clamped(slo, budget):
    assert replace(POLICY, error_slo_percent=slo).error_budget_percent == budget


def test_the_summary_takes_the_worst_latency_and_keeps_burn_apart():
    burning = _judge([5.0] * 9, short=WindowCounts(9, 9), long=WindowCounts(9, 9))
    slow = _judge([500.0] * 9, short=WindowCounts(1), long=WindowCounts(9))
    few = _judge([5.0] * 2)

    snapshot = summarize([burning, slow, few], POLICY, NOW)

    assert (snapshot.status, snapshot.critical_count, snapshot.warning_count) == ("warning", 0, 1)
    assert (snapshot.burn_rate.status, snapshot.burn_rate.critical_count) == ("critical", 1)
    assert (snapshot.burn_rate.warning_count, snapshot.burn_rate.warming_up_count) == (1, 1)
    assert (snapshot.target_count, snapshot.insufficient_samples_count) == (3, 1)


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (["GET /health", "post:/api/x", "meta"], ["GET /health", "POST /api/x", "GET /meta"]),
        (["GET /a", "/a", "a"], ["GET /a"]),
        (["", "   ", "TELEPORT /x"], ["GET /health", "GET /meta"]),
        (["GET /api/work-orders/{id}"], ["GET /api/work-orders/{id}"]),
    ],
)
def test_targets_are_read_in_every_published_form(words, keys):
    assert [target.key for target in parse_targets(words)] == keys


def test_route_templates_match_whatever_the_parameter_is_called():
    assert template_shape("/api/work-orders/<int:work_order_id>/x") == template_shape("/api/work-orders/{id}/x")
