"""Routes from the sums of their times: worst first, exact windows, budget of 30 days, deploys, in few queries."""

from datetime import timedelta

import pytest

from console.domain.errors import NotFound, PermissionDenied
from console.models.jobs import JobRun
from console.services.reliability import buckets, latency, routes
from console.services.reliability.latency import Sample
from tests.support.statements import statements

KEY = "GET /health"


def _store(ctx, count, ms, key=KEY, error=False, **ago):
    method, path = key.split()
    at = ctx.now() - timedelta(**ago)
    latency.store(ctx, [Sample(key, method, path, ms, 500 if error else 200, error, at)] * count)


def test_windows_are_exact_at_both_ends_wherever_now_lies_between_two_stretches(ctx, clock):
    for seconds in (0, 1, 150, 299):
        clock.advance(timedelta(hours=12, seconds=seconds))
        for age in (1, 299, 301, 3599, 3601, 21599, 21601):
            _store(ctx, 1, 500.0 if age < 3600 else 5.0, seconds=age)
        found = buckets.windows(ctx, [KEY, "GET /meta"], [5, 60, 360], 450.0, ctx.now())

        assert [(one.sample_count, one.slow_count) for one in found[KEY]] == [(2, 2), (4, 4), (6, 4)]
        assert found["GET /meta"][0].sample_count == 0


def test_a_sample_at_the_very_edge_is_out_of_the_window_as_it_always_was(ctx):
    _store(ctx, 3, 5.0, minutes=60)

    assert buckets.windows(ctx, [KEY], [60], 450.0, ctx.now())[KEY][0].sample_count == 0


def test_routes_stand_with_the_least_budget_first_and_those_without_samples_last(ctx):
    _store(ctx, 100, 5.0, minutes=3)
    _store(ctx, 95, 5.0, key="GET /meta", minutes=3)
    _store(ctx, 5, 800.0, key="GET /meta", minutes=3)
    _store(ctx, 2, 900.0, key="GET /api/inspections", minutes=3)

    found = routes.read(ctx)

    assert [(one.endpoint, one.state, one.budget.left_percent) for one in found.routes[:2]] == [
        ("GET /meta", "ok", 0.0), (KEY, "ok", 100.0),
    ]  # fmt: skip
    assert {one.state for one in found.routes[2:]} == {"too_few"}
    assert found.count("too_few") == 3


def test_the_budget_is_that_of_thirty_days_and_survives_the_samples(ctx):
    _store(ctx, 1000, 5.0, days=20)
    _store(ctx, 30, 800.0, days=20)
    latency.prune(ctx, keep_days=1)

    left = routes.read(ctx).routes[0].budget
    assert (left.sample_count, left.allowed, left.used, left.left_percent) == (1030, 51, 30, 41.7)


def test_the_trend_has_a_point_for_every_stretch_and_marks_the_deploy_since_which_it_is_slower(ctx):
    for hours in range(1, 20):
        _store(ctx, 20, 600.0 if hours < 9 else 50.0, hours=hours)
    at = ctx.now() - timedelta(hours=8, minutes=30)
    ctx.session.add(
        JobRun(job_name="deploy_smoke", trigger="api", status="success", state="finished", requested_at=at,
               started_at=at, finished_at=at, detail_json={"checklist_version": "2026.03.v1"})
    )  # fmt: skip
    ctx.session.flush()

    for days, points in ((1, 97), (7, 85), (30, 91)):
        found = routes.detail(ctx, routes.read(ctx), KEY, days)
        assert len(found.points) == points
        assert [one.version for one in found.deploys] == ["2026.03.v1"]
    assert routes.detail(ctx, routes.read(ctx), KEY, 1).risen_since.version == "2026.03.v1"


def test_a_route_that_is_not_watched_is_not_found(ctx):
    with pytest.raises(NotFound):
        routes.detail(ctx, routes.read(ctx), "GET /nowhere", 1)


def test_queries_do_not_grow_with_routes_and_samples(ctx):
    for key in (KEY, "GET /meta", "GET /api/inspections"):
        _store(ctx, 40, 5.0, key=key, minutes=3)
    with statements() as seen:
        found = routes.read(ctx)
    with statements() as more:
        routes.detail(ctx, found, KEY, 30)

    assert (len(seen), len(more)) == (5, 4)


def test_sums_of_hours_and_alerts_stay_longer_than_samples(ctx):
    _store(ctx, 10, 5.0, days=31)
    _store(ctx, 10, 5.0, days=91)

    pruned = latency.prune(ctx)

    # Both fine sums, and the hour that is older than three months.
    assert (pruned.deleted_count, pruned.deleted_sum_count) == (20, 3)


def test_an_operator_does_not_read_them(make_ctx):
    routes.read(make_ctx("auditor"))
    with pytest.raises(PermissionDenied):
        routes.read(make_ctx("operator", grants=frozenset()))
