"""A database of the tests that says of itself which migration its tables stand at, as one that was migrated does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from sqlalchemy import Engine, text

from console.services.runbook import health
from tests.support.postgres import postgres_programs


@contextmanager
def noted(engine: Engine) -> Iterator[None]:
    """Note the newest migration for a while: a recovery drill wants to know what it restores.

    On PostgreSQL it finds the programs that fit the server.
    """
    postgres = engine.dialect.name == "postgresql"
    path = f"{postgres_programs()}{os.pathsep}{os.environ['PATH']}" if postgres else os.environ["PATH"]
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:now)"), {"now": health.newest_migration()})
    try:
        with patch.dict(os.environ, PATH=path):
            yield
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE alembic_version"))
