"""`flask backup`, `flask restore`: database and evidence into a folder, and back."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from console.adapters.copy_error import CopyError
from console.services.backup import backup as copies
from console.web.extensions import runtime

FOLDER = click.Path(file_okay=False, path_type=Path)
REST = (
    "Keep secret_key, audit_chain_key and the checkpoint files of the audit chain in another place: they are not in it."
)


@click.command("backup")
@click.argument("folder", type=FOLDER)
@with_appcontext
def backup(folder: Path) -> None:
    """Write database and evidence into FOLDER, which must be new or empty; the console may go on running."""
    place = runtime()
    try:
        made = copies.make(place.config, place.engine, folder, place.clock.now())
    except CopyError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Backed up schema {made.schema} and {made.evidence_count} evidence files into {folder}.")
    click.echo(REST)


@click.command("restore")
@click.argument("folder", type=FOLDER)
@click.option("--replace", is_flag=True, help="Also where tables stand already; every process must be stopped.")
@with_appcontext
def restore(folder: Path, *, replace: bool) -> None:
    """Put database and evidence of FOLDER back, after every file of it was read and found whole."""
    place = runtime()
    try:
        found = copies.restore(place.config, place.engine, folder, replace=replace)
    except CopyError as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"Put back schema {found.schema} and {found.evidence_count} evidence files of {found.made_at:%F %T} UTC."
    )
    click.echo("Next: flask db upgrade, flask audit verify, then start.")


commands = [backup, restore]
