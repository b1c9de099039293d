"""Response times of the watched endpoints: stored in batches, judged from two grouped queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    CompoundSelect,
    Float,
    Integer,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    true,
    union_all,
)

from console.core.config import Config
from console.core.context import Context
from console.domain.reliability.latency import LatencySnapshot, Samples, judge, summarize
from console.domain.reliability.policy import LatencyPolicy, Target, WindowCounts, parse_targets
from console.models.reliability import LatencySample
from console.models.types import UtcDateTime

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
    """How many samples older than `retention_days` days were removed."""

    deleted_count: int
    retention_days: int
    older_than: datetime


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
    """Insert a batch of samples with one statement."""
    if samples:
        ctx.session.execute(insert(LatencySample), [vars(sample) for sample in samples])


def snapshot(ctx: Context, memory: Mapping[str, MemorySamples] | None = None) -> LatencySnapshot:
    """Judge all watched endpoints with two queries, whatever their number.

    `memory` is what the asking process remembers itself; it counts for endpoints of which nothing is stored.
    """
    now, policy, targets = ctx.now(), policy_of(ctx.config), targets_of(ctx.config)
    newest, windows = _newest(ctx, targets, policy), _windows(ctx, targets, policy, now)
    rows = [judge(target, _samples(target.key, newest, windows, memory or {}), policy, now) for target in targets]
    return summarize(rows, policy, now)


def view(ctx: Context, memory: Mapping[str, MemorySamples] | None = None) -> LatencySnapshot:
    """Return the snapshot to a caller who may read it."""
    ctx.actor.require(*READ)
    return snapshot(ctx, memory)


@dataclass(frozen=True)
class _Windows:
    """What SQL counted of one endpoint, and when it was seen last."""

    last_seen_at: datetime | None
    short: WindowCounts
    long: WindowCounts


def _samples(
    key: str,
    newest: Mapping[str, list[Any]],
    windows: Mapping[str, _Windows],
    memory: Mapping[str, MemorySamples],
) -> Samples:
    if rows := newest.get(key):
        seen = windows[key]
        durations = [duration for _, duration, _ in rows]
        errors = sum(bool(is_error) for _, _, is_error in rows)
        return Samples("database", durations, errors, seen.last_seen_at, seen.short, seen.long)
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
        select(SAMPLES.c.endpoint_key, SAMPLES.c.duration_ms, SAMPLES.c.is_error)
        .where(SAMPLES.c.endpoint_key == key)
        .order_by(SAMPLES.c.sampled_at.desc(), SAMPLES.c.id.desc())
        .limit(bindparam("size", type_=Integer()))
        .subquery()
        for key in keys
    ]
    return union_all(*(select(part) for part in parts))


def _windows(ctx: Context, targets: Sequence[Target], policy: LatencyPolicy, now: datetime) -> dict[str, _Windows]:
    """Count samples, errors and slow ones of both windows over time, without a limit on rows, in one statement."""
    given = {
        "short": now - timedelta(minutes=policy.short_window_minutes),
        "long": now - timedelta(minutes=policy.long_window_minutes),
        "slow": policy.warning_ms,
    }
    asked = _windows_of(tuple(target.key for target in targets))
    return {
        key: _Windows(seen, WindowCounts(*counts[:3]), WindowCounts(*counts[3:]))
        for key, seen, *counts in ctx.session.connection().execute(asked, given)
    }


@cache
def _windows_of(keys: tuple[str, ...]) -> CompoundSelect[*tuple[Any, ...]]:
    recent = SAMPLES.c.sampled_at > bindparam("short", type_=UtcDateTime())
    slow = SAMPLES.c.duration_ms >= bindparam("slow", type_=Float())
    error = SAMPLES.c.is_error.is_(True)
    sums = [
        func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
        for condition in (recent, recent & error, recent & slow, true(), error, slow)
    ]
    older = SAMPLES.alias()
    parts = [
        select(
            literal(key),
            select(func.max(older.c.sampled_at)).where(older.c.endpoint_key == key).scalar_subquery(),
            *sums,
        ).where(SAMPLES.c.endpoint_key == key, SAMPLES.c.sampled_at > bindparam("long", type_=UtcDateTime()))
        for key in keys
    ]
    return union_all(*parts)


def prune(ctx: Context, *, keep_days: int | None = None) -> Pruned:
    """Remove samples older than the retention (days; default from the settings)."""
    days = keep_days or ctx.config["API_LATENCY_PERSIST_RETENTION_DAYS"]
    limit = ctx.now() - timedelta(days=days)
    removed = ctx.session.connection().execute(delete(LatencySample).where(LatencySample.sampled_at < limit))
    return Pruned(removed.rowcount, days, limit)
