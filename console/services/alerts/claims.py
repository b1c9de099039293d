"""Who sends which message: taking what is due for as long as a lease lasts, and giving back what was not sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, or_, select, update

from console.core.context import Context
from console.models.alerts import AlertDelivery, Outgoing
from console.models.personal_alerts import PersonalDelivery

BATCH = 50
# What the keys of the addresses of people begin with.
OWN = "own-"
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


def box_of(channel: str) -> type[Outgoing]:
    """Return the table in which the messages of a channel, or of an address of a person, wait."""
    return PersonalDelivery if channel.startswith(OWN) else AlertDelivery


def claim(
    ctx: Context, *, most: int = BATCH, only: Collection[int] | None = None, channel: str | None = None
) -> list[Claimed]:
    """Take messages that are due (of `only`, of one `channel`), oldest first; nobody else gets them meanwhile."""
    now, token, box = ctx.now(), str(uuid4()), box_of(channel or "")
    due = _due(box, now, only)
    if channel is not None:
        due.append(box.channel == channel)
    chosen = select(box.id).where(*due).order_by(box.next_attempt_at, box.id).limit(most)
    taken = ctx.session.execute(
        update(box)
        .where(box.id.in_(chosen.with_for_update(skip_locked=True).scalar_subquery()), *due)
        .values(lease_token=token, lease_until=now + LEASE, attempt_count=box.attempt_count + 1)
        .returning(
            box.id,
            box.message_id,
            box.event_type,
            box.channel,
            box.payload_json,
            box.attempt_count,
            box.created_at,
            box.site,
        )
    )
    rows = [
        Claimed(
            *(row.id, row.message_id, row.event_type, row.channel, row.payload_json, row.attempt_count),
            lease_token=token,
            at=now,
            raised_at=row.created_at,
            site=row.site,
        )
        for row in taken
    ]
    return sorted(rows, key=lambda row: row.id)


def channels_due(ctx: Context, only: Collection[int] | None = None) -> list[str]:
    """Return the keys of the channels for which something is due; of `only`, these deliveries of channels alone."""
    found: set[str] = set()
    for box in (AlertDelivery,) if only is not None else (AlertDelivery, PersonalDelivery):
        found |= set(ctx.session.scalars(select(box.channel).where(*_due(box, ctx.now(), only)).group_by(box.channel)))
    return sorted(found)


def give_back(ctx: Context, messages: Sequence[Claimed], *, until: datetime | None = None) -> None:
    """Leave messages that were taken and not sent to whoever comes next (from `until` on); no attempt is counted."""
    for token, channel in sorted({(one.lease_token, one.channel) for one in messages}):
        box = box_of(channel)
        ids = [one.id for one in messages if (one.lease_token, one.channel) == (token, channel)]
        values: dict[str, Any] = {"lease_token": None, "lease_until": None, "attempt_count": box.attempt_count - 1}
        if until is not None:
            values["next_attempt_at"] = until
        ctx.session.execute(
            update(box).where(box.id.in_(ids), box.lease_token == token).values(**values),
            execution_options={"synchronize_session": False},
        )


def _due(box: type[Outgoing], now: datetime, only: Collection[int] | None) -> list[ColumnElement[bool]]:
    free = or_(box.lease_until.is_(None), box.lease_until <= now)
    due = [box.next_attempt_at <= now, free]
    if only is not None:
        due.append(box.id.in_(only))
    return due
