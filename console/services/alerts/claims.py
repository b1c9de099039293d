"""Who sends which message: taking what is due for as long as a lease lasts, and giving back what was not sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, or_, select, update

from console.core.context import Context
from console.models.alerts import AlertDelivery

BATCH = 50
LEASE = timedelta(seconds=120)


@dataclass(frozen=True)
class Claimed:
    """A message that is ours to send until its lease ends."""

    id: int
    message_id: str
    event_type: str
    channel: str
    payload: dict[str, Any]
    number: int
    lease_token: str
    at: datetime
    raised_at: datetime
    site: str | None = None


def claim(
    ctx: Context, *, most: int = BATCH, only: Collection[int] | None = None, channel: str | None = None
) -> list[Claimed]:
    """Take messages that are due (of `only`, of one `channel`), oldest first; nobody else gets them meanwhile."""
    now, token = ctx.now(), str(uuid4())
    due = _due(now, only)
    if channel is not None:
        due.append(AlertDelivery.channel == channel)
    chosen = select(AlertDelivery.id).where(*due).order_by(AlertDelivery.next_attempt_at, AlertDelivery.id).limit(most)
    taken = ctx.session.execute(
        update(AlertDelivery)
        .where(AlertDelivery.id.in_(chosen.with_for_update(skip_locked=True).scalar_subquery()), *due)
        .values(lease_token=token, lease_until=now + LEASE, attempt_count=AlertDelivery.attempt_count + 1)
        .returning(
            AlertDelivery.id,
            AlertDelivery.message_id,
            AlertDelivery.event_type,
            AlertDelivery.channel,
            AlertDelivery.payload_json,
            AlertDelivery.attempt_count,
            AlertDelivery.created_at,
            AlertDelivery.site,
        )
    )
    rows = [
        Claimed(
            id=row.id,
            message_id=row.message_id,
            event_type=row.event_type,
            channel=row.channel,
            payload=row.payload_json,
            number=row.attempt_count,
            lease_token=token,
            at=now,
            raised_at=row.created_at,
            site=row.site,
        )
        for row in taken
    ]
    return sorted(rows, key=lambda row: row.id)


def channels_due(ctx: Context, only: Collection[int] | None = None) -> list[str]:
    """Return the keys of the channels for which something is due (of `only`)."""
    found = select(AlertDelivery.channel).where(*_due(ctx.now(), only)).group_by(AlertDelivery.channel)
    return sorted(ctx.session.scalars(found))


def give_back(ctx: Context, messages: Sequence[Claimed]) -> None:
    """Leave messages that were taken and not sent to whoever comes next; no attempt is counted."""
    for token in {one.lease_token for one in messages}:
        ids = [one.id for one in messages if one.lease_token == token]
        ctx.session.execute(
            update(AlertDelivery)
            .where(AlertDelivery.id.in_(ids), AlertDelivery.lease_token == token)
            .values(lease_token=None, lease_until=None, attempt_count=AlertDelivery.attempt_count - 1),
            execution_options={"synchronize_session": False},
        )


def _due(now: datetime, only: Collection[int] | None) -> list[ColumnElement[bool]]:
    free = or_(AlertDelivery.lease_until.is_(None), AlertDelivery.lease_until <= now)
    due = [AlertDelivery.next_attempt_at <= now, free]
    if only is not None:
        due.append(AlertDelivery.id.in_(only))
    return due
