"""What SQLite cannot know of a condition, because it keeps no statistics of the values in a column."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import ColumnElement, func, literal_column

from console.core.context import Context

Hint = Callable[[Context, ColumnElement[bool]], ColumnElement[bool]]


def common(ctx: Context, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Tell SQLite that most rows fulfil a condition, so that another one chooses the index; PostgreSQL knows."""
    return _likely(ctx, condition, "0.9")


def rare(ctx: Context, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Tell SQLite that hardly any row fulfils a condition; PostgreSQL knows."""
    return _likely(ctx, condition, "0.0001")


def _likely(ctx: Context, condition: ColumnElement[bool], share: str) -> ColumnElement[bool]:
    if ctx.session.get_bind().dialect.name != "sqlite":
        return condition
    return func.likelihood(condition, literal_column(share))
