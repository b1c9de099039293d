"""`flask demo seed`: the demo company."""

from __future__ import annotations

import click
from flask import current_app
from sqlalchemy.orm import sessionmaker

from console.cli.groups import Commands
from console.core.context import SYSTEM, unit_of_work
from console.demo.story import Story
from console.services.identity import lists as identity_lists
from console.web.extensions import db

commands = Commands("demo", help="The demo company.")


@commands.command("seed")
def seed() -> None:
    """Fill an empty database with the demo company; a database with users is left as it is."""
    config = current_app.extensions["console_config"]
    clock = current_app.extensions["console_clock"]
    factory = sessionmaker(db.engine)
    with unit_of_work(factory, actor=SYSTEM, clock=clock, config=config, write=False) as ctx:
        if identity_lists.all_users(ctx):
            click.echo("There are users already; the demo company is only made on an empty database.")
            return
    steps = Story(factory, config, clock.now()).play()
    click.echo(f"The demo company is there ({steps} steps).")
