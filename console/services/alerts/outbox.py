"""The alert outbox: raise an alert in the transaction of its cause, list deliveries, ask for another attempt."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import uuid4

from sqlalchemy import ColumnElement, func, or_, select, update

from console.core.context import Context
from console.core.records import INTERNAL, Fact, JsonObject, view_of
from console.core.serialize import plain
from console.domain.alerts import guard
from console.domain.alerts.alerts import (
    DEAD,
    DROPPED,
    FAILED,
    NAMED,
    PUBLISHED_STATUSES,
    QUEUED,
    SUCCESS,
    WARNING,
    Channel,
)
from console.domain.alerts.personal import Thing, things_of
from console.domain.alerts.routing import fitted, part_of, shortened
from console.domain.errors import Conflict, NotFound
from console.domain.text import N_, T
from console.models.alerts import AlertAttempt, AlertDelivery
from console.services.alerts import audience, channels
from console.services.alerts.audience import Spread
from console.services.audit import record as audit

READ = ("admins:manage", "alerts:read")
WRITE = ("admins:manage", "alerts:manage")


@dataclass(frozen=True)
class Attempt:
    """One attempt: its number, when it began (UTC), how long it took in ms, what came of it."""

    number: int
    started_at: datetime
    duration_ms: int
    status_code: int | None
    error: str | None


@dataclass(frozen=True)
class Delivery:
    """A delivery as the API and the page show it; `target` is masked."""

    id: int
    event_type: Annotated[str, Fact(N_("Event"), sort=True)]
    target: Annotated[str, Fact(N_("Channel"), sort=True)]
    status: Annotated[str, Fact(N_("Status"), sort=True)]
    error: Annotated[str | None, Fact(N_("Error"))]
    payload: JsonObject
    attempt_count: Annotated[int, Fact(N_("Attempts"), sort=True, numeric=True)]
    last_attempt_at: Annotated[datetime, Fact(N_("Last attempt"), sort=True)]
    created_at: Annotated[datetime, Fact(N_("Raised"), sort=True, shown=False)]
    updated_at: datetime
    message_id: str
    channel: str
    site: Annotated[str | None, Fact(N_("Site"), sort=True, shown=False)]
    next_attempt_at: Annotated[datetime | None, Fact(N_("Next attempt"), sort=True)]
    attempts: Annotated[tuple[Attempt, ...], INTERNAL] = ()


@dataclass(frozen=True)
class ChannelResult:
    """One channel of a message: taken by the outbox, which tells later whether it arrived."""

    target: str
    success: bool
    error: str | None = None


@dataclass(frozen=True)
class Raised:
    """What became of an alert: to how many channels it goes, and which. None is an error that the caller must show."""

    queued: int
    delivery_ids: tuple[int, ...]
    error: str | None
    channels: tuple[ChannelResult, ...] = ()
    # How many people are told at their own addresses.
    people_count: int = 0

    @property
    def state(self) -> str:
        """Return `queued`, or `failed` when nobody could be told."""
        return "queued" if self.queued else "failed"


def results(ctx: Context, ids: Collection[int]) -> tuple[ChannelResult, ...]:
    """Return what became of these deliveries by now, channel by channel."""
    rows = ctx.session.execute(
        select(AlertDelivery.target, AlertDelivery.status, AlertDelivery.error)
        .where(AlertDelivery.id.in_(ids))
        .order_by(AlertDelivery.id)
    )
    return tuple(ChannelResult(row.target, row.status == SUCCESS, row.error) for row in rows)


def raise_alert(
    ctx: Context,
    event_type: str,
    payload: Mapping[str, Any],
    *,
    site: str | None = None,
    targets: Sequence[Channel] | None = None,
    about: Sequence[Thing] | None = None,
    most_lines: int | None = None,
) -> Raised:
    """Queue an alert for every channel that wants it (or these `targets`) in the transaction of its cause.

    Nothing is sent here. Without any channel `error` says `no_targets`. People whom it concerns are told at their own
    addresses, or named in a channel: of the things that the message lists, or of these `about` where it lists but the
    first. What goes to `targets` is for nobody else. Each channel is told so many lines at most, of those that concern
    it.
    """
    now, told = ctx.now(), []
    for one in channels.listed(ctx) if targets is None else targets:
        message = None if one.paused else fitted(one.wants, event_type, payload, site)
        if message is not None:
            told.append((one, shortened(message, most_lines)))
    people = Spread()
    if targets is None:
        things = things_of(event_type, payload, site) if about is None else about
        people = audience.spread(ctx, event_type, payload, things, told)
    if not told:
        return Raised(0, (), "no_targets", people_count=people.people)
    raised_id = str(uuid4())
    rows = [
        AlertDelivery(
            raised_id=raised_id,
            message_id=f"msg_{uuid4().hex}",
            event_type=event_type[:80],
            channel=one.key,
            target=one.label[:400],
            site=site,
            payload_json=plain(_naming(message, people.named.get(one.key))),
            last_attempt_at=now,
            next_attempt_at=now,
            created_at=now,
            updated_at=now,
        )
        for one, message in told
    ]
    ctx.session.add_all(rows)
    ctx.session.flush()
    taken = tuple(ChannelResult(one.label, success=True) for one, _message in told)
    return Raised(len(rows), tuple(row.id for row in rows), None, taken, people.people)


def _naming(message: Mapping[str, Any], named: Mapping[str, list[str]] | None) -> Mapping[str, Any]:
    """Return a message with the people that its channel names, where it names any, each with what is theirs."""
    return {**message, NAMED: named} if named else message


def visible(ctx: Context) -> list[ColumnElement[bool]]:
    """Return the condition that limits deliveries to the caller's sites; those without site are the platform's."""
    ctx.actor.require(*READ)
    if ctx.actor.all_sites:
        return []
    return [or_(AlertDelivery.site.is_(None), AlertDelivery.site.in_(ctx.actor.site_scope))]


def get(ctx: Context, delivery_id: int) -> Delivery:
    """Return one delivery with its attempts, newest first; raises NotFound, also for other sites' ids."""
    row = _load(ctx, delivery_id)
    attempts = ctx.session.scalars(
        select(AlertAttempt).where(AlertAttempt.delivery_id == row.id).order_by(AlertAttempt.id.desc()).limit(100)
    )
    return within(ctx, view(row, tuple(attempts)))


def retry(ctx: Context, delivery_id: int) -> Delivery:
    """Make a delivery due at once, whatever its status but delivered or under way; raises NotFound, Conflict.

    One that was dropped becomes a failed one by that: somebody wants it after all. `retried` puts on record what came
    of it.
    """
    ctx.actor.require(*WRITE)
    now = ctx.now()
    row = _load(ctx, delivery_id)
    if row.status == SUCCESS:
        raise Conflict(T("This alert was delivered already"))
    moved = ctx.session.execute(
        update(AlertDelivery)
        .where(AlertDelivery.id == row.id, AlertDelivery.status == row.status, _unclaimed(now))
        .values(status=FAILED if row.status in (DEAD, DROPPED) else row.status, next_attempt_at=now, updated_at=now)
        .returning(AlertDelivery.id)
    ).all()
    if not moved:
        raise Conflict(T("This alert is being sent at the moment"))
    ctx.session.refresh(row)
    return within(ctx, view(row))


def retried(ctx: Context, delivery_id: int) -> Delivery:
    """Return a delivery that was sent again, and put that on record with what it is now (API contract, audit actions).

    Begins a transaction of its own, because nothing is sent inside one.
    """
    ctx.begin_write()
    found = within(ctx, view(_load(ctx, delivery_id)))
    detail = {"event_type": found.event_type, "target": found.target, "status": found.status}
    audit.record(ctx, "alert_delivery_retry", "alert_delivery", found.id, status=found.status, detail=detail)
    return found


def due_for_retry(
    ctx: Context,
    *,
    event_type: str | None,
    statuses: Collection[str],
    limit: int,
    max_attempt_count: int,
    min_age: timedelta,
    patient: bool = False,
) -> tuple[int, ...]:
    """Make failed deliveries of the caller's sites due at once and return their ids, oldest first (API contract).

    What was delivered or dropped is never sent again, whatever `statuses` says. `patient` leaves those alone whose next
    attempt is yet to come: a receiver may have asked for that time.
    """
    ctx.actor.require(*WRITE)
    now = ctx.now()
    conditions = [
        *visible(ctx),
        AlertDelivery.status.in_(statuses),
        AlertDelivery.status.not_in((SUCCESS, DROPPED)),
        AlertDelivery.attempt_count < max_attempt_count,
        AlertDelivery.last_attempt_at <= now - min_age,
        _unclaimed(now),
    ]
    if event_type:
        conditions.append(AlertDelivery.event_type == event_type)
    if patient:
        conditions.append(or_(AlertDelivery.next_attempt_at.is_(None), AlertDelivery.next_attempt_at <= now))
    oldest = select(AlertDelivery.id).where(*conditions).order_by(AlertDelivery.last_attempt_at, AlertDelivery.id)
    chosen = oldest.limit(limit).scalar_subquery()
    moved = ctx.session.scalars(
        update(AlertDelivery)
        .where(AlertDelivery.id.in_(chosen), _unclaimed(now))
        .values(next_attempt_at=now, updated_at=now)
        .returning(AlertDelivery.id)
    )
    return tuple(sorted(moved))


def record_batch(ctx: Context, detail: Mapping[str, Any], status: str) -> None:
    """Put a batch retry on record; `status` is that of its run."""
    audit.record(ctx, "alert_retry_batch_run", "alert_delivery", "batch", status=status, detail=plain(detail))


def outbox(ctx: Context) -> dict[str, int]:
    """Count deliveries per status; every word is there."""
    rows = ctx.session.execute(
        select(AlertDelivery.status, func.count().label("number")).where(*visible(ctx)).group_by(AlertDelivery.status)
    )
    found = {str(row.status): int(row.number) for row in rows}
    return {word: found.get(word, 0) for word in (QUEUED, *PUBLISHED_STATUSES, DEAD, DROPPED)}


def view(row: AlertDelivery, attempts: tuple[AlertAttempt, ...] = ()) -> Delivery:
    """Return what may be shown of a delivery."""
    told = tuple(Attempt(one.number, one.started_at, one.duration_ms, one.status_code, one.error) for one in attempts)
    payload = dict(row.payload_json)
    if row.status == WARNING and (held := guard.blocked_guard(row.error or "")):
        payload["guard"] = held
    return view_of(Delivery, row, payload=payload, attempts=told)


def within(ctx: Context, delivery: Delivery) -> Delivery:
    """Leave out of a message about several sites what the caller may not see: what is elsewhere, and who has it."""
    if ctx.actor.all_sites:
        return delivery
    payload = part_of(delivery.payload, ("", None, *ctx.actor.site_scope))
    payload.pop(NAMED, None)
    return replace(delivery, payload=payload)


def _load(ctx: Context, delivery_id: int) -> AlertDelivery:
    row = ctx.session.scalar(select(AlertDelivery).where(AlertDelivery.id == delivery_id, *visible(ctx)))
    if row is None:
        raise NotFound(T("Alert delivery not found"))
    return row


def _unclaimed(now: datetime) -> ColumnElement[bool]:
    return or_(AlertDelivery.lease_until.is_(None), AlertDelivery.lease_until <= now)
