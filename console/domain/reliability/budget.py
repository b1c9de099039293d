"""What is left of the error budget over 30 days, and how long it lasts at the pace of the last hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from console.domain.durations import length
from console.domain.reliability.policy import LatencyPolicy, WindowCounts
from console.domain.text import T, Text

PERIOD = timedelta(days=30)
# Beyond the period the forecast says nothing that anybody could act upon.
LONGEST = PERIOD
Kind = Literal["slow", "error"]


@dataclass(frozen=True)
class Budget:
    """The budget of one endpoint, of slow or of failed requests, whichever is the more used up.

    `allowed` and `used` are requests within 30 days; `left_percent` (0 to 100) is None with too few samples;
    `lasts` is how long it lasts at the pace of the long window, None when that pace does not use it up.
    """

    kind: Kind
    sample_count: int
    allowed: int
    used: int
    left_percent: float | None
    lasts: timedelta | None = None

    @property
    def state(self) -> str:
        """Return `too_few`, `used_up`, `late` (below a quarter), `soon` (below three quarters) or `ok`."""
        if self.left_percent is None:
            return "too_few"
        if self.left_percent <= 0:
            return "used_up"
        return "late" if self.left_percent < 25 else "soon" if self.left_percent < 75 else "ok"

    @property
    def sentence(self) -> Text:
        """Return what it means, as a sentence."""
        if self.left_percent is None:
            return T("Too few samples to speak of a budget.")
        if self.left_percent <= 0:
            return T("The budget of 30 days is used up.")
        if self.lasts is None:
            return T("At this pace the budget lasts.")
        return T("At this pace the budget is used up in %(length)s.", length=(length(self.lasts),))


def budget(month: WindowCounts, recent: WindowCounts, recent_minutes: int, policy: LatencyPolicy) -> Budget:
    """Return the budget after what happened in 30 days; `recent` is the window that tells the pace.

    Every request earns its share of the budget; a pace that earns more than it takes never uses it up.
    """
    kinds: tuple[tuple[Kind, int, int, float], ...] = (
        ("slow", month.slow_count, recent.slow_count, policy.latency_budget_percent),
        ("error", month.error_count, recent.error_count, policy.error_budget_percent),
    )
    found = [_of(*one, month.sample_count, recent.sample_count, recent_minutes, policy) for one in kinds]
    return min(found, key=lambda one: (one.left_percent if one.left_percent is not None else 0, one.lasts or LONGEST))


def _of(
    kind: Kind,
    used: int,
    recent_used: int,
    percent: float,
    count: int,
    recent_count: int,
    minutes: int,
    policy: LatencyPolicy,
) -> Budget:
    allowed = count * percent / 100
    if count < policy.burn_min_samples:
        return Budget(kind, count, int(allowed), used, None)
    left = max(0.0, allowed - used)
    lost = (recent_used - recent_count * percent / 100) / minutes
    known = recent_count >= policy.burn_min_samples and lost > 0 and left > 0
    # Kept within the period before it becomes a length: a tiny loss would be longer than a length can be.
    lasts = timedelta(minutes=left / lost) if known and left / lost <= LONGEST / timedelta(minutes=1) else None
    return Budget(kind, count, int(allowed), used, round(100 * left / allowed, 1), lasts)
