"""A lane for each channel: what is due goes out side by side, and a channel that hangs delays no other.

Only the thread that runs the lanes touches the database; those that send hold no transaction.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from console.core.context import Context
from console.domain.alerts.alerts import DEAD, SUCCESS, Sent
from console.domain.alerts.guard import ChannelState, GuardRules, blocked_error
from console.models.alerts import AlertDelivery
from console.services.alerts import claims, states
from console.services.alerts.claims import LEASE, Claimed

# How many messages of one channel are under way at once, and how many are taken at a time.
WIDTH, BATCH = 4, 20
PEOPLE_AT_ONCE = 16
# How often is looked for what became due meanwhile, in seconds.
LOOK_SECONDS = 0.5
# What waited longer in its lane is given back: its lease has to cover the attempt as well.
PATIENCE_SECONDS = LEASE.total_seconds() / 2
# How long what is due of a paused channel is put off at a time; taking it up again lets it out at once.
PAUSED_FOR, PAUSED = timedelta(hours=1), "channel is paused"

Transactions = Callable[[], AbstractContextManager[Context]]


@dataclass(frozen=True)
class Tried:
    """One attempt: when it began (aware UTC), how long it took, what came of it."""

    message: Claimed
    sent: Sent
    began: datetime
    seconds: float


@dataclass(frozen=True)
class Recorded:
    """Where a delivery stands after an attempt, and how many attempts of its channel have failed in a row by now."""

    status: str
    failures: int


@dataclass(frozen=True)
class Delivered:
    """How many attempts were made and what came of them; `dead` are given up for good."""

    processed_count: int = 0
    success_count: int = 0
    failed_count: int = 0
    dead_count: int = 0
    delivery_ids: tuple[int, ...] = ()
    personal_count: int = 0

    def plus(self, message: Claimed, status: str) -> Delivered:
        """Count one more attempt; those to the addresses of people count apart, and their ids are nobody else's."""
        if claims.box_of(message.channel) is not AlertDelivery:
            return replace(self, personal_count=self.personal_count + 1)
        return replace(
            self,
            processed_count=self.processed_count + 1,
            success_count=self.success_count + (status == SUCCESS),
            failed_count=self.failed_count + (status != SUCCESS),
            dead_count=self.dead_count + (status == DEAD),
            delivery_ids=(*self.delivery_ids, message.id)[:200],
        )


@dataclass
class Lane:
    """What is taken of one channel and waits, how much is under way, and whether more is due."""

    key: str
    due: bool = True
    flying: int = 0
    waiting: deque[Claimed] = field(default_factory=deque)
    taken_at: float = 0.0
    failures: int = 0

    @property
    def width(self) -> int:
        """Return how many may be under way: one while the channel is in doubt."""
        return 1 if self.failures else WIDTH


Send = Callable[[Claimed], "Future[Tried]"]
Record = Callable[[Context, Tried], Recorded]
Admit = Callable[[Context, str, Sequence[Claimed]], Sequence[Claimed]]


class Lanes:
    """One pass over what is due; `send` begins an attempt elsewhere, `record` writes down what came of it.

    `admit` looks once more at what was taken of a channel and returns what still goes out.
    """

    def __init__(
        self,
        transactions: Transactions,
        send: Send,
        record: Record,
        *,
        admit: Admit,
        rules: GuardRules,
        paused: Collection[str],
        limit: int,
        only: Collection[int] | None,
        lasts: float | None,
    ) -> None:
        self._transactions, self._send, self._record, self._admit = transactions, send, record, admit
        self._rules, self._paused, self._only = rules, paused, only
        self._left = limit
        self._end = time.monotonic() + lasts if lasts is not None else None
        self._next_look = 0.0
        self._lanes: dict[str, Lane] = {}
        self._flying: dict[Future[Tried], Lane] = {}

    def run(self) -> Delivered:
        """Send until nothing is due any more, the limit is reached or the time is over."""
        found = Delivered()
        while True:
            self._take()
            self._begin()
            if not self._flying:
                if self._left > 0 and not self._over and self._dry():
                    continue
                self._give_back(self._lanes.values())
                return replace(found, delivery_ids=tuple(sorted(found.delivery_ids)))
            done, _still = wait(self._flying, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            if done:
                found = self._keep(done, found)

    @property
    def _over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end

    def _take(self) -> None:
        """Fill the lanes that have run dry."""
        looks = time.monotonic() >= self._next_look or not self._flying
        dry = self._dry()
        if self._left <= 0 or self._over or not (looks or dry):
            return
        with self._transactions() as ctx:
            if looks:
                self._next_look = time.monotonic() + LOOK_SECONDS
                for key in claims.channels_due(ctx, self._only):
                    self._lanes.setdefault(key, Lane(key)).due = True
            dry = self._dry()
            known = states.of_channels(ctx, [lane.key for lane in dry]) if dry else {}
            for lane in dry:
                self._fill(ctx, lane, known.get(lane.key, ChannelState(lane.key)))

    def _dry(self) -> list[Lane]:
        """Return the lanes to be filled now: all channels, and some of the people, of whom there may be hundreds."""
        dry = [lane for lane in self._lanes.values() if lane.due and not lane.waiting and lane.flying < lane.width]
        people = [lane for lane in dry if lane.key.startswith(claims.OWN)]
        later = {lane.key for lane in people[PEOPLE_AT_ONCE:]}
        return [lane for lane in dry if lane.key not in later]

    def _fill(self, ctx: Context, lane: Lane, state: ChannelState) -> None:
        if self._held(ctx, lane.key, state):
            lane.due = False
            return
        lane.failures = state.consecutive_failures
        # Where nothing of what was taken goes out, the next ones are looked at.
        while lane.due and not lane.waiting and (most := min(BATCH if lane.width > 1 else 1, self._left)) > 0:
            taken = claims.claim(ctx, most=most, only=self._only, channel=lane.key)
            kept = self._admit(ctx, lane.key, taken)
            lane.waiting.extend(kept)
            lane.taken_at = time.monotonic()
            lane.due = len(taken) == most
            self._left -= len(kept)

    def _held(self, ctx: Context, key: str, state: ChannelState) -> bool:
        """Put off what is due of a channel that is paused or in quarantine; tells whether that was done."""
        if key in self._paused:
            states.hold(ctx, key, ctx.now() + PAUSED_FOR, PAUSED)
            return True
        until = state.held(ctx.now(), self._rules)
        if until is not None:
            states.hold(ctx, key, until, blocked_error(state, until))
        return until is not None

    def _begin(self) -> None:
        if self._over:
            return
        stale = [lane for lane in self._lanes.values() if lane.waiting and self._is_stale(lane)]
        self._give_back(stale)
        for lane in self._lanes.values():
            while lane.waiting and lane.flying < lane.width:
                self._flying[self._send(lane.waiting.popleft())] = lane
                lane.flying += 1

    @staticmethod
    def _is_stale(lane: Lane) -> bool:
        return time.monotonic() - lane.taken_at > PATIENCE_SECONDS

    def _keep(self, done: Iterable[Future[Tried]], found: Delivered) -> Delivered:
        """Write down what came of attempts; what waits for a channel that failed is taken anew, one by one."""
        tried = [(self._flying.pop(future), future.result()) for future in done]
        # In one order everywhere, so that two workers never wait for each other's channels.
        tried.sort(key=lambda pair: (pair[0].key, pair[1].message.id))
        with self._transactions() as ctx:
            for lane, one in tried:
                kept = self._record(ctx, one)
                found = found.plus(one.message, kept.status)
                lane.flying -= 1
                lane.failures = kept.failures
        self._give_back(lane for lane, _one in tried if lane.failures)
        return found

    def _give_back(self, lanes: Iterable[Lane]) -> None:
        unsent = [lane for lane in lanes if lane.waiting]
        if not unsent:
            return
        with self._transactions() as ctx:
            for lane in unsent:
                claims.give_back(ctx, tuple(lane.waiting))
                self._left += len(lane.waiting)
                lane.waiting.clear()
                lane.due = True
