"""A database of the tests that says of itself which migration its tables stand at, as one that was migrated does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from console.services.runbook import health


@contextmanager
def noted(engine: Engine) -> Iterator[None]:
    """Note the newest migration for a while: a recovery drill wants to know what it restores."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:now)"), {"now": health.newest_migration()})
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE alembic_version"))
