"""Response times of the watched endpoints and how fast they use up their error budget (API contract, API latency)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor

from console.domain.reliability.burn import BurnSummary, BurnVerdict, BurnWindows, burn_summary, burn_verdict
from console.domain.reliability.policy import LatencyPolicy, Target, WindowCounts, worst
from console.domain.text import T, Text

NOTHING = WindowCounts()


@dataclass(frozen=True)
class Samples:
    """The newest samples of one endpoint, newest first, and its windows; durations in milliseconds."""

    source: str
    durations: Sequence[float] = ()
    error_count: int = 0
    last_seen_at: datetime | None = None
    short: WindowCounts = NOTHING
    long: WindowCounts = NOTHING


@dataclass(frozen=True)
class EndpointLatency:
    """The verdict on one endpoint."""

    endpoint: str
    method: str
    path: str
    sample_source: str
    sample_count: int
    p95_ms: float | None
    p99_ms: float | None
    error_count: int
    error_rate_percent: float
    last_seen_at: datetime | None
    is_stale: bool
    stale_after_minutes: int
    status: str
    message: Text
    burn_rate_short: float
    burn_rate_long: float
    burn_status: str
    burn_message: Text
    burn_idle: bool
    burn_windows: BurnWindows
    # Ours, beside what is published: whether both windows are above the threshold of a warning.
    burn_both_exceed: bool

    @property
    def burn(self) -> BurnVerdict:
        """Return the part about the error budget."""
        return BurnVerdict(self.burn_status, self.burn_message, self.burn_idle, self.burn_windows)


@dataclass(frozen=True)
class LatencySnapshot:
    """All watched endpoints; `status` is the worst of them, burn rates apart."""

    generated_at: datetime
    status: str
    message: Text
    enabled: bool
    warning_threshold_ms: float
    critical_threshold_ms: float
    stale_after_minutes: int
    min_samples: int
    window_size: int
    persist_enabled: bool
    persist_retention_days: int
    target_count: int
    critical_count: int
    warning_count: int
    insufficient_samples_count: int
    burn_rate: BurnSummary
    endpoints: tuple[EndpointLatency, ...]


def percentile(durations: Iterable[float], share: float) -> float | None:
    """Return the percentile by linear interpolation between closest ranks, rank = (n-1)*share/100; 2 decimals."""
    ordered = sorted(durations)
    if not ordered:
        return None
    rank = (len(ordered) - 1) * share / 100
    below = floor(rank)
    above = min(below + 1, len(ordered) - 1)
    return round(ordered[below] + (ordered[above] - ordered[below]) * (rank - below), 2)


def judge(target: Target, samples: Samples, policy: LatencyPolicy, now: datetime) -> EndpointLatency:
    """Return the verdict on one endpoint (API contract, latency status and burn rate)."""
    stale_after = max(policy.long_window_minutes, policy.stale_after_minutes)
    stale = samples.last_seen_at is None or now - samples.last_seen_at > timedelta(minutes=stale_after)
    count = len(samples.durations)
    p95 = percentile(samples.durations, 95)
    burn = burn_verdict(samples.short, samples.long, policy, stale=stale or not policy.enabled)
    status, message = _latency_status(p95, count, samples.error_count, stale, policy)
    return EndpointLatency(
        endpoint=target.key,
        method=target.method,
        path=target.path,
        sample_source=samples.source,
        sample_count=count,
        p95_ms=p95,
        p99_ms=percentile(samples.durations, 99),
        error_count=samples.error_count,
        error_rate_percent=round(100 * samples.error_count / count, 2) if count else 0.0,
        last_seen_at=samples.last_seen_at,
        is_stale=stale,
        stale_after_minutes=stale_after,
        status=status,
        message=message,
        burn_rate_short=burn.windows.short.burn_rate,
        burn_rate_long=burn.windows.long.burn_rate,
        burn_status=burn.status,
        burn_message=burn.message,
        burn_idle=burn.idle,
        burn_windows=burn.windows,
        burn_both_exceed=burn.both_exceed(policy.burn_warning),
    )


def _latency_status(p95: float | None, count: int, errors: int, stale: bool, policy: LatencyPolicy) -> tuple[str, Text]:
    # Rows from before the monitor was switched off say nothing about now.
    if not policy.enabled:
        return "ok", T("The latency monitor is switched off.")
    if stale:
        return "ok", T("Idle: no recent requests.")
    if count < policy.min_samples and not errors and (p95 is None or p95 < policy.warning_ms):
        return "ok", T("Idle: collecting samples, %(count)s of %(needed)s.", count=count, needed=policy.min_samples)
    if count < policy.min_samples or p95 is None:
        return "warning", T("Too few samples: %(count)s of %(needed)s.", count=count, needed=policy.min_samples)
    if p95 >= policy.critical_ms:
        return "critical", T("P95 of %(p95)s ms is at or above %(limit)s ms.", p95=p95, limit=policy.critical_ms)
    if p95 >= policy.warning_ms:
        return "warning", T("P95 of %(p95)s ms is at or above %(limit)s ms.", p95=p95, limit=policy.warning_ms)
    return "ok", T("P95 of %(p95)s ms is within %(limit)s ms.", p95=p95, limit=policy.warning_ms)


def summarize(endpoints: Iterable[EndpointLatency], policy: LatencyPolicy, now: datetime) -> LatencySnapshot:
    """Put the endpoints' verdicts together (API contract, top level)."""
    rows = tuple(endpoints)
    status = worst(row.status for row in rows)
    critical, warning = _count(rows, "critical"), _count(rows, "warning")
    return LatencySnapshot(
        generated_at=now,
        status=status,
        message=_overall_message(status, critical, warning, policy.enabled),
        enabled=policy.enabled,
        warning_threshold_ms=policy.warning_ms,
        critical_threshold_ms=policy.critical_ms,
        stale_after_minutes=max(policy.long_window_minutes, policy.stale_after_minutes),
        min_samples=policy.min_samples,
        window_size=policy.window_size,
        persist_enabled=policy.persist_enabled,
        persist_retention_days=policy.persist_retention_days,
        target_count=len(rows),
        critical_count=critical,
        warning_count=warning,
        insufficient_samples_count=sum(row.sample_count < policy.min_samples and not row.is_stale for row in rows),
        burn_rate=burn_summary([row.burn for row in rows], policy),
        endpoints=rows,
    )


def _count(rows: tuple[EndpointLatency, ...], status: str) -> int:
    return sum(row.status == status for row in rows)


def _overall_message(status: str, critical: int, warning: int, enabled: bool) -> Text:
    if not enabled:
        return T("The latency monitor is switched off.")
    if status == "ok":
        return T("All watched endpoints answer in time.")
    return T("Slow endpoints: %(critical)s critical, %(warning)s with a warning.", critical=critical, warning=warning)
