"""Routes as people judge them: worst first, few is its own word, and a deploy that made it slower."""

from datetime import UTC, datetime, timedelta

import pytest

from console.domain.reliability.alert_rules import judge_rule, rules_of
from console.domain.reliability.buckets import PARTS, Bucket, part_of
from console.domain.reliability.budget import budget
from console.domain.reliability.latency import Samples, judge
from console.domain.reliability.policy import LatencyPolicy, Target, WindowCounts
from console.domain.reliability.routes import Route, slower_since, worst_first

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = LatencyPolicy()


def _route(path, ms=5.0, *, short=(20, 0, 0), long=(300, 0, 0), month=(1000, 0, 0)):
    counts = WindowCounts(*short), WindowCounts(*long)
    seen = judge(Target("GET", path), Samples("database", [ms] * 20, 0, NOON, *counts), POLICY, NOON)
    rules = tuple(judge_rule(rule, *counts, POLICY) for rule in rules_of(POLICY))
    return Route(seen, rules, budget(WindowCounts(*month), counts[1], 60, POLICY))


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "ok"),
        ({"ms": 500.0}, "warning"),
        ({"ms": 900.0}, "critical"),
        ({"short": (20, 0, 12), "long": (300, 0, 160)}, "critical"),
        ({"short": (20, 0, 3), "long": (300, 0, 40)}, "warning"),
        # What was slow yesterday says nothing of an hour without requests.
        ({"ms": 900.0, "short": (0, 0, 0), "long": (3, 0, 0)}, "too_few"),
    ],
)
def test_the_state_of_a_route_is_the_worse_of_time_and_burn(values, state):
    assert _route("/a", **values).state == state


def test_the_least_budget_comes_first_and_no_budget_last():
    routes = [
        _route("/few", month=(3, 0, 0)),
        _route("/good"),
        _route("/bad", month=(1000, 0, 40)),
        _route("/gone", month=(1000, 0, 60)),
    ]

    assert [route.latency.path for route in worst_first(routes)] == ["/gone", "/bad", "/good", "/few"]


def _bucket(hours, ms, count=20):
    parts = [0] * PARTS
    parts[part_of(ms)] = count
    return Bucket(NOON + timedelta(hours=hours), count, 0, 0, ms, tuple(parts))


def test_a_deploy_made_it_slower_when_the_percentile_rose_by_a_quarter():
    calm, slow = [_bucket(-2, 50.0), _bucket(-1, 50.0)], [_bucket(0, 600.0), _bucket(1, 600.0)]

    assert slower_since([*calm, *slow], [NOON], 8) == (0, None)
    assert slower_since([*calm, _bucket(0, 51.0)], [NOON], 8) == (None, None)
    assert slower_since(slow, [NOON], 8) == (None, None)
    assert slower_since([_bucket(-1, 50.0, 3), *slow], [NOON], 8) == (None, None)
    assert slower_since(calm, [], 8) == (None, None)


def test_a_later_deploy_mended_it_when_the_percentile_fell_back():
    deploys = [NOON - timedelta(hours=1), NOON, NOON + timedelta(hours=2), NOON + timedelta(hours=3)]
    lived = [_bucket(-2, 50.0), _bucket(-1, 50.0), _bucket(0, 600.0), _bucket(1, 600.0)]

    assert slower_since([*lived, _bucket(2, 55.0), _bucket(3, 55.0)], deploys, 8) == (1, 2)
    assert slower_since([*lived, _bucket(2, 600.0), _bucket(3, 55.0)], deploys, 8) == (1, 3)
    assert slower_since([*lived, _bucket(2, 600.0)], deploys, 8) == (1, None)
    assert slower_since([*lived, _bucket(2, 55.0, 3)], deploys, 8) == (1, None), "three requests mend nothing"
