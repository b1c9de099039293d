"""One moment of a database while others read and write: what its tables hold, and a copy of exactly that.

SQLite and PostgreSQL keep the moment for as long as the reading transaction lasts, and nobody waits for it.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy.engine import URL

from console.adapters import database_copy
from console.adapters.copy_error import CopyError
from console.adapters.database_tables import PLAIN_TEXT, Told, postgres_facts, sqlite_facts
from console.domain.recovery.tables import TableFacts
from console.domain.text import T

if TYPE_CHECKING:
    from psycopg import Connection

# How the copy was made, as it is published with a drill.
SQLITE_BACKUP, PG_DUMP, TABLE_DUMP = "sqlite_backup", "pg_dump", "table_dump"
PUBLIC = "public"
# Where the table dump of PostgreSQL lies in the folder of a backup.
TABLES = "database.tables"


class Moment(Protocol):
    """A database as it stood when the block began."""

    def copy(self, folder: Path, told: Told) -> tuple[str, str, tuple[TableFacts, ...]]:
        """Write the copy into `folder`; returns method, name of the copy, and what the tables held.

        Raises CopyError and OSError.
        """


@contextmanager
def moment(url: URL, *, portable: bool = False) -> Iterator[Moment]:
    """Return the database at this moment; raises CopyError when it cannot be read.

    `portable` asks PostgreSQL for the table dump although its own programs are there.
    """
    if database_copy.is_sqlite(url):
        source = database_copy.file_of(url)
        if not source.is_file():
            raise CopyError(T("There is no database at %(path)s.", path=str(source)))
        try:
            with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, isolation_level=None)) as connection:
                connection.execute("PRAGMA busy_timeout = 30000")
                connection.execute("BEGIN")
                # A transaction sees the state of its first statement.
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                yield _SqliteMoment(connection)
        except sqlite3.Error as error:
            raise CopyError(T("The database cannot be read: %(reason)s.", reason=str(error))) from error
        return
    with postgres(url) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield _PostgresMoment(connection, url, portable=portable)


@contextmanager
def postgres(url: URL) -> Iterator[Connection[Any]]:
    """Return a connection of its own to PostgreSQL, in autocommit; its errors become a CopyError."""
    import psycopg

    try:
        address = url._replace(drivername="postgresql").render_as_string(hide_password=False)
        with closing(psycopg.connect(address, autocommit=True)) as connection:
            for setting in PLAIN_TEXT:
                connection.execute(setting)
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        raise CopyError(
            T("The role of the database lacks a privilege: %(reason)s.", reason=first_line(error)), "privilege"
        ) from error
    except psycopg.Error as error:
        raise CopyError(T("The database cannot be read: %(reason)s.", reason=first_line(error))) from error


def first_line(error: Exception) -> str:
    """Return what the database says, without its statement and the full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


class _SqliteMoment:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def copy(self, folder: Path, told: Told) -> tuple[str, str, tuple[TableFacts, ...]]:
        name = database_copy.SQLITE_NAME
        facts = sqlite_facts(self._connection, told)
        # Within the same transaction: the copy is of the very state that was counted.
        try:
            with closing(sqlite3.connect(folder / name)) as there:
                self._connection.backup(there)
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            raise
        return SQLITE_BACKUP, name, facts


class _PostgresMoment:
    def __init__(self, connection: Connection[Any], url: URL, *, portable: bool) -> None:
        self._connection, self._url, self._portable = connection, url, portable

    def copy(self, folder: Path, told: Told) -> tuple[str, str, tuple[TableFacts, ...]]:
        if self._portable or shutil.which("pg_dump") is None or shutil.which("pg_restore") is None:
            (folder / TABLES).mkdir()
            return TABLE_DUMP, TABLES, postgres_facts(self._connection, PUBLIC, told, folder / TABLES)
        row = self._connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        name = database_copy.POSTGRES_NAME
        database_copy.dump_postgres(self._url, folder / name, snapshot=row[0])
        return PG_DUMP, name, postgres_facts(self._connection, PUBLIC, told)
