"""The same trouble again: orders of the same asset and trade, close to each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(days=90)
# From this one on it is said: a fault that was mended twice was not mended.
TELLING = 3


@dataclass(frozen=True)
class Seen:
    """An order of an asset that was not canceled: its number, its trade, and when it was made (aware UTC)."""

    id: int
    trade: str
    at: datetime


@dataclass(frozen=True)
class Repeat:
    """The `number`-th order of the same asset and trade within 90 days; `earlier` are the others, the newest first."""

    trade: str
    number: int
    earlier: tuple[int, ...]


def repeat_of(orders: Iterable[Seen], trade: str, at: datetime, order_id: int | None = None) -> Repeat | None:
    """Return which time it is at `at` (aware UTC), None when it need not be said.

    `orders` are those of the asset. `order_id` is the order that was made then, None for one that is about to be.
    """
    before = [one for one in orders if one.trade == trade and one.id != order_id and at - WINDOW < one.at]
    before = [one for one in before if (one.at, one.id) < (at, order_id or one.id + 1)]
    if len(before) + 1 < TELLING:
        return None
    before.sort(key=lambda one: (one.at, one.id), reverse=True)
    return Repeat(trade, len(before) + 1, tuple(one.id for one in before))


def repeats(orders: Iterable[Seen], now: datetime) -> list[Repeat]:
    """Return the trades in which an asset had three or more orders within the 90 days before `now`, most first."""
    known = [one for one in orders if now - WINDOW < one.at <= now]
    found = []
    for trade in sorted({one.trade for one in known}):
        mine = sorted((one for one in known if one.trade == trade), key=lambda one: (one.at, one.id), reverse=True)
        if len(mine) >= TELLING:
            found.append(Repeat(trade, len(mine), tuple(one.id for one in mine)))
    return sorted(found, key=lambda one: (-one.number, one.trade))
