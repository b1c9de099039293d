"""Somebody who writes while others read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import text

from console.core.database import make_engine


@contextmanager
def writer(url: str) -> Iterator[Callable[[], None]]:
    """Return a function that commits a change to the database, so that nobody can go by what was read before.

    The value has to be another one: SQLite commits nothing where a row stays as it is.
    """
    engine = make_engine(url)

    def write() -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE sites SET version = version + 1"))

    yield write
    engine.dispose()
