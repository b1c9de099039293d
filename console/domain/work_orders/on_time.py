"""How much was done in time (definition of the figure: facility platform, orders)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from console.domain.work_orders.waiting import Waited

WINDOW = timedelta(days=30)


@dataclass(frozen=True)
class OnTime:
    """Of the orders that were due within the last 30 days, canceled ones left out: how many were done by then.

    `waited` says how much of the time of those that are done was waiting.
    """

    due: int
    in_time: int
    waited: Waited = field(default=Waited(), compare=False)

    @property
    def percent(self) -> float | None:
        """Return the share with one decimal; None where nothing was due, which is neither good nor bad."""
        return round(100 * self.in_time / self.due, 1) if self.due else None
