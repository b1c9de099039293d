"""The guard of the channels: when one is left alone for a while, and what a channel's state says (API contract, guard).

Only real attempts move the state. What the guard holds back is no failure, so that a quarantine ends by itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from console.domain.text import N_

State = Literal["healthy", "warning", "quarantined"]
HEALTHY: State = "healthy"
IN_DOUBT: State = "warning"
QUARANTINED: State = "quarantined"
DISABLED = "disabled"
# Which states a recovery picks.
PICKS: Mapping[str, tuple[str, ...]] = {
    QUARANTINED: (QUARANTINED,),
    IN_DOUBT: (IN_DOUBT,),
    "all": (QUARANTINED, IN_DOUBT),
}
# What is first in lists: the worst.
_WORST_FIRST: Mapping[str, int] = {QUARANTINED: 0, IN_DOUBT: 1}

STEPS = (
    N_("Check the address of the channel, its certificate and whether the receiver can be reached."),
    N_("Put right what is wrong, then send a trial; one that arrives ends the quarantine."),
    N_("Look at the deliveries of the channel: what was held back goes out by itself."),
)


@dataclass(frozen=True)
class GuardRules:
    """From how many failures in a row a channel is left alone, and for how long after the last one."""

    enabled: bool = True
    threshold: int = 3
    cooldown: timedelta = timedelta(minutes=30)

    @property
    def cooldown_minutes(self) -> int:
        """Return the cooldown in minutes."""
        return int(self.cooldown.total_seconds() // 60)

    def on_trial(self, failures: int) -> bool:
        """Return whether the next message after so many failures in a row only finds out if the channel is back.

        It is never given up for that.
        """
        return self.enabled and failures >= self.threshold


@dataclass(frozen=True)
class ChannelState:
    """What is known of one channel; instants are aware UTC, None for what never was."""

    channel: str
    target: str = ""
    consecutive_failures: int = 0
    last_attempt_at: datetime | None = None
    last_status: str | None = None
    last_error: str | None = None
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None

    def quarantined_until(self, rules: GuardRules) -> datetime | None:
        """Return when its quarantine ends, or ended; None for one that never was in it."""
        if self.last_failure_at is None or self.consecutive_failures < rules.threshold:
            return None
        return self.last_failure_at + rules.cooldown

    def at(self, now: datetime, rules: GuardRules) -> State:
        """Return how the channel is, whether or not the guard is on (API contract, guard)."""
        until = self.quarantined_until(rules)
        if until is not None and now < until:
            return QUARANTINED
        return IN_DOUBT if self.consecutive_failures else HEALTHY

    def held(self, now: datetime, rules: GuardRules) -> datetime | None:
        """Return until when nothing is sent to the channel; None lets messages through."""
        until = self.quarantined_until(rules)
        return until if rules.enabled and until is not None and now < until else None


def remaining_minutes(until: datetime | None, now: datetime) -> int:
    """Return the whole minutes until then, at least 1 while it is to come, else 0."""
    if until is None or until <= now:
        return 0
    return max(1, math.ceil((until - now).total_seconds() / 60))


def blocked_error(state: ChannelState, until: datetime) -> str:
    """Return the published error of a message that is held back."""
    return f"channel quarantined until {until.isoformat()} (consecutive_failures={state.consecutive_failures})"


def blocked_guard(error: str) -> dict[str, str | int] | None:
    """Return what the published message of a delivery says of the guard that holds it back; None for another error."""
    found = re.fullmatch(r"channel quarantined until (\S+) \(consecutive_failures=(\d+)\)", error)
    if found is None:
        return None
    return {"state": QUARANTINED, "consecutive_failures": int(found[2]), "quarantined_until": found[1]}


def rank(state: str, target: str) -> tuple[int, str]:
    """Return what orders channels: quarantined, warning, the rest; then by name."""
    return _WORST_FIRST.get(state, 2), target


def summary_status(states: Mapping[str, int], *, enabled: bool) -> str:
    """Return the word over all channels by the number of those in each state; without guard never `critical`."""
    if states.get(QUARANTINED, 0):
        return "critical" if enabled else "warning"
    return "warning" if states.get(IN_DOUBT, 0) else "ok"
