"""The kinds of filters that lists share: by values, by instants, by days of the business zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement

from console.core.context import Context
from console.core.listing import Filter, SqlValue, Where
from console.domain.errors import Invalid
from console.domain.text import N_, T


def one_of(column: SqlValue) -> Where:
    """Return the condition of a filter whose words are values of a column."""
    return lambda _ctx, words, _now: column.in_(words)


def exact(table: Any, *keys: str) -> tuple[Filter, ...]:
    """Return the filters of programs by columns of a table: any word may be asked for, the empty one too."""
    columns = {key: getattr(table, key) for key in keys}
    return tuple(Filter(key, "", "text", one_of(column), exact=True) for key, column in columns.items())


def instant(key: str, compare: Callable[[Any, datetime], ColumnElement[bool]], column: SqlValue) -> Filter:
    """Return the filter of programs that compares a column with an instant (ISO 8601 with offset)."""
    return Filter(key, "", "date", lambda _ctx, words, _now: compare(column, datetime.fromisoformat(words[0])))


def moment(key: str, label: str, compare: Callable[[Any, datetime], ColumnElement[bool]], column: SqlValue) -> Filter:
    """Return the same filter for the addresses of pages, hidden until one is used; another word is refused."""

    def where(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
        try:
            at = datetime.fromisoformat(words[0])
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise Invalid(T("“%(word)s” is not a date", word=words[0][:20]))
        return compare(column, at)

    return Filter(key, label, "text", where, multiple=False, shown=False)


def day_filters(column: SqlValue, *, keys: tuple[str, str] = ("since", "until")) -> tuple[Filter, Filter]:
    """Return the filters of an instant by days of the business zone: from a day on, and until a day, that included."""

    def since(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
        return column >= _day_start(ctx, words[0])

    def until(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
        return column < _day_start(ctx, words[0], later=1)

    first, last = keys
    return (
        Filter(first, N_("From"), "date", since, multiple=False),
        Filter(last, N_("Until"), "date", until, multiple=False),
    )


def _day_start(ctx: Context, word: str, *, later: int = 0) -> datetime:
    try:
        day = date.fromisoformat(word.strip())
    except ValueError:
        day = date.min
    if not 1970 <= day.year <= 9000:
        raise Invalid(T("“%(word)s” is not a date", word=word[:20]))
    return datetime.combine(day + timedelta(days=later), time(), ZoneInfo(ctx.config["BUSINESS_TIME_ZONE"]))
