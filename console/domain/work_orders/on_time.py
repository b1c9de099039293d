"""How much was done in time (definition of the figure: facility platform, orders)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from console.domain.work_orders.waiting import Waited

WINDOW = timedelta(days=30)
# The window in parts, to see whether it gets better; a goal to read beside the share, from which nothing follows.
PARTS, GOAL_PERCENT = 6, 90


@dataclass(frozen=True)
class OnTime:
    """Of the orders that were due within the last 30 days, canceled ones left out: how many were done by then.

    `waited` says how much of the time of those that are done was waiting.
    """

    goal: ClassVar[int] = GOAL_PERCENT

    due: int
    in_time: int
    waited: Waited = field(default=Waited(), compare=False)

    @property
    def percent(self) -> float | None:
        """Return the share with one decimal; None where nothing was due, which is neither good nor bad."""
        return round(100 * self.in_time / self.due, 1) if self.due else None


@dataclass(frozen=True)
class SiteOnTime:
    """The same of one site, whole and in the parts of the window, the oldest first."""

    whole: OnTime
    parts: tuple[OnTime, ...]

    @property
    def trend(self) -> tuple[float | None, ...]:
        """Return the shares of the parts."""
        return tuple(part.percent for part in self.parts)


def edges(now: datetime) -> Sequence[datetime]:
    """Return where the parts of the window begin and end, aware UTC; those in between stand at full hours."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    inner = [hour - WINDOW + number * WINDOW / PARTS for number in range(1, PARTS)]
    return (now - WINDOW, *inner, now)
