"""How much of the time of orders was waiting: the one definition that stands beside every figure of durations.

The time of an order runs from its receipt to its completion, waiting included; what it waited are its holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from console.domain.text import N_

DEFINITION = N_(
    "Of the time from receipt to completion, added up over the completed orders: the share in which they waited for"
    " somebody or something"
)


@dataclass(frozen=True)
class Waited:
    """The time that orders took, added up, and how much of it they waited."""

    definition: ClassVar[str] = DEFINITION

    took: timedelta = timedelta()
    waited: timedelta = timedelta()

    @property
    def percent(self) -> float | None:
        """Return the share of waiting with one decimal; None of no time at all."""
        return round(min(100.0, 100 * self.waited / self.took), 1) if self.took else None


def together(parts: Iterable[Waited]) -> Waited:
    """Return some parts added up."""
    listed = tuple(parts)
    return Waited(sum((one.took for one in listed), timedelta()), sum((one.waited for one in listed), timedelta()))
