"""One watched route as people judge it: response times, burn and budget together, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
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


def has_risen(buckets: Sequence[Bucket], at: datetime, least: int) -> bool:
    """Return whether the P95 is a quarter higher after an instant (aware UTC) than before; False with too few."""
    before = added((one for one in buckets if one.start < at), at)
    after = added((one for one in buckets if one.start >= at), at)
    if before.count < least or after.count < least:
        return False
    was, now = (share_below(one.parts, 95, one.longest_ms) or 0.0 for one in (before, after))
    return now >= was * RISEN
