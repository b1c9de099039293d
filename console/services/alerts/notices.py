"""What people were told, and when: so that the same is not told again before its interval is over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, cast

from sqlalchemy import Table, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from console.core.context import Context
from console.models.alerts import AlertNotice
from console.services.jobs.runs import changed

_TABLE = cast("Table", AlertNotice.__table__)
_AT_ONCE = 200


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


def claim_many(ctx: Context, wanted: Mapping[str, datetime], interval: timedelta, *, now: datetime) -> frozenset[str]:
    """Take the right to tell each of these at its instant; return the keys of those that nobody was told within it.

    What waits to be told counts from when it will be (`told_already` in the domain); `now` marks whose claim it is. Of
    two that ask at once one gets a key; both take them in one order, so that neither waits for the other.
    """
    won: set[str] = set()
    told = _TABLE.c.notified_at
    for at, keys in groupby(sorted(wanted), wanted.__getitem__):
        for part in _parts(list(keys)):
            rows = [{"key": key, "seen_at": now, "notified_at": at} for key in part]
            statement = _dialect(ctx).insert(_TABLE).values(rows)
            moved = {"seen_at": statement.excluded.seen_at, "notified_at": statement.excluded.notified_at}
            statement = statement.on_conflict_do_update(
                index_elements=["key"], set_=moved, where=or_(told.is_(None), told <= at - interval)
            )
            won |= set(ctx.session.scalars(statement.returning(_TABLE.c.key)))
    return frozenset(won)


def held(ctx: Context, wanted: Mapping[str, datetime]) -> frozenset[str]:
    """Return those of the keys whose claim is still the one of its instant, and was not taken anew since."""
    found: set[str] = set()
    for part in _parts(sorted(wanted)):
        rows = ctx.session.execute(select(_TABLE.c.key, _TABLE.c.seen_at).where(_TABLE.c.key.in_(part)))
        found |= {row.key for row in rows if row.seen_at == wanted[row.key]}
    return frozenset(found)


def move(ctx: Context, keys: Iterable[str], at: datetime) -> None:
    """Let claims that are held count from another instant: when it is really told."""
    for part in _parts(sorted(keys)):
        ctx.session.execute(
            update(_TABLE).where(_TABLE.c.key.in_(part)).values(notified_at=at),
            execution_options={"synchronize_session": False},
        )


def forget_old(ctx: Context, prefix: str, before: datetime) -> None:
    """Remove what was told before an instant, of the keys that begin with `prefix`."""
    old = (AlertNotice.key.startswith(prefix, autoescape=True), AlertNotice.notified_at < before)
    ctx.session.execute(delete(AlertNotice).where(*old), execution_options={"synchronize_session": False})


def _parts(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def _dialect(ctx: Context) -> Any:
    return postgresql if ctx.session.get_bind().dialect.name == "postgresql" else sqlite


def forget(ctx: Context, keys: Collection[str]) -> None:
    """Let what is over be told at once when it comes again."""
    if keys:
        ctx.session.execute(delete(AlertNotice).where(AlertNotice.key.in_(keys)))


def _ensure(ctx: Context, key: str) -> None:
    ctx.session.execute(_dialect(ctx).insert(_TABLE).values(key=key, seen_at=ctx.now()).on_conflict_do_nothing())
