"""`flask demo seed`: the demo company."""

from __future__ import annotations

import gc

import click

from console.cli.groups import Commands
from console.demo.story import Story
from console.services.identity import lists as identity_lists
from console.web.extensions import runtime

commands = Commands("demo", help="The demo company.")


@commands.command("seed")
def seed() -> None:
    """Fill an empty database with the demo company; a database with users is left as it is."""
    place = runtime()
    with place.reading() as ctx:
        if identity_lists.all_users(ctx):
            click.echo("There are users already; the demo company is only made on an empty database.")
            return
    # Next to nothing of three months is garbage; looking for it again and again takes a tenth of the time.
    gc.disable()
    try:
        steps = Story(place.sessions, place.config, place.clock.now()).play()
    finally:
        gc.enable()
    click.echo(f"The demo company is there ({steps} steps).")
