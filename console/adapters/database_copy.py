"""Copies of a whole database: SQLite by its own copying, PostgreSQL by its own programs pg_dump and pg_restore."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL, make_url

# What PostgreSQL's programs say is cut here; the first lines name the reason.
SAID = 500


class CopyError(Exception):
    """The copy cannot be made or put back; the text is one sentence."""


def file_name(url: str) -> str:
    """Return how the copy of this kind of database is called."""
    return "database.sqlite" if _is_sqlite(make_url(url)) else "database.dump"


def copy_out(url: str, target: Path) -> None:
    """Write a copy of one moment, while others read and write; raises CopyError."""
    parsed = make_url(url)
    if not _is_sqlite(parsed):
        _run("pg_dump", parsed, ["--format=custom", "--no-owner", "--no-privileges", f"--file={target}"])
        return
    source = _file(parsed)
    if not source.is_file():
        raise CopyError(f"There is no database at {source}.")
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as here,
            closing(sqlite3.connect(target)) as there,
        ):
            here.backup(there)
    except sqlite3.Error as error:
        raise CopyError(f"The database cannot be copied: {error}.") from error


def copy_in(url: str, source: Path) -> None:
    """Put a copy in the place of the database; raises CopyError and leaves what was there."""
    parsed = make_url(url)
    if not _is_sqlite(parsed):
        wanted = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
        _run("pg_restore", parsed, [*wanted, str(source)])
        return
    target = _file(parsed)
    fresh = target.with_name(f"{target.name}.restored")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, fresh)
        with closing(sqlite3.connect(fresh)) as copied:
            (verdict,) = copied.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise CopyError("The copy of the database is damaged.")
        # What belongs to the old file must not be read into the new one.
        for rest in ("-wal", "-shm"):
            target.with_name(target.name + rest).unlink(missing_ok=True)
        fresh.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise CopyError(f"The database cannot be put back: {error}.") from error
    finally:
        fresh.unlink(missing_ok=True)


def _is_sqlite(parsed: URL) -> bool:
    return parsed.get_backend_name() == "sqlite"


def _file(parsed: URL) -> Path:
    if parsed.database in (None, "", ":memory:"):
        raise CopyError("A database in memory cannot be copied.")
    return Path(str(parsed.database)).resolve()


def _run(program: str, parsed: URL, arguments: list[str]) -> None:
    found = shutil.which(program)
    if found is None:
        raise CopyError(f"{program} is not installed: it comes with the client programs of PostgreSQL.")
    # A password among the arguments could be read by everybody on the machine; `set` takes None for "as it was".
    address = parsed._replace(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environ = {**os.environ, **({"PGPASSWORD": str(parsed.password)} if parsed.password else {})}
    done = subprocess.run(
        [found, *arguments, f"--dbname={address}"], env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[:SAID] or "no reason was given"
        raise CopyError(f"{program} failed: {said}")
