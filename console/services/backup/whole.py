"""The way back for real: from a folder of `backup.make` or from a sealed backup, into a place that nobody uses."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from console.adapters.copy_error import CopyError
from console.core.config import Config
from console.services.backup import backup as copies
from console.services.backup import sealed
from console.services.backup.backup import Backup
from console.services.backup.keys import backup_key
from console.services.backup.target import signs_of_life


def bring_back(
    config: Config,
    engine: Engine,
    source: Path,
    now: datetime,
    *,
    make_tables: Callable[[str], None],
    replace: bool = False,
    while_running: bool = False,
    sha256: str | None = None,
) -> Backup:
    """Restore `source`; raises CopyError before anything changed.

    Refuses a place where processes gave a sign of life unless `while_running`, and one with tables unless `replace`.
    `sha256` is what a sealed backup must be; `make_tables` is that of `backup.restore`.
    """
    alive = () if while_running else signs_of_life(engine, now)
    if alive:
        raise CopyError(f"The console is running here ({', '.join(alive)}): stop it, or say --while-running.")
    if source.is_dir():
        if sha256 is not None:
            raise CopyError("A folder has no hash of its own: --sha256 is for sealed backups.")
        return copies.restore(config, engine, source, replace=replace, make_tables=make_tables)
    try:
        data = config.path("DATA_DIR")
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=data) as name:
            found = sealed.unpack(source, Path(name), backup_key(config), sha256=sha256)
            return copies.restore(config, engine, found.folder, replace=replace, make_tables=make_tables, checked=found)
    except OSError as error:
        raise CopyError(f"The backup cannot be put back: {error.strerror or error}.") from error
