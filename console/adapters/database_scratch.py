"""A scratch database for a copy to be restored into; it is gone when the block ends."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL

from console.adapters import database_copy
from console.adapters.copy_error import CopyError
from console.adapters.database_moment import PG_DUMP, PUBLIC, SQLITE_BACKUP, postgres
from console.adapters.database_tables import Told, postgres_facts, postgres_tables, put_rows, sqlite_facts
from console.domain.recovery.tables import TableFacts
from console.domain.text import T

if TYPE_CHECKING:
    from psycopg import Connection

PREFIX = "kaos_drill_"


@dataclass(frozen=True)
class Scratch:
    """A restored copy: its address and schema (None for SQLite)."""

    url: URL
    schema: str | None

    def facts(self, told: Told) -> tuple[TableFacts, ...]:
        """Return rows and checksum of every table of the copy; raises CopyError."""
        if self.schema is None:
            try:
                with closing(sqlite3.connect(database_copy.file_of(self.url))) as connection:
                    return sqlite_facts(connection, told)
            except sqlite3.Error as error:
                raise CopyError(T("The copy of the database is damaged: %(reason)s.", reason=str(error))) from error
        with postgres(self.url) as connection:
            return postgres_facts(connection, self.schema, told)


def prefix_of(url: URL) -> str:
    """Return how the scratch databases and schemas of this installation begin; others on the server are not ours."""
    return f"{PREFIX}{hashlib.sha256(str(url.database).encode()).hexdigest()[:8]}_"


def may_make_databases(url: URL) -> bool:
    """Return whether the role may make the scratch database that a dump of pg_dump needs; raises CopyError."""
    if database_copy.is_sqlite(url):
        return True
    with postgres(url) as connection:
        row = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])


@contextmanager
def restored(url: URL, folder: Path, name: str, method: str, now: datetime) -> Iterator[Scratch]:
    """Restore the copy `folder/name` beside the database at `url`, and take it away at the end; raises CopyError."""
    if method == SQLITE_BACKUP:
        yield _sqlite(folder / name)
        return
    scratch = f"{prefix_of(url)}{now:%Y%m%d%H%M%S}_{token_hex(4)}"
    with postgres(url) as connection:
        if method == PG_DUMP:
            # From the empty template, so that nothing of this server's own stands in the way.
            connection.execute(f"CREATE DATABASE {scratch} TEMPLATE template0 ENCODING 'UTF8'")
            try:
                there = url.set(database=scratch)
                database_copy.restore_postgres(there, folder / name)
                yield Scratch(there, PUBLIC)
            finally:
                connection.execute(f"DROP DATABASE IF EXISTS {scratch} WITH (FORCE)")
            return
        connection.execute(f"CREATE SCHEMA {scratch}")
        try:
            _fill(connection, scratch, folder / name)
            yield Scratch(url, scratch)
        finally:
            connection.execute(f"DROP SCHEMA {scratch} CASCADE")


def _sqlite(file: Path) -> Scratch:
    try:
        with closing(sqlite3.connect(file)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise CopyError(T("The copy of the database is damaged: %(reason)s.", reason=str(error))) from error
    if verdict != "ok":
        raise CopyError(T("The copy of the database is damaged: %(reason)s.", reason=str(verdict)[:200]))
    return Scratch(URL.create("sqlite", database=str(file)), None)


def _fill(connection: Connection[Any], scratch: str, folder: Path) -> None:
    """Make tables after the pattern of those in use and fill them; keys and checks hold, references do not."""
    from psycopg import sql

    for table in postgres_tables(connection, PUBLIC):
        connection.execute(
            sql.SQL("CREATE TABLE {new} (LIKE {old} {how})").format(
                how=sql.SQL("INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES"),
                new=sql.Identifier(scratch, table.name),
                old=sql.Identifier(PUBLIC, table.name),
            )
        )
        file = folder / f"{table.name}.copy"
        if file.is_file():
            with file.open("rb") as source:
                put_rows(connection, scratch, table, source)


def drop_left_behind(url: URL, before: datetime) -> None:
    """Drop scratch databases and schemas of drills that were killed before an instant; raises CopyError."""
    if database_copy.is_sqlite(url):
        return
    from psycopg import sql

    mine = prefix_of(url)
    newest = f"{mine}{before:%Y%m%d%H%M%S}"
    with postgres(url) as connection:
        for kind, table, name, owner, how in (
            ("DATABASE", "pg_database", "datname", "datdba", " WITH (FORCE)"),
            ("SCHEMA", "pg_namespace", "nspname", "nspowner", " CASCADE"),
        ):
            query = "SELECT {name} FROM {table} WHERE starts_with({name}, %s) AND {name} < %s AND {owner}"
            found = sql.SQL(query).format(
                name=sql.Identifier(name),
                table=sql.Identifier(table),
                owner=sql.SQL("pg_get_userbyid({owner}) = current_user").format(owner=sql.Identifier(owner)),
            )
            for (left,) in connection.execute(found, [mine, newest]).fetchall():
                gone = sql.SQL("DROP {kind} IF EXISTS {name}{how}")
                connection.execute(gone.format(kind=sql.SQL(kind), name=sql.Identifier(left), how=sql.SQL(how)))
