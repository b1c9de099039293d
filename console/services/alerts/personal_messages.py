"""What was sent to people, or is going to be: read by nobody but them, and forgotten without an archive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from console.core.context import Context
from console.core.records import view_of
from console.models.personal_alerts import PersonalDelivery
from console.services.alerts import notices

LATEST = 10


@dataclass(frozen=True)
class MessageView:
    """A message to the caller; `next_attempt_at` is when it goes out, or is tried again. Instants are aware UTC."""

    id: int
    event_type: str
    target: str
    status: str
    error: str | None
    attempt_count: int
    created_at: datetime
    last_attempt_at: datetime
    next_attempt_at: datetime | None


def latest(ctx: Context) -> tuple[MessageView, ...]:
    """Return the newest messages to the caller, without what they say: one query."""
    mine = select(PersonalDelivery).where(PersonalDelivery.user_id == ctx.actor.user_id)
    rows = ctx.session.scalars(mine.order_by(PersonalDelivery.id.desc()).limit(LATEST))
    return tuple(view_of(MessageView, row) for row in rows)


def forget(ctx: Context, cutoff: datetime) -> None:
    """Remove messages whose last attempt is long ago and none is to come, and that people were told of their things."""
    old = (PersonalDelivery.last_attempt_at < cutoff, PersonalDelivery.next_attempt_at.is_(None))
    ctx.session.execute(delete(PersonalDelivery).where(*old), execution_options={"synchronize_session": False})
    notices.forget_old(ctx, "person:", cutoff)
