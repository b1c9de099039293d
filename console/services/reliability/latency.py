"""Response times of the watched endpoints: stored in batches, judged from two queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import CompoundSelect, Insert, Integer, Table, bindparam, delete, insert, select, union_all

from console.core.config import Config
from console.core.context import Context
from console.domain.reliability.buckets import FINE, HOUR
from console.domain.reliability.latency import LatencySnapshot, Samples, judge, summarize
from console.domain.reliability.policy import LatencyPolicy, Target, WindowCounts, parse_targets
from console.models.reliability import BurnAlert, LatencySample
from console.services.common.sql import rows_parameter, rows_value
from console.services.reliability import buckets

READ = ("admins:manage", "security:read", "governance:read")
SAMPLES = cast("Table", LatencySample.__table__)


@dataclass(frozen=True)
class Sample:
    """One measured request; `duration_ms` in milliseconds, `sampled_at` aware UTC."""

    endpoint_key: str
    method: str
    path: str
    duration_ms: float
    status_code: int | None
    is_error: bool
    sampled_at: datetime


@dataclass(frozen=True)
class MemorySamples:
    """What one process remembers of an endpoint; used where nothing is stored."""

    durations: Sequence[float]
    last_seen_at: datetime


@dataclass(frozen=True)
class Pruned:
    """How many samples older than `retention_days` days were removed, and how much older of what was made of them."""

    deleted_count: int
    retention_days: int
    older_than: datetime
    deleted_sum_count: int
    deleted_alert_count: int


def policy_of(config: Config) -> LatencyPolicy:
    """Return the thresholds of this installation."""
    return LatencyPolicy(
        enabled=config["API_LATENCY_MONITOR_ENABLED"],
        warning_ms=config["API_LATENCY_P95_WARNING_MS"],
        critical_ms=config["API_LATENCY_P95_CRITICAL_MS"],
        min_samples=config["API_LATENCY_MIN_SAMPLES"],
        window_size=config["API_LATENCY_MONITOR_WINDOW"],
        stale_after_minutes=config["API_LATENCY_STALE_AFTER_MIN"],
        persist_enabled=config["API_LATENCY_PERSIST_ENABLED"],
        persist_retention_days=config["API_LATENCY_PERSIST_RETENTION_DAYS"],
        short_window_minutes=config["API_BURN_RATE_SHORT_WINDOW_MIN"],
        long_window_minutes=config["API_BURN_RATE_LONG_WINDOW_MIN"],
        burn_warning=config["API_BURN_RATE_WARNING"],
        burn_critical=config["API_BURN_RATE_CRITICAL"],
        burn_min_samples=config["API_BURN_RATE_MIN_SAMPLES"],
        error_slo_percent=config["API_BURN_RATE_ERROR_SLO_PERCENT"],
        latency_slo_percent=config["API_BURN_RATE_LATENCY_SLO_PERCENT"],
    )


def targets_of(config: Config) -> tuple[Target, ...]:
    """Return the endpoints that are watched."""
    return parse_targets(config["API_LATENCY_TARGETS"])


def store(ctx: Context, samples: Sequence[Sample]) -> None:
    """Insert a batch of samples and add it to the sums of its times: two statements."""
    if samples:
        # Past the mapper, which takes as long as the database does.
        rows, dialect = [vars(sample) for sample in samples], ctx.session.get_bind().dialect.name
        if dialect == "sqlite":
            ctx.session.connection().execute(insert(SAMPLES), rows)
        else:
            # One statement with one parameter: half the work of a statement for each row.
            ctx.session.connection().execute(_storing(dialect), {"samples": rows_value(dialect, rows)})
        buckets.add(ctx, samples, ctx.config["API_LATENCY_P95_WARNING_MS"])


@cache
def _storing(dialect: str) -> Insert:
    names = [field.name for field in fields(Sample)]
    given = rows_parameter(dialect, "samples", **{name: SAMPLES.c[name].type for name in names})
    return insert(SAMPLES).from_select(names, select(*(given.c[name] for name in names)))


def snapshot(ctx: Context, memory: Mapping[str, MemorySamples] | None = None) -> LatencySnapshot:
    """Judge all watched endpoints with two queries, whatever their number.

    `memory` is what the asking process remembers itself; it counts for endpoints of which nothing is stored.
    """
    now, policy, targets = ctx.now(), policy_of(ctx.config), targets_of(ctx.config)
    keys, lengths = [target.key for target in targets], (policy.short_window_minutes, policy.long_window_minutes)
    newest, windows = _newest(ctx, targets, policy), buckets.windows(ctx, keys, lengths, policy.warning_ms, now)
    rows = [judge(target, _samples(target.key, newest, windows, memory or {}), policy, now) for target in targets]
    return summarize(rows, policy, now)


def view(ctx: Context, memory: Mapping[str, MemorySamples] | None = None) -> LatencySnapshot:
    """Return the snapshot to a caller who may read it."""
    ctx.actor.require(*READ)
    return snapshot(ctx, memory)


def _samples(
    key: str,
    newest: Mapping[str, list[Any]],
    windows: Mapping[str, tuple[WindowCounts, ...]],
    memory: Mapping[str, MemorySamples],
) -> Samples:
    if rows := newest.get(key):
        durations = [row.duration_ms for row in rows]
        errors = sum(bool(row.is_error) for row in rows)
        return Samples("database", durations, errors, rows[0].sampled_at, *windows[key])
    if known := memory.get(key):
        return Samples("memory", known.durations, 0, known.last_seen_at)
    return Samples("memory")


def _newest(ctx: Context, targets: Sequence[Target], policy: LatencyPolicy) -> dict[str, list[Any]]:
    """Read the newest samples of every endpoint in one statement; each part is an index range with a limit."""
    asked = _newest_of(tuple(target.key for target in targets))
    found: dict[str, list[Any]] = {}
    for row in ctx.session.connection().execute(asked, {"size": policy.window_size}):
        found.setdefault(row[0], []).append(row)
    return found


# Made once for a list of endpoints: putting such a statement together costs more than running it.
@cache
def _newest_of(keys: tuple[str, ...]) -> CompoundSelect[*tuple[Any, ...]]:
    parts = [
        select(SAMPLES.c.endpoint_key, SAMPLES.c.duration_ms, SAMPLES.c.is_error, SAMPLES.c.sampled_at)
        .where(SAMPLES.c.endpoint_key == key)
        .order_by(SAMPLES.c.sampled_at.desc(), SAMPLES.c.id.desc())
        .limit(bindparam("size", type_=Integer()))
        .subquery()
        for key in keys
    ]
    return union_all(*(select(part) for part in parts))


def prune(ctx: Context, *, keep_days: int | None = None) -> Pruned:
    """Remove samples older than the retention (days; default from the settings), and the older sums and alerts.

    The sums of hours and the alerts tell of months and are kept for as long as the setting for them says.
    """
    days = keep_days or ctx.config["API_LATENCY_PERSIST_RETENTION_DAYS"]
    limit = ctx.now() - timedelta(days=days)
    long_ago = ctx.now() - timedelta(days=max(days, ctx.config["API_LATENCY_TREND_RETENTION_DAYS"]))
    removed = ctx.session.connection().execute(delete(LatencySample).where(LatencySample.sampled_at < limit))
    sums = buckets.prune(ctx, {FINE: limit, HOUR: long_ago})
    alerts = ctx.session.connection().execute(delete(BurnAlert).where(BurnAlert.ended_at < long_ago))
    return Pruned(removed.rowcount, days, limit, sums, alerts.rowcount)
