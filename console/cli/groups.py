"""What all groups of commands share."""

from __future__ import annotations

from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from console.core.database import problem_of


class Commands(AppGroup):
    """A group of commands: without a usable database they end with one sentence and the exit code `undecided`."""

    undecided = 1

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except DBAPIError as error:
            click.echo(f"Error: {problem_of(error)}", err=True)
            ctx.exit(self.undecided)
