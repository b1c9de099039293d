"""The SLA clock of one order: its marks between creation and now, and the stretches in which it waited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.domain.work_orders.waiting import Waited

CREATED, ANSWERED, DUE, ESCALATES, NOW = "created", "answered", "due", "escalates", "now"
SCALE = 1000
# What the words of a mark take of the clock's length; they stand under it, and within the clock at its ends.
WORDS = 240


@dataclass(frozen=True)
class Mark:
    """One instant on the clock (aware UTC) and where it stands, from 0 to 1000.

    `lane`: the line below the clock, from 0, on which its words have room under it.
    """

    key: str
    at: datetime
    place: int
    lane: int = 0


@dataclass(frozen=True)
class Stretch:
    """A part of the clock: `used`, `late` or `waiting`; where it begins and ends, from 0 to 1000."""

    kind: str
    start: int
    end: int

    @property
    def width(self) -> int:
        """Return how long it is."""
        return self.end - self.start


@dataclass(frozen=True)
class Clock:
    """The clock of an order, its marks in the order of time; `end` is now, or when it was closed (aware UTC).

    `answered_after` and `waited` are durations; `over`: it is closed and the clock stands.
    """

    marks: tuple[Mark, ...]
    stretches: tuple[Stretch, ...]
    answered_after: timedelta | None
    waited: timedelta
    total: timedelta
    end: datetime
    over: bool

    @property
    def lanes(self) -> int:
        """Return how many lines the words of the marks take."""
        return 1 + max(mark.lane for mark in self.marks)

    @property
    def waiting_share(self) -> int:
        """Return how much of its time it waited, in percent."""
        return round(Waited(self.total, self.waited).percent or 0)


@dataclass(frozen=True)
class Lived:
    """What a clock is drawn from: instants of an order (aware UTC) and the intervals in which it waited.

    `escalates_at`: when it escalated, or would.
    """

    created_at: datetime
    answered_at: datetime | None
    due_at: datetime
    escalates_at: datetime
    closed_at: datetime | None
    waits: Sequence[tuple[datetime, datetime | None]]


def drawn(order: Lived, now: datetime) -> Clock:
    """Return the clock of an order at `now`; a closed one stands at its end."""
    end = order.closed_at or now
    waits = [(max(start, order.created_at), min(stop or end, end)) for start, stop in order.waits]
    waited = sum((stop - start for start, stop in waits if stop > start), timedelta(0))
    last = max(end, order.due_at)
    span = (last - order.created_at) or timedelta(minutes=1)

    def place(at: datetime) -> int:
        return max(0, min(SCALE, round(SCALE * ((at - order.created_at) / span))))

    known = [
        (CREATED, order.created_at),
        (ANSWERED, order.answered_at),
        (DUE, order.due_at),
        (ESCALATES, order.escalates_at if order.due_at < order.escalates_at <= end else None),
        (NOW, end),
    ]
    marks = _laid([Mark(key, at, place(at)) for key, at in known if at is not None])
    in_time = min(end, order.due_at)
    parts = [Stretch("used", 0, place(in_time))]
    if end > order.due_at:
        parts.append(Stretch("late", place(order.due_at), place(end)))
    parts += [Stretch("waiting", place(start), place(stop)) for start, stop in waits if stop > start]
    answered = None if order.answered_at is None else order.answered_at - order.created_at
    return Clock(marks, tuple(parts), answered, waited, end - order.created_at, end, order.closed_at is not None)


def _laid(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return the marks in the order of time, each on the first line on which its words cover no others."""
    ends: list[int] = []
    found = []
    for mark in sorted(marks, key=lambda one: one.at):
        start = max(0, min(SCALE - WORDS, mark.place - WORDS // 2))
        lane = next((number for number, taken in enumerate(ends) if taken <= start), len(ends))
        ends[lane : lane + 1] = [start + WORDS]
        found.append(replace(mark, lane=lane))
    return tuple(found)
