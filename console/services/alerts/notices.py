"""What people were told, and when: so that the same is not told again before its interval is over."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import cast

from sqlalchemy import Table, delete, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from console.core.context import Context
from console.models.alerts import AlertNotice
from console.services.jobs.runs import changed

_TABLE = cast("Table", AlertNotice.__table__)


def of(ctx: Context, key: str) -> AlertNotice | None:
    """Return what is remembered under a key."""
    return ctx.session.get(AlertNotice, key, populate_existing=True)


def seen(ctx: Context, key: str) -> None:
    """Remember that it is so now."""
    _ensure(ctx, key)
    ctx.session.execute(update(AlertNotice).where(AlertNotice.key == key).values(seen_at=ctx.now()))


def claim(ctx: Context, key: str, before: datetime) -> bool:
    """Take the right to tell it now: nobody was told since `before`. Of two that ask at once, one gets it."""
    _ensure(ctx, key)
    told_long_ago = or_(AlertNotice.notified_at.is_(None), AlertNotice.notified_at <= before)
    statement = update(AlertNotice).where(AlertNotice.key == key, told_long_ago).values(notified_at=ctx.now())
    return changed(ctx, statement) == 1


def forget(ctx: Context, keys: Collection[str]) -> None:
    """Let what is over be told at once when it comes again."""
    if keys:
        ctx.session.execute(delete(AlertNotice).where(AlertNotice.key.in_(keys)))


def _ensure(ctx: Context, key: str) -> None:
    dialect = postgresql if ctx.session.get_bind().dialect.name == "postgresql" else sqlite
    ctx.session.execute(dialect.insert(_TABLE).values(key=key, seen_at=ctx.now()).on_conflict_do_nothing())
