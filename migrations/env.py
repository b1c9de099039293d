"""Alembic environment: runs the migrations of `versions/` on SQLite and PostgreSQL, each in one transaction."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from flask import current_app

from console.core.revisions import SILENT
from console.models.base import Base
from console.models.types import UtcDateTime
from console.web.extensions import db

config = context.config


def render_item(kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """Write our own types as what they are in the database, so that old migrations never import today's code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.types.TypeDecorator):
        return f"sa.{type(item.impl).__name__}()"
    if kind == "type" and isinstance(item, sa.JSON):
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def same_default(
    _context: Any, _found_column: Any, _column: Any, found: Any, _default: Any, wanted: Any
) -> bool | None:
    """Tell that a server default did not change; None leaves the answer to Alembic.

    SQLite gives an empty text back as `('')`, which Alembic takes for another value.
    """
    return False if str(found or "").strip("()'\"") == str(wanted or "").strip("()'\"") else None


def skip_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Write no file when autogenerate found nothing to change."""
    if getattr(config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives.clear()


def run() -> None:
    """Migrate the database of the running application."""
    engine = db.engine
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if sqlite:
            # Rebuilding a table drops it, and with the keys on its children would go along.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.rollback()
        options: dict[str, Any] = current_app.extensions["migrate"].configure_args
        context.configure(
            connection=connection.execution_options(sqlite_begin="IMMEDIATE", **{SILENT: True}),
            target_metadata=Base.metadata,
            render_item=render_item,
            process_revision_directives=skip_empty,
            transactional_ddl=True,
            **options | {"compare_server_default": same_default},
        )
        with context.begin_transaction():
            if not sqlite:
                # A migration that has to wait for a lock must not stop everybody else behind it.
                connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
            context.run_migrations()
            if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()):
                raise RuntimeError(f"the migration broke {len(broken)} references")
        if sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")


run()
