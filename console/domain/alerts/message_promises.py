"""Which messages should have left for which causes, and whether anybody got them, from raw rows of the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from console.domain.alerts.accuracy import (
    DEAD_CHANNEL,
    DELETED_DELIVERY,
    DOUBLED_ALERT,
    MISSED_ALERT,
    REACHED_WITHIN,
    WITHOUT_CAUSE,
    Finding,
)
from console.domain.alerts.alerts import SUCCESS

# A message is raised in the transaction of its cause: it is at most this much younger.
_TOGETHER = timedelta(minutes=10)


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery as its row tells it; instants are aware UTC. `spared`: nobody had to get it, or not yet."""

    id: int
    channel: str
    status: str
    attempt_count: int
    last_attempt_at: datetime
    created_at: datetime
    site: str | None = None
    spared: bool = False


@dataclass(frozen=True)
class Message:
    """One alert: its deliveries, one for each channel."""

    event_type: str
    at: datetime
    rows: tuple[DeliveryRow, ...]

    @property
    def channels(self) -> frozenset[str]:
        """Return the channels that it was meant for."""
        return frozenset(row.channel for row in self.rows)

    @property
    def reached(self) -> bool:
        """Return whether anybody got it."""
        return any(row.status == SUCCESS for row in self.rows)

    @property
    def spared(self) -> bool:
        """Return whether nobody had to get it, because it was handled or put off in time."""
        return any(row.spared for row in self.rows)


@dataclass(frozen=True)
class Cause:
    """What had to be told at an instant (aware UTC): `count` incidents; a `certain` one is known to have been told."""

    at: datetime
    count: int
    certain: bool = False


def paired(causes: Sequence[Cause], messages: Iterable[Message]) -> Iterator[tuple[Cause | None, Message | None]]:
    """Yield each cause with its message, both given oldest first: the first that follows within ten minutes."""
    waiting = iter(messages)
    message = next(waiting, None)
    for cause in causes:
        while message is not None and message.at < cause.at:
            yield None, message
            message = next(waiting, None)
        if message is not None and message.at <= cause.at + _TOGETHER:
            yield cause, message
            message = next(waiting, None)
        else:
            yield cause, None
    while message is not None:
        yield None, message
        message = next(waiting, None)


def judge_message(cause: Cause | None, message: Message, now: datetime, *, needs_cause: bool) -> Iterator[Finding]:
    """Yield what is wrong with one message by itself."""
    first = message.rows[0]
    detail = {"event_type": message.event_type}
    if needs_cause and cause is None:
        yield Finding(WITHOUT_CAUSE, message.at, delivery_id=first.id, detail=detail)
    if needs_cause and len(message.rows) > len(message.channels):
        yield Finding(DOUBLED_ALERT, message.at, delivery_id=message.rows[-1].id, detail=detail)
    if not message.reached and not message.spared and message.at < now - REACHED_WITHIN:
        count = max(1, cause.count if cause else 1)
        yield Finding(MISSED_ALERT, message.at, count=count, delivery_id=first.id, site=first.site, detail=detail)


def judge_channels(before: Message | None, message: Message, after: frozenset[str] | None) -> Iterator[Finding]:
    """Yield a finding for each channel that got the messages before and after, but has no row of this one."""
    if before is None or after is None:
        return
    for channel in sorted((before.channels & after) - message.channels):
        detail = {"event_type": message.event_type}
        first = message.rows[0]
        yield Finding(DELETED_DELIVERY, message.at, delivery_id=first.id, channel=channel, detail=detail)


def judge_absence(
    cause: Cause, event_type: str, before: Message | None, after: frozenset[str] | None
) -> Finding | None:
    """Return the finding for a cause that has no message at all.

    A message that is not known to have been raised is missed only where there were channels before and after.
    """
    if not cause.certain and not (before is not None and after and before.channels & after):
        return None
    return Finding(DELETED_DELIVERY, cause.at, detail={"event_type": event_type, "whole": True})


@dataclass
class ChannelLife:
    """What one channel took and did not take, row by row in any order."""

    last_success: datetime | None = None
    failed: list[datetime] = field(default_factory=list)
    count: int = 0

    def see(self, row: DeliveryRow, now: datetime) -> None:
        """Take one delivery into account."""
        if row.status == SUCCESS:
            self.last_success = max(self.last_success or row.last_attempt_at, row.last_attempt_at)
        elif row.attempt_count and not row.spared and row.created_at < now - REACHED_WITHIN:
            self.count += 1
            self.failed = [min([*self.failed, row.created_at]), max([*self.failed, row.created_at])]

    def finding(self, channel: str) -> Finding | None:
        """Return the finding of a channel that took nothing since, or None."""
        if not self.failed or (self.last_success is not None and self.last_success > self.failed[1]):
            return None
        return Finding(DEAD_CHANNEL, self.failed[0], self.failed[1], count=self.count, channel=channel)
