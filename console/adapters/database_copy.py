"""The way back of a whole database, and the programs pg_dump and pg_restore of PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL

from console.adapters.copy_error import CopyError
from console.domain.text import T

# What PostgreSQL's programs say is cut here; the first lines name the reason.
SAID = 500
SQLITE_NAME, POSTGRES_NAME = "database.sqlite", "database.dump"
_NO_OWNERS = ("--no-owner", "--no-privileges")


def copy_in(parsed: URL, source: Path) -> None:
    """Put a copy in the place of the database; raises CopyError and leaves what was there."""
    if not is_sqlite(parsed):
        restore_postgres(parsed, source, "--clean", "--if-exists", "--single-transaction")
        return
    target = file_of(parsed)
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


def dump_postgres(parsed: URL, target: Path, snapshot: str | None = None) -> None:
    """Write a dump by pg_dump, of an exported snapshot if one is named; raises CopyError."""
    seen = [f"--snapshot={snapshot}"] if snapshot else []
    # The first level packs nearly as well as the usual one, in a third of its time.
    _run("pg_dump", parsed, ["--format=custom", "--compress=1", *_NO_OWNERS, *seen, f"--file={target}"])


def restore_postgres(parsed: URL, source: Path, *wanted: str) -> None:
    """Put a dump of pg_dump back by pg_restore; raises CopyError."""
    _run("pg_restore", parsed, [*wanted, *_NO_OWNERS, "--exit-on-error", str(source)])


def is_sqlite(parsed: URL) -> bool:
    """Return whether the address is that of a SQLite database."""
    return parsed.get_backend_name() == "sqlite"


def file_of(parsed: URL) -> Path:
    """Return the file of a SQLite database; raises CopyError for one in memory."""
    if parsed.database in (None, "", ":memory:"):
        raise CopyError(T("A database in memory cannot be copied."))
    return Path(str(parsed.database)).resolve()


def _run(program: str, parsed: URL, arguments: list[str]) -> None:
    found = shutil.which(program)
    if found is None:
        raise CopyError(
            T("%(program)s is not installed: it comes with the client programs of PostgreSQL.", program=program)
        )
    # A password among the arguments could be read by everybody on the machine; `set` takes None for "as it was".
    address = parsed._replace(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environ = {**os.environ, **({"PGPASSWORD": str(parsed.password)} if parsed.password else {})}
    done = subprocess.run(
        [found, *arguments, f"--dbname={address}"], env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[:SAID] or "no reason was given"
        raise CopyError(T("%(program)s failed: %(said)s", program=program, said=said))
