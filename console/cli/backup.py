"""`flask backup`, `flask restore`: database and evidence into a folder, and back from one or from a sealed backup."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext
from flask_migrate import upgrade

from console.adapters.copy_error import CopyError
from console.services.backup import backup as copies
from console.services.backup import whole
from console.services.backup.backup import Backup
from console.web.extensions import runtime

FOLDER = click.Path(file_okay=False, path_type=Path)
PLACE = click.Path(exists=True, path_type=Path)
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
@click.argument("folder", type=FOLDER, required=False)
@click.option("--from", "source", type=PLACE, help="A folder of flask backup, or the sealed backup of a drill.")
@click.option("--sha256", help="What the sealed backup must be, as its certificate says.")
@click.option("--replace", is_flag=True, help="Also where tables stand already; every process must be stopped.")
@click.option("--while-running", is_flag=True, help="Although processes gave a sign of life a moment ago.")
@with_appcontext
def restore(
    folder: Path | None, source: Path | None, *, sha256: str | None, replace: bool, while_running: bool
) -> None:
    """Put database and evidence of FOLDER or --from back, after every file of it was read and found whole."""
    chosen = folder or source
    if chosen is None or (folder and source):
        raise click.UsageError("Say either FOLDER or --from.")
    place = runtime()
    try:
        found = whole.bring_back(
            place.config,
            place.engine,
            chosen,
            place.clock.now(),
            replace=replace,
            while_running=while_running,
            sha256=sha256,
            make_tables=lambda revision: upgrade(revision=revision),
        )
    except CopyError as error:
        raise click.ClickException(str(error)) from error
    click.echo(_told(found))
    click.echo("Next: flask db upgrade, flask audit verify, then start.")


def _told(found: Backup) -> str:
    return f"Put back schema {found.schema} and {found.evidence_count} evidence files of {found.made_at:%F %T} UTC."


commands = [backup, restore]
