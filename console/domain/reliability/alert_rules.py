"""When a burning budget is worth an alert: two rules, each with two windows that must both exceed its threshold.

The short window alone is a blip, the long one alone is already over. An alert that was quiet for a while has ended;
one that comes back before has never ended, so that nobody is told twice of one fire.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from console.domain.reliability.burn import MIN_BAD_REQUESTS, BurnWindow, burn_window
from console.domain.reliability.policy import LatencyPolicy, WindowCounts
from console.domain.text import N_

FAST, SLOW = "fast", "slow"
SLOW_SHORT_MINUTES, SLOW_LONG_MINUTES = 30, 360
# How long a rule must be quiet before its alert has ended.
QUIET = timedelta(minutes=15)
NAMES = {FAST: N_("Fast burn"), SLOW: N_("Slow burn")}
State = Literal["burning", "quiet", "too_few"]
Step = Literal["begin", "go_on", "calm", "end", "nothing"]


@dataclass(frozen=True)
class Rule:
    """An alert rule: both windows (minutes) must burn at least `threshold` times the allowed pace."""

    name: str
    short_minutes: int
    long_minutes: int
    threshold: float


@dataclass(frozen=True)
class Judged:
    """A rule at one moment; `too_few` where a window has fewer samples than it needs."""

    rule: Rule
    short: BurnWindow
    long: BurnWindow
    state: State


def rules_of(policy: LatencyPolicy) -> tuple[Rule, ...]:
    """Return the rules: the fast one over the published windows, the slow one over half an hour and six hours."""
    return (
        Rule(FAST, policy.short_window_minutes, policy.long_window_minutes, policy.burn_critical),
        Rule(SLOW, SLOW_SHORT_MINUTES, SLOW_LONG_MINUTES, policy.burn_warning),
    )


def judge_rule(rule: Rule, short: WindowCounts, long: WindowCounts, policy: LatencyPolicy) -> Judged:
    """Return whether a rule burns: errors or slow requests, by one and the same kind in both windows."""
    near, far = burn_window(short, rule.short_minutes, policy), burn_window(long, rule.long_minutes, policy)
    if not (near.ready and far.ready):
        return Judged(rule, near, far, "too_few")
    kinds = (
        (near.error_burn_rate, far.error_burn_rate, near.error_count),
        (near.latency_burn_rate, far.latency_burn_rate, near.slow_count),
    )
    burns = any(min(a, b) >= rule.threshold and bad >= MIN_BAD_REQUESTS for a, b, bad in kinds)
    return Judged(rule, near, far, "burning" if burns else "quiet")


def next_step(state: State, *, is_open: bool, quiet_since: datetime | None, now: datetime) -> Step:
    """Decide what becomes of an alert: begun and ended are told, everything between is not."""
    if state == "burning":
        return "go_on" if is_open else "begin"
    if not is_open:
        return "nothing"
    return "end" if quiet_since is not None and now - quiet_since >= QUIET else "calm"
