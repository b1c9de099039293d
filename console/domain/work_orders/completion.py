"""What a site demands before an order is completed: after-photo, measurement again, words; by trade and priority.

A demand holds for a priority and all that are worse. Off by default: it only says what is missing until a site switches
it on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from console.domain.errors import Invalid
from console.domain.text import T
from console.domain.work_orders.missing import AFTER_PHOTO, COMPLETION, MEASUREMENT, SENTENCES
from console.domain.work_orders.words import PRIORITIES, TRADES, rank

# Field of the policy -> what it demands; the order is that in which things are done.
DEMANDS = {"photo": AFTER_PHOTO, "measurement": MEASUREMENT, "text": COMPLETION}
NEVER = "never"
THRESHOLDS = (NEVER, *PRIORITIES)
ENFORCED = "enforced"


@dataclass(frozen=True)
class CompletionRules:
    """From which priority on each trade demands what; `enforced`: the site refuses to complete without it."""

    enforced: bool = False
    thresholds: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def demands(self, trade: str, priority: str) -> tuple[str, ...]:
        """Return what an order of this trade and priority needs, as keys of `missing`."""
        return tuple(
            key
            for name, key in DEMANDS.items()
            if (least := self.thresholds.get((name, trade), NEVER)) != NEVER and rank(priority) <= rank(least)
        )


def fields() -> dict[str, tuple[str, str]]:
    """Return the field of the policy for each demand and trade."""
    return {f"{name}_{trade}": (name, trade) for name in DEMANDS for trade in TRADES}


def from_values(values: Mapping[str, Any], *, enforced: bool) -> CompletionRules:
    """Return the rules that stored fields are; what is missing demands nothing."""
    return CompletionRules(enforced, {place: values.get(name) or NEVER for name, place in fields().items()})


class Incomplete(Invalid):
    """An order lacks what its site demands (422); each missing thing is named by its key."""

    code = "incomplete"


def refuse(missing: Collection[str]) -> None:
    """Raise Incomplete with everything that is missing, if anything is."""
    if missing:
        named = [{"type": "completion_rule", "loc": ["body", key], "msg": T(SENTENCES[key])} for key in missing]
        raise Incomplete(named)
