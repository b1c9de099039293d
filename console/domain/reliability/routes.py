"""One watched route as people judge it: response times, burn and budget together, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Literal

from console.domain.reliability.alert_rules import FAST, Judged
from console.domain.reliability.buckets import Bucket, added, share_below
from console.domain.reliability.budget import Budget
from console.domain.reliability.latency import EndpointLatency

State = Literal["critical", "warning", "ok", "too_few"]
# A rise below a quarter is the noise of a day.
RISEN = 1.25


@dataclass(frozen=True)
class Route:
    """A watched route: its published verdict, the alert rules at this moment, and its budget of 30 days."""

    latency: EndpointLatency
    rules: tuple[Judged, ...]
    budget: Budget

    @property
    def endpoint(self) -> str:
        """Return the name of the route, `METHOD /path`."""
        return self.latency.endpoint

    @property
    def recent_count(self) -> int:
        """Return the requests of the long window of the fast rule."""
        return self.rules[0].long.sample_count

    @property
    def few(self) -> bool:
        """Return whether that window has too few requests to say anything of now."""
        return not self.rules[0].long.ready

    @property
    def state(self) -> State:
        """Return the verdict of both: a P95 of now, or a rule that burns; silence is no verdict."""
        burning = {one.rule.name for one in self.rules if one.state == "burning"}
        timed = "ok" if self.few else self.latency.status
        if timed == "critical" or FAST in burning:
            return "critical"
        if timed == "warning" or burning:
            return "warning"
        return "too_few" if self.few else "ok"


def worst_first(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return routes by the budget left, least first; those with too few samples come last."""

    def place(route: Route) -> tuple[bool, float, float, str]:
        left = route.budget.left_percent
        return (left is None, left or 0.0, -(route.latency.p95_ms or 0.0), route.endpoint)

    return tuple(sorted(routes, key=place))


def slower_since(buckets: Sequence[Bucket], deploys: Sequence[datetime], least: int) -> tuple[int | None, int | None]:
    """Return which of these deploys (aware UTC, oldest first) made a route slower, the last such, and which mended it.

    Each is held against what was before the one that made it slower: a quarter more of the P95 is slower. Stretches
    with fewer than `least` requests tell nothing.
    """
    made = [_p95(buckets, None, at, least) for at in deploys]
    came = [_p95(buckets, at, end, least) for at, end in zip_longest(deploys, deploys[1:])]
    for number in reversed(range(len(deploys))):
        was, then = made[number], came[number]
        if was is None or then is None or then < was * RISEN:
            continue
        later = range(number + 1, len(deploys))
        return number, next((one for one in later if (now := came[one]) is not None and now < was * RISEN), None)
    return None, None


def _p95(buckets: Iterable[Bucket], since: datetime | None, until: datetime | None, least: int) -> float | None:
    chosen = [one for one in buckets if (not since or one.start >= since) and (not until or one.start < until)]
    if not chosen or (whole := added(chosen, chosen[0].start)).count < least:
        return None
    return share_below(whole.parts, 95, whole.longest_ms)
