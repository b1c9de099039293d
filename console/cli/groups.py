"""What all groups of commands share."""

from __future__ import annotations

from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from console.core.database import problem_of
from console.core.serialize import to_json
from console.domain.errors import DomainError


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


def sentence(error: DomainError) -> str:
    """Return a refusal as one line for the person at the terminal."""
    if isinstance(error.detail, list):
        # A command has no body: that word is for callers of the API.
        blamed = [(".".join(map(str, part["loc"])).removeprefix("body."), part["msg"]) for part in error.detail]
        return "; ".join(f"{name}: {message}" for name, message in blamed)
    if isinstance(error.detail, dict):
        return f"{error.detail.get('message', '')} {to_json(error.detail)}".strip()
    return str(error.detail)
