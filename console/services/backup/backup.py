"""A backup is a folder: the database first, then the evidence files, then a manifest with the hash of each file.

Keys and checkpoints of the audit chain stay out of it: whoever holds all three could forge the chain.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect, text

from console.adapters import database_copy
from console.adapters.copy_error import CopyError
from console.adapters.database_moment import TABLE_DUMP, TABLES, moment, postgres
from console.adapters.database_tables import Told, refill_tables
from console.core.config import Config
from console.domain.evidence import evidence as rules
from console.domain.recovery.tables import TableFacts
from console.domain.text import T
from console.services.evidence import store

MANIFEST = "manifest.json"
EVIDENCE = "evidence"
FORMAT = 1


@dataclass(frozen=True)
class Backup:
    """What a backup holds; `made_at` is aware UTC, `schema` the revision of the tables, `method` how they were copied.

    `tables` is what they held at the moment of the copy; backups of earlier releases do not tell.
    """

    folder: Path
    made_at: datetime
    schema: str
    database: str
    evidence_count: int
    method: str = ""
    tables: tuple[TableFacts, ...] = ()


def make(
    config: Config,
    engine: Engine,
    folder: Path,
    now: datetime,
    *,
    evidence: Callable[[], Iterable[Path]] | None = None,
    portable: bool = False,
    told: Told = lambda _name, _done, _total: None,
) -> Backup:
    """Write a backup into a folder that does not exist yet or is empty; raises CopyError.

    The manifest is written last: a folder without one is no backup. `evidence` names the files that go into it, asked
    for once the database was copied; all by default. `portable` asks for the table dump, see `database_moment`.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CopyError(f"{folder} is not empty.")
        schema = schema_of(engine)
        if schema is None:
            raise CopyError(T("The database has no tables yet."))
        with moment(engine.url, portable=portable) as seen:
            method, name, tables = seen.copy(folder, told)
        count = 0
        # Second, so that every row of the copy finds its file.
        for file in evidence() if evidence else evidence_files(config):
            target = folder / EVIDENCE / file.relative_to(store.root(config))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
            count += 1
        made = Backup(folder, now, schema, name, count, method, tables)
        _write_manifest(made)
    except OSError as error:
        raise not_written(error) from error
    return made


def not_written(error: OSError) -> CopyError:
    """Return why a backup cannot be written, as one sentence."""
    code = "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "not_written"
    return CopyError(T("The backup cannot be written: %(reason)s.", reason=str(error.strerror or error)), code)


def restore(
    config: Config,
    engine: Engine,
    folder: Path,
    *,
    replace: bool,
    make_tables: Callable[[str], None],
    checked: Backup | None = None,
) -> Backup:
    """Put a backup in the place of database and evidence; raises CopyError before anything changed.

    `replace` allows it where tables stand already. A table dump needs tables of its own revision: `make_tables` brings
    an empty database there. `checked` is what `check` said a moment ago. Evidence files that the backup does not know
    stay.
    """
    found = checked or check(folder)
    url = engine.url
    if database_copy.is_sqlite(url) != (found.database == database_copy.SQLITE_NAME):
        raise CopyError("The backup is of another kind of database than DATABASE_URL.")
    filled = _has_tables(engine)
    if not replace and filled:
        raise CopyError("The database is not empty: stop every process, and say --replace.")
    if found.method == TABLE_DUMP:
        if not filled:
            make_tables(found.schema)
        elif (here := schema_of(engine)) != found.schema:
            raise CopyError(
                f"The backup has the tables of {found.schema}, the database those of {here}: "
                f"bring it to {found.schema} first."
            )
    engine.dispose()
    try:
        root = store.root(config)
        for file in sorted((folder / EVIDENCE).rglob("*")):
            if file.is_file():
                _put(file, root / file.relative_to(folder / EVIDENCE))
        # Last: as long as the old rows stand, the old files do, too.
        if found.method == TABLE_DUMP:
            with postgres(url) as connection:
                refill_tables(connection, "public", folder / TABLES)
        else:
            database_copy.copy_in(url, folder / found.database)
    except OSError as error:
        raise CopyError(f"The backup cannot be put back: {error.strerror or error}.") from error
    return found


def check(folder: Path, digests: Mapping[str, str] | None = None) -> Backup:
    """Read a backup from end to end; raises CopyError when a file of it is missing or not what was written.

    `digests` are those of files that were read a moment ago.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        for name, digest in manifest["files"].items():
            known = digests.get(name) if digests and (folder / name).is_file() else None
            if (known or _digest(folder / name)) != digest:
                raise CopyError(T("%(name)s is not what was backed up.", name=name), "changed")
        return Backup(
            folder,
            datetime.fromisoformat(manifest["made_at"]),
            manifest["schema"],
            manifest["database"],
            manifest["evidence_count"],
            manifest.get("method", ""),
            tuple(TableFacts(**one) for one in manifest.get("tables", ())),
        )
    except FileNotFoundError as error:
        missing = Path(error.filename or "").name
        raise CopyError(
            T("%(path)s is no whole backup: %(name)s is missing.", path=str(folder), name=missing), "truncated"
        ) from error
    except OSError as error:
        reason = str(error.strerror or error)
        raise CopyError(T("%(path)s cannot be read: %(reason)s.", path=str(folder), reason=reason)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CopyError(
            T("%(path)s is no backup: its manifest cannot be read.", path=str(folder)), "no_backup"
        ) from error


def schema_of(engine: Engine) -> str | None:
    """Return the revision of the tables, or None before the first migration."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _has_tables(engine: Engine) -> bool:
    return bool(inspect(engine).get_table_names())


def evidence_files(config: Config) -> Iterator[Path]:
    """Return the evidence files that are kept outside the database, in the order of their names."""
    root = store.root(config)
    if store.backend(config) == rules.FS and root.is_dir():
        # Names with a dot in front are files that are being written at this moment.
        yield from (file for file in sorted(root.rglob("*")) if file.is_file() and not file.name.startswith("."))


def _put(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.restored")
    shutil.copyfile(file, fresh)
    fresh.replace(target)


def _write_manifest(made: Backup) -> None:
    folder = made.folder
    files = {str(file.relative_to(folder)): _digest(file) for file in sorted(folder.rglob("*")) if file.is_file()}
    manifest = {
        "format": FORMAT,
        "made_at": made.made_at.isoformat(),
        "schema": made.schema,
        "database": made.database,
        "method": made.method,
        "tables": [asdict(one) for one in made.tables],
        "evidence_count": made.evidence_count,
        "files": files,
    }
    with (folder / MANIFEST).open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return store.digest(content)
