"""How fast the watched endpoints use up their error budget (API contract, burn rate)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from console.domain.reliability.policy import LatencyPolicy, WindowCounts, worst
from console.domain.text import T, Text

# A single failed request is no trend: it takes this many in the short window to speak of a burning budget.
MIN_BAD_REQUESTS = 2


@dataclass(frozen=True)
class BurnWindow:
    """Rates of one window; burn is the larger of error and latency burn."""

    window_minutes: int
    sample_count: int
    error_count: int
    slow_count: int
    error_rate_percent: float
    slow_rate_percent: float
    error_burn_rate: float
    latency_burn_rate: float
    burn_rate: float
    ready: bool


@dataclass(frozen=True)
class BurnWindows:
    """The two windows of the burn rate."""

    short: BurnWindow
    long: BurnWindow


@dataclass(frozen=True)
class BurnSummary:
    """Burn rates of all endpoints together."""

    status: str
    message: Text
    short_window_minutes: int
    long_window_minutes: int
    warning_threshold: float
    critical_threshold: float
    min_samples: int
    error_slo_percent: float
    latency_slo_percent: float
    error_budget_percent: float
    latency_budget_percent: float
    critical_count: int
    warning_count: int
    warming_up_count: int


class BurnVerdict(NamedTuple):
    """The verdict on one endpoint's burn rate."""

    status: str
    message: Text
    idle: bool
    windows: BurnWindows

    def both_exceed(self, threshold: float) -> bool:
        """Return whether both windows have enough samples and burn at least `threshold` times the allowed pace."""
        near, far = self.windows.short, self.windows.long
        return near.ready and far.ready and min(near.burn_rate, far.burn_rate) >= threshold

    @property
    def warming_up(self) -> bool:
        """Return whether a window still has too few samples for a real verdict."""
        return self.status == "warning" and not (self.windows.short.ready and self.windows.long.ready)


def burn_window(counts: WindowCounts, minutes: int, policy: LatencyPolicy) -> BurnWindow:
    """Turn counts into rates and burn rates (rate / budget), 4 decimals."""
    n = counts.sample_count
    error_rate = 100 * counts.error_count / n if n else 0.0
    slow_rate = 100 * counts.slow_count / n if n else 0.0
    error_burn = round(error_rate / policy.error_budget_percent, 4)
    latency_burn = round(slow_rate / policy.latency_budget_percent, 4)
    return BurnWindow(
        window_minutes=minutes,
        sample_count=n,
        error_count=counts.error_count,
        slow_count=counts.slow_count,
        error_rate_percent=round(error_rate, 4),
        slow_rate_percent=round(slow_rate, 4),
        error_burn_rate=error_burn,
        latency_burn_rate=latency_burn,
        burn_rate=max(error_burn, latency_burn),
        ready=n >= policy.burn_min_samples,
    )


def burn_verdict(short: WindowCounts, long: WindowCounts, policy: LatencyPolicy, *, stale: bool) -> BurnVerdict:
    """Judge the two windows of one endpoint.

    Both windows have to exceed a threshold: the short one alone is a blip, the long one alone is already over.
    """
    windows = BurnWindows(
        burn_window(short, policy.short_window_minutes, policy), burn_window(long, policy.long_window_minutes, policy)
    )
    # The long window contains the short one; adding the two would count recent requests twice.
    idle = long.sample_count < policy.burn_min_samples and not long.error_count and not long.slow_count
    status, message = _status(windows.short, windows.long, stale or idle, policy)
    return BurnVerdict(status, message, stale or idle, windows)


def _status(short: BurnWindow, long: BurnWindow, idle: bool, policy: LatencyPolicy) -> tuple[str, Text]:
    if idle:
        return "ok", T("Idle: too few requests to speak of a burn rate.")
    if not (short.ready and long.ready):
        return "warning", T("Warming up: a window has fewer than %(needed)s samples.", needed=policy.burn_min_samples)
    burn = min(short.burn_rate, long.burn_rate)
    if max(short.error_count, short.slow_count) < MIN_BAD_REQUESTS:
        burn = 0.0
    if burn >= policy.burn_critical:
        return "critical", T("The error budget burns %(burn)s times too fast.", burn=burn)
    if burn >= policy.burn_warning:
        return "warning", T("The error budget burns %(burn)s times too fast.", burn=burn)
    return "ok", T("The error budget is used at an acceptable rate.")


def burn_summary(verdicts: Sequence[BurnVerdict], policy: LatencyPolicy) -> BurnSummary:
    """Put the burn rates of all endpoints together; the worst one is the status."""
    status = worst(verdict.status for verdict in verdicts)
    critical = sum(verdict.status == "critical" for verdict in verdicts)
    warning = sum(verdict.status == "warning" for verdict in verdicts)
    return BurnSummary(
        status=status,
        message=T("No endpoint burns its budget too fast.")
        if status == "ok"
        else T("Burn rates: %(critical)s critical, %(warning)s with a warning.", critical=critical, warning=warning),
        short_window_minutes=policy.short_window_minutes,
        long_window_minutes=policy.long_window_minutes,
        warning_threshold=policy.burn_warning,
        critical_threshold=policy.burn_critical,
        min_samples=policy.burn_min_samples,
        error_slo_percent=policy.error_slo_percent,
        latency_slo_percent=policy.latency_slo_percent,
        error_budget_percent=policy.error_budget_percent,
        latency_budget_percent=policy.latency_budget_percent,
        critical_count=critical,
        warning_count=warning,
        warming_up_count=sum(verdict.warming_up for verdict in verdicts),
    )
