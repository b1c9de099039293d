"""Delivering the outbox: claim in one short transaction, send outside of any, record in another.

A worker that dies in between leaves a lease that ends; the message goes out once more under the same id, which is how
a receiver knows it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy import or_, select, update
from sqlalchemy.orm import sessionmaker

from console.adapters import webhooks
from console.core.context import Context, unit_of_work
from console.domain.alerts.alerts import DEAD, SUCCESS, Channel, Sent, judge
from console.models.alerts import AlertAttempt, AlertDelivery
from console.services.alerts import outbox as alerts

BATCH = 50
THREADS = 8
LEASE = timedelta(seconds=120)

Transactions = Callable[[], AbstractContextManager[Context]]


class Sender(Protocol):
    """Brings a message to a channel; one object serves many threads."""

    def send(self, channel: Channel, message_id: str, payload: Mapping[str, Any], at: datetime, /) -> Sent:
        """Send one message and tell what came of it; `at` is aware UTC."""


_sender: ContextVar[Sender | None] = ContextVar("sender", default=None)


@contextmanager
def sending_with(sender: Sender) -> Iterator[None]:
    """Let this sender bring the messages of the use cases within, and nothing leave the machine: for replays."""
    token = _sender.set(sender)
    try:
        yield
    finally:
        _sender.reset(token)


@dataclass(frozen=True)
class Claimed:
    """A message that is ours to send until its lease ends."""

    id: int
    message_id: str
    channel: str
    payload: dict[str, Any]
    number: int
    lease_token: str
    at: datetime


@dataclass(frozen=True)
class Delivered:
    """How many attempts were made and what came of them; `dead` are given up for good."""

    processed_count: int = 0
    success_count: int = 0
    failed_count: int = 0
    dead_count: int = 0
    delivery_ids: tuple[int, ...] = ()

    def plus(self, delivery_id: int, status: str) -> Delivered:
        """Count one more attempt."""
        return Delivered(
            self.processed_count + 1,
            self.success_count + (status == SUCCESS),
            self.failed_count + (status != SUCCESS),
            self.dead_count + (status == DEAD),
            (*self.delivery_ids, delivery_id)[:200],
        )


def deliver(
    transactions: Transactions,
    sender: Sender,
    channels: dict[str, Channel],
    *,
    most_attempts: int,
    limit: int = 1000,
    only: Collection[int] | None = None,
    worker: str = "",
    chance: Callable[[], float] = random,
) -> Delivered:
    """Send what is due, at most `limit` messages, several at a time; with `only` nothing but these deliveries.

    `transactions` opens one unit of work after another. Each message is recorded as soon as it was sent.
    """
    found = Delivered()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="alert") as pool:
        while found.processed_count < limit:
            with transactions() as ctx:
                batch = claim(ctx, most=min(BATCH, limit - found.processed_count), only=only)
            if not batch:
                return found
            for message, sent, began, seconds in pool.map(lambda one: _send(sender, channels, one), batch):
                with transactions() as ctx:
                    status = record(
                        ctx,
                        message,
                        sent,
                        began=began,
                        seconds=seconds,
                        most=most_attempts,
                        worker=worker,
                        chance=chance,
                    )
                found = found.plus(message.id, status)
    return found


def claim(ctx: Context, *, most: int = BATCH, only: Collection[int] | None = None) -> list[Claimed]:
    """Take messages that are due (of `only`), oldest first; nobody else gets them until their lease ends."""
    now = ctx.now()
    free = or_(AlertDelivery.lease_until.is_(None), AlertDelivery.lease_until <= now)
    due = [AlertDelivery.next_attempt_at <= now, free]
    if only is not None:
        due.append(AlertDelivery.id.in_(only))
    chosen = select(AlertDelivery.id).where(*due).order_by(AlertDelivery.next_attempt_at, AlertDelivery.id).limit(most)
    token = str(uuid4())
    taken = ctx.session.execute(
        update(AlertDelivery)
        .where(AlertDelivery.id.in_(chosen.with_for_update(skip_locked=True).scalar_subquery()), *due)
        .values(lease_token=token, lease_until=now + LEASE, attempt_count=AlertDelivery.attempt_count + 1)
        .returning(
            AlertDelivery.id,
            AlertDelivery.message_id,
            AlertDelivery.channel,
            AlertDelivery.payload_json,
            AlertDelivery.attempt_count,
        )
    )
    rows = [
        Claimed(row.id, row.message_id, row.channel, row.payload_json, row.attempt_count, token, now) for row in taken
    ]
    return sorted(rows, key=lambda row: row.id)


def _send(sender: Sender, channels: dict[str, Channel], message: Claimed) -> tuple[Claimed, Sent, datetime, float]:
    known = channels.get(message.channel)
    begin = time.monotonic()
    if known is None:
        return message, Sent(error="the channel is no longer configured"), message.at, 0.0
    sent = sender.send(known, message.message_id, message.payload, message.at)
    return message, sent, message.at, time.monotonic() - begin


def record(
    ctx: Context,
    message: Claimed,
    sent: Sent,
    *,
    began: datetime,
    seconds: float,
    most: int,
    worker: str,
    chance: Callable[[], float],
) -> str:
    """Write down one attempt and what follows from it; returns the delivery's status.

    When the lease was lost meanwhile, the attempt is still on record, and whoever holds the lease decides.
    """
    now = ctx.now()
    verdict = judge(sent, attempt=message.number, most=most, now=now, chance=chance)
    ctx.session.add(
        AlertAttempt(
            delivery_id=message.id,
            number=message.number,
            started_at=began,
            duration_ms=round(seconds * 1000),
            status_code=sent.status_code,
            error=sent.error,
            worker=worker[:120],
        )
    )
    ctx.session.execute(
        update(AlertDelivery)
        .where(AlertDelivery.id == message.id, AlertDelivery.lease_token == message.lease_token)
        .values(
            status=verdict.status,
            error=sent.error,
            next_attempt_at=verdict.next_attempt_at,
            last_attempt_at=now,
            updated_at=now,
            lease_token=None,
            lease_until=None,
        )
    )
    ctx.session.flush()
    return verdict.status


def channel_map(ctx: Context) -> dict[str, Channel]:
    """Return the configured channels by their key."""
    return alerts.known_channels(ctx.config)


def deliver_now(ctx: Context, delivery_id: int) -> None:
    """Send one delivery that is due, without waiting for a worker; its attempt is on record afterwards.

    The caller commits before. Somebody else may be sending it already: then nothing is done.
    """
    deliver_due(ctx, limit=1, only=(delivery_id,))


def deliver_due(ctx: Context, *, limit: int, only: Collection[int] | None = None) -> Delivered:
    """Send what is due over the configured channels, each attempt in a transaction of its own.

    The open transaction of `ctx` ends here without a commit.
    """
    ctx.session.rollback()
    return deliver(
        transactions(ctx),
        _sender.get() or webhooks.Sender(ctx.config),
        channel_map(ctx),
        most_attempts=ctx.config["ALERT_MAX_ATTEMPTS"],
        limit=limit,
        only=only,
        worker=ctx.request_id,
    )


def transactions(ctx: Context) -> Transactions:
    """Return what opens further transactions for the same caller on the same database."""
    factory = sessionmaker(ctx.session.get_bind())
    return lambda: unit_of_work(factory, actor=ctx.actor, clock=ctx.clock, config=ctx.config, request_id=ctx.request_id)
