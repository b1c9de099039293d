"""`flask db`: the migrations, as Flask-Migrate offers them."""

from __future__ import annotations

from typing import Any

import click


class _Late(click.Group):
    """Hands over to the commands of Flask-Migrate, which come with Alembic, when somebody asks for one of them."""

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> click.Context:
        """Return the context of the published group; click goes on with its command."""
        from flask_migrate.cli import db

        published: click.Group = db
        return published.make_context(info_name, args, *more, **extra)


commands = _Late("db", help="Perform database migrations.")
