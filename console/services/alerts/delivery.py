"""Delivering the outbox: claim in one short transaction, send outside of any, record in another.

A worker that dies in between leaves a lease that ends; the message goes out once more under the same id, which is how
a receiver knows it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from random import random
from typing import Any, Protocol

from sqlalchemy import update
from sqlalchemy.orm import sessionmaker

from console.adapters import webhooks
from console.core.context import Context, unit_of_work
from console.domain.alerts.alerts import DEAD, FAILED, Channel, Sent, Verdict, judge
from console.domain.alerts.guard import GuardRules
from console.models.alerts import AlertAttempt, AlertDelivery
from console.services.alerts import admission, claims, personal, personal_names, states, wanted
from console.services.alerts import channels as known
from console.services.alerts.claims import Claimed
from console.services.alerts.lanes import Delivered, Lanes, Recorded, Transactions, Tried
from console.services.jobs.runs import changed

THREADS = 32
# A run of the schedule ends before the next one is due, whatever still waits for a slow channel.
RUN_SECONDS = 50.0
UNGUARDED = GuardRules(enabled=False)


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


def sender_of(ctx: Context) -> Sender:
    """Return what brings the messages of this use case to their channels."""
    return _sender.get() or webhooks.Sender(ctx.config)


def deliver(
    transactions: Transactions,
    sender: Sender,
    channels: dict[str, Channel],
    *,
    most_attempts: int,
    rules: GuardRules = UNGUARDED,
    paused: Collection[str] = (),
    limit: int = 1000,
    only: Collection[int] | None = None,
    lasts: float | None = None,
    sifted: bool = True,
    worker: str = "",
    chance: Callable[[], float] = random,
) -> Delivered:
    """Send what is due, at most `limit` messages; with `only` nothing but these deliveries.

    Each channel has a lane of its own, so that one that hangs delays no other. `rules` hold back what would go to a
    channel in quarantine, and what goes to one that is `paused` waits. `sifted` leaves out what is no longer wanted and
    what waits for a snooze. After `lasts` seconds nothing more is begun.
    `transactions` opens one unit of work after another. Each message is recorded as soon as it was sent.
    """

    def write(ctx: Context, tried: Tried) -> Recorded:
        known = channels.get(tried.message.channel)
        return record(ctx, tried, known, rules=rules, most=most_attempts, worker=worker, chance=chance)

    def admit(ctx: Context, key: str, taken: Sequence[Claimed]) -> Sequence[Claimed]:
        if not key.startswith(claims.OWN):
            return wanted.sift(ctx, taken) if sifted else taken
        found = admission.admit(ctx, key, taken)
        if found.channel is not None:
            # As it is now: it may have been made while this run lasts.
            channels[key] = found.channel
        return found.messages

    with ThreadPoolExecutor(THREADS, thread_name_prefix="alert") as pool:
        lanes = Lanes(
            transactions,
            lambda message: pool.submit(_send, sender, channels, message),
            write,
            admit=admit,
            rules=rules,
            paused=paused,
            limit=limit,
            only=only,
            lasts=lasts,
        )
        return lanes.run()


def _send(sender: Sender, channels: dict[str, Channel], message: Claimed) -> Tried:
    known = channels.get(message.channel)
    begin = time.monotonic()
    if known is None:
        return Tried(message, Sent(error="the channel is no longer configured"), message.at, 0.0)
    sent = sender.send(known, message.message_id, message.payload, message.at)
    return Tried(message, sent, message.at, time.monotonic() - begin)


def record(
    ctx: Context,
    tried: Tried,
    channel: Channel | None,
    *,
    rules: GuardRules,
    most: int,
    worker: str,
    chance: Callable[[], float],
) -> Recorded:
    """Write down one attempt, what follows from it, and what it tells of its channel (None: no longer configured).

    When the lease was lost meanwhile, the attempt is still on record, and whoever holds the lease decides.
    """
    message, sent, now = tried.message, tried.sent, ctx.now()
    box = claims.box_of(message.channel)
    verdict = judge(sent, attempt=message.number, most=most, now=now, chance=chance)
    failures = 0
    if channel is not None and personal.still_there(ctx, channel):
        before = states.noted(ctx, channel, sent, event_type=message.event_type)
        failures = 0 if sent.ok else before + 1
        if sent.ok and before:
            states.release(ctx, channel.key)
        elif rules.on_trial(before) and verdict.status == DEAD:
            # It only found out that the channel is not back: nothing is lost for that.
            verdict = Verdict(FAILED, now + rules.cooldown)
    if box is AlertDelivery:
        add_attempt(ctx, message.id, message.number, sent, began=tried.began, seconds=tried.seconds, worker=worker)
    ours = changed(
        ctx,
        update(box)
        .where(box.id == message.id, box.lease_token == message.lease_token)
        .values(
            status=verdict.status,
            error=sent.error,
            next_attempt_at=verdict.next_attempt_at,
            last_attempt_at=now,
            updated_at=now,
            lease_token=None,
            lease_until=None,
        ),
    )
    if ours and box is not AlertDelivery and verdict.status == DEAD and sent.status_code is not None:
        # Refused in words, so that surely nobody got it: another address of theirs may take it.
        admission.pass_on(ctx, message)
    ctx.session.flush()
    return Recorded(verdict.status, failures)


def add_attempt(
    ctx: Context, delivery_id: int, number: int, sent: Sent, *, began: datetime, seconds: float, worker: str
) -> None:
    """Put one attempt on record."""
    ctx.session.add(
        AlertAttempt(
            delivery_id=delivery_id,
            number=number,
            started_at=began,
            duration_ms=round(seconds * 1000),
            status_code=sent.status_code,
            error=sent.error,
            worker=worker[:120],
        )
    )


def channel_map(ctx: Context) -> dict[str, Channel]:
    """Return the configured channels and the addresses of people by their key, all with what they stand for."""
    called = personal_names.in_channels(ctx)
    named = {key: replace(one, names=called.get(key, ())) for key, one in known.opened(ctx).items()}
    return named | personal.opened(ctx)


def deliver_now(ctx: Context, delivery_id: int) -> None:
    """Send one delivery that is due, without waiting for a worker; its attempt is on record afterwards.

    The caller commits before. Somebody asked for it, so that no quarantine and no snooze holds it back. Somebody else
    may be sending it already: then nothing is done.
    """
    deliver_due(ctx, limit=1, only=(delivery_id,), guarded=False)


def deliver_due(
    ctx: Context, *, limit: int, only: Collection[int] | None = None, guarded: bool = True, lasts: float | None = None
) -> Delivered:
    """Send what is due over the configured channels, each attempt in a transaction of its own.

    The open transaction of `ctx` ends here without a commit.
    """
    ctx.session.rollback()
    channels = channel_map(ctx)
    # Nothing of it stays open while strangers' servers think.
    ctx.session.rollback()
    return deliver(
        transactions(ctx),
        sender_of(ctx),
        channels,
        most_attempts=ctx.config["ALERT_MAX_ATTEMPTS"],
        rules=states.rules_of(ctx.config) if guarded else UNGUARDED,
        paused=[one.key for one in channels.values() if one.paused and guarded],
        limit=limit,
        only=only,
        lasts=lasts,
        sifted=guarded,
        worker=ctx.request_id,
    )


def transactions(ctx: Context) -> Transactions:
    """Return what opens further transactions for the same caller on the same database."""
    factory = sessionmaker(ctx.session.get_bind())
    return lambda: unit_of_work(factory, actor=ctx.actor, clock=ctx.clock, config=ctx.config, request_id=ctx.request_id)
