"""Stored response times: both windows counted in SQL, percentiles over the newest samples, always two queries."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.domain.errors import PermissionDenied
from console.models.reliability import LatencySample
from console.services.reliability import latency
from console.services.reliability.latency import MemorySamples, Sample
from tests.support.statements import statements

KEY = "GET /health"


def _store(ctx, *durations, minutes_ago=1.0, key=KEY, error=False):
    method, path = key.split()
    at = ctx.now() - timedelta(minutes=minutes_ago)
    latency.store(ctx, [Sample(key, method, path, ms, 500 if error else 200, error, at) for ms in durations])


def _health(snapshot):
    return next(row for row in snapshot.endpoints if row.endpoint == KEY)


def test_without_samples_every_target_is_idle(ctx):
    snapshot = latency.snapshot(ctx)

    assert [row.endpoint for row in snapshot.endpoints] == [
        "GET /health", "GET /meta", "GET /api/inspections", "GET /api/work-orders", "GET /api/ops/dashboard/summary",
    ]  # fmt: skip
    assert (snapshot.status, snapshot.burn_rate.status, snapshot.insufficient_samples_count) == ("ok", "ok", 0)
    assert {(row.sample_source, row.p95_ms, row.last_seen_at) for row in snapshot.endpoints} == {("memory", None, None)}


def test_percentiles_come_from_the_newest_samples_only(ctx):
    _store(ctx, *[5000.0] * 50, minutes_ago=30)
    _store(ctx, *[10.0] * 300, minutes_ago=2)

    row = _health(latency.snapshot(ctx))

    assert (row.sample_source, row.sample_count, row.p95_ms, row.status) == ("database", 300, 10.0, "ok")


def test_windows_are_counted_over_time_without_a_limit_on_rows(ctx):
    _store(ctx, *[10.0] * 1600, minutes_ago=40)
    _store(ctx, *[10.0] * 400, minutes_ago=30, error=True)
    _store(ctx, *[600.0] * 20, minutes_ago=3)
    _store(ctx, *[10.0] * 9, minutes_ago=61)

    windows = _health(latency.snapshot(ctx)).burn_windows

    assert (windows.long.sample_count, windows.long.error_count, windows.long.slow_count) == (2020, 400, 20)
    assert (windows.short.sample_count, windows.short.error_count, windows.short.slow_count) == (20, 0, 20)


def test_a_target_last_seen_four_hours_ago_is_idle(ctx):
    _store(ctx, *[5000.0] * 20, minutes_ago=240)

    row = _health(latency.snapshot(ctx))

    assert (row.status, row.is_stale, row.burn_status) == ("ok", True, "ok")
    assert "Idle" in str(row.message)


def test_two_fast_samples_of_half_an_hour_ago_are_idle_for_the_burn_rate(ctx):
    _store(ctx, 5.0, 6.0, minutes_ago=30)

    row = _health(latency.snapshot(ctx))

    assert (row.burn_idle, row.burn_status, row.burn_windows.long.sample_count) == (True, "ok", 2)


def test_memory_counts_only_where_nothing_is_stored(ctx):
    memory = {key: MemorySamples((700.0,) * 9, ctx.now()) for key in (KEY, "GET /meta")}
    _store(ctx, 5.0)

    rows = {row.endpoint: row for row in latency.snapshot(ctx, memory).endpoints}

    assert (rows[KEY].sample_source, rows[KEY].sample_count) == ("database", 1)
    assert (rows["GET /meta"].sample_source, rows["GET /meta"].status) == ("memory", "warning")
    assert not rows["GET /meta"].burn_windows.long.ready


def test_the_snapshot_takes_two_queries_whatever_the_number_of_targets_and_samples(ctx):
    for key in ("GET /health", "GET /meta", "GET /api/inspections"):
        _store(ctx, *[5.0] * 40, key=key)
    with statements() as seen:
        latency.snapshot(ctx)

    assert len(seen) == 2


def test_old_samples_are_removed_by_the_retention(ctx):
    _store(ctx, 1.0, 2.0, minutes_ago=31 * 24 * 60)
    _store(ctx, 3.0, minutes_ago=29 * 24 * 60)

    pruned = latency.prune(ctx)

    assert (pruned.deleted_count, pruned.retention_days) == (2, 30)
    assert ctx.session.scalar(select(func.count()).select_from(LatencySample)) == 1
    assert latency.prune(ctx, keep_days=10).deleted_count == 1


def test_an_operator_does_not_read_response_times_of_the_platform(make_ctx):
    latency.view(make_ctx("auditor"))
    with pytest.raises(PermissionDenied):
        latency.view(make_ctx("operator", grants=frozenset()))
