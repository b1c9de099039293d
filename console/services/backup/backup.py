"""A backup is a folder: the database first, then the evidence files, then a manifest with the hash of each file.

Keys and checkpoints of the audit chain stay out of it: whoever holds all three could forge the chain.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect, text

from console.adapters import database_copy
from console.adapters.database_copy import CopyError
from console.core.config import Config, database_url
from console.domain.evidence import evidence as rules
from console.services.evidence import store

MANIFEST = "manifest.json"
EVIDENCE = "evidence"
FORMAT = 1


@dataclass(frozen=True)
class Backup:
    """What a backup holds; `made_at` is aware UTC, `schema` the revision of the tables."""

    folder: Path
    made_at: datetime
    schema: str
    database: str
    evidence_count: int


def make(config: Config, engine: Engine, folder: Path, now: datetime) -> Backup:
    """Write a backup into a folder that does not exist yet or is empty; raises CopyError.

    The manifest is written last: a folder without one is no backup.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CopyError(f"{folder} is not empty.")
        schema = schema_of(engine)
        if schema is None:
            raise CopyError("The database has no tables yet.")
        name = database_copy.file_name(database_url(config))
        database_copy.copy_out(database_url(config), folder / name)
        count = 0
        # Second, so that every row of the copy finds its file.
        for file in _evidence_files(config):
            target = folder / EVIDENCE / file.relative_to(store.root(config))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
            count += 1
        _write_manifest(folder, now, schema, name, count)
    except OSError as error:
        raise CopyError(f"The backup cannot be written: {error.strerror or error}.") from error
    return Backup(folder, now, schema, name, count)


def restore(config: Config, engine: Engine, folder: Path, *, replace: bool) -> Backup:
    """Put a backup in the place of database and evidence; raises CopyError before anything changed.

    `replace` allows it where tables stand already. Evidence files that the backup does not know stay.
    """
    found = check(folder)
    url = database_url(config)
    if found.database != database_copy.file_name(url):
        raise CopyError("The backup is of another kind of database than DATABASE_URL.")
    if not replace and _has_tables(engine):
        raise CopyError("The database is not empty: stop every process, and say --replace.")
    engine.dispose()
    try:
        root = store.root(config)
        for file in sorted((folder / EVIDENCE).rglob("*")):
            if file.is_file():
                _put(file, root / file.relative_to(folder / EVIDENCE))
        # Last: as long as the old rows stand, the old files do, too.
        database_copy.copy_in(url, folder / found.database)
    except OSError as error:
        raise CopyError(f"The backup cannot be put back: {error.strerror or error}.") from error
    return found


def check(folder: Path) -> Backup:
    """Read a backup from end to end; raises CopyError when a file of it is missing or not what was written."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        for name, digest in manifest["files"].items():
            if _digest(folder / name) != digest:
                raise CopyError(f"{name} is not what was backed up.")
        made_at = datetime.fromisoformat(manifest["made_at"])
        return Backup(folder, made_at, manifest["schema"], manifest["database"], manifest["evidence_count"])
    except FileNotFoundError as error:
        raise CopyError(f"{folder} is no whole backup: {Path(error.filename or '').name} is missing.") from error
    except OSError as error:
        raise CopyError(f"{folder} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CopyError(f"{folder} is no backup: its manifest cannot be read.") from error


def schema_of(engine: Engine) -> str | None:
    """Return the revision of the tables, or None before the first migration."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _has_tables(engine: Engine) -> bool:
    return bool(inspect(engine).get_table_names())


def _evidence_files(config: Config) -> Iterator[Path]:
    root = store.root(config)
    if store.backend(config) == rules.FS and root.is_dir():
        # Names with a dot in front are files that are being written at this moment.
        yield from (file for file in sorted(root.rglob("*")) if file.is_file() and not file.name.startswith("."))


def _put(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.restored")
    shutil.copyfile(file, fresh)
    fresh.replace(target)


def _write_manifest(folder: Path, now: datetime, schema: str, database: str, count: int) -> None:
    files = {str(file.relative_to(folder)): _digest(file) for file in sorted(folder.rglob("*")) if file.is_file()}
    manifest = {
        "format": FORMAT,
        "made_at": now.isoformat(),
        "schema": schema,
        "database": database,
        "evidence_count": count,
        "files": files,
    }
    with (folder / MANIFEST).open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return store.digest(content)
