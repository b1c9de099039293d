"""Snoozes of things that people are reminded of: begun once, ended early by a person or by what happens to the thing.

The services of the things check permission and site, and write their events and audit entries.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, cast

from sqlalchemy import ColumnElement, ScalarSelect, Select, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from console.core.context import Context
from console.core.listing import AnySelect
from console.core.records import INTERNAL, view_of
from console.domain.alerts import snooze as rules
from console.domain.errors import Conflict
from console.domain.text import T
from console.models.alerts import AlertDelivery
from console.models.identity import User
from console.models.personal_alerts import PersonalDelivery
from console.models.snoozes import Snooze

_TABLE = cast("Table", Snooze.__table__)
LISTED_MOST = 200


@dataclass(frozen=True)
class SnoozeView:
    """One time in which nobody is reminded; instants are aware UTC.

    `ended_at` is null while it lasts, and where it lasted until `until_at`. `ended_why` is `ended` (by a person),
    `handled`, `escalated`, `worse` or `over`.
    """

    id: int
    kind: str
    thing_id: int
    reason: str
    started_at: datetime
    started_by: str
    until_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    ended_why: str | None
    started_by_name: Annotated[str, INTERNAL] = ""


def until_of(kind: str, thing: ColumnElement[int]) -> ScalarSelect[datetime]:
    """Return the column that says until when a thing's reminders wait; who reads it looks whether that has passed."""
    mine = (Snooze.kind == kind, Snooze.thing_id == thing, Snooze.ended_at.is_(None))
    return select(Snooze.until_at).where(*mine).correlate_except(Snooze).scalar_subquery()


def standing_ids(kind: str, now: datetime) -> Select[int]:
    """Return the SELECT of the things of a kind whose reminders wait at `now`."""
    return select(Snooze.thing_id).where(Snooze.kind == kind, Snooze.ended_at.is_(None), Snooze.until_at > now)


def begin(ctx: Context, kind: str, thing_id: int, until: datetime, reason: str, now: datetime) -> SnoozeView:
    """Begin one; of two that begin at once, one does. Raises Invalid, and Conflict while one lasts already."""
    rules.check(until, reason, now)
    passed = update(Snooze).where(
        Snooze.kind == kind, Snooze.thing_id == thing_id, Snooze.ended_at.is_(None), Snooze.until_at <= now
    )
    _change(ctx, passed.values(ended_at=Snooze.until_at, ended_why=rules.OVER))
    values = {
        "kind": kind,
        "thing_id": thing_id,
        "reason": reason.strip(),
        "started_at": now,
        "started_by": ctx.actor.username,
        "until_at": until,
    }
    dialect = postgresql if ctx.session.get_bind().dialect.name == "postgresql" else sqlite
    made = dialect.insert(_TABLE).values(values).on_conflict_do_nothing().returning(_TABLE.c.id)
    number = ctx.session.execute(made).scalar_one_or_none()
    if number is None:
        raise Conflict(T("Reminders are put off already"), code="snoozed")
    return view_of(SnoozeView, ctx.session.get_one(Snooze, number), started_by_name=ctx.actor.display_name)


def end(ctx: Context, kind: str, ids: Collection[int] | Select[Any], why: str, now: datetime) -> tuple[SnoozeView, ...]:
    """End those of these things that last at `now`, let out what they held back, and return them."""
    standing = update(Snooze).where(
        Snooze.kind == kind, Snooze.thing_id.in_(ids), Snooze.ended_at.is_(None), Snooze.until_at > now
    )
    values = {"ended_at": now, "ended_by": ctx.actor.username, "ended_why": why}
    found = _change(ctx, standing.values(**values).returning(Snooze)).scalars().all()
    ended = tuple(view_of(SnoozeView, row, started_by_name=row.started_by) for row in found)
    if ended:
        for box in (AlertDelivery, PersonalDelivery):
            held = update(box).where(box.snooze_id.in_([one.id for one in ended]), box.next_attempt_at > now)
            _change(ctx, held.values(next_attempt_at=now, updated_at=now))
    return ended


def standing(ctx: Context, kind: str, thing_id: int, now: datetime) -> SnoozeView | None:
    """Return the one that lasts at `now`, with the name of who began it."""
    row = ctx.session.execute(
        _named().where(
            Snooze.kind == kind, Snooze.thing_id == thing_id, Snooze.ended_at.is_(None), Snooze.until_at > now
        )
    ).first()
    return None if row is None else _view(row)


def listed(ctx: Context, kind: str, thing_id: int) -> tuple[SnoozeView, ...]:
    """Return those of a thing, newest first."""
    mine = _named().where(Snooze.kind == kind, Snooze.thing_id == thing_id)
    return tuple(_view(row) for row in ctx.session.execute(mine.order_by(Snooze.id.desc()).limit(LISTED_MOST)))


def _named() -> AnySelect:
    return select(Snooze, User.display_name).outerjoin(User, User.username == Snooze.started_by)


def _view(row: Any) -> SnoozeView:
    return view_of(SnoozeView, row[0], started_by_name=row[1] or row[0].started_by)


def _change(ctx: Context, statement: Any) -> Any:
    return ctx.session.execute(statement, execution_options={"synchronize_session": False})
