"""A scratch database for a copy to be restored into; it is gone when the block ends."""

from __future__ import annotations

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

# Scratch databases and schemas of PostgreSQL: whoever finds one may drop it.
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


def may_make_databases(url: URL) -> bool:
    """Return whether the role may make the scratch database that a dump of pg_dump needs; raises CopyError."""
    if database_copy.is_sqlite(url):
        return True
    with postgres(url) as connection:
        row = connection.execute(
            "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    return bool(row and row[0])


@contextmanager
def restored(url: URL, folder: Path, name: str, method: str, now: datetime) -> Iterator[Scratch]:
    """Restore the copy `folder/name` beside the database at `url`, and take it away at the end; raises CopyError."""
    if method == SQLITE_BACKUP:
        yield _sqlite(folder / name)
        return
    scratch = f"{PREFIX}{now:%Y%m%d%H%M%S}_{token_hex(4)}"
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
            sql.SQL("CREATE TABLE {new} (LIKE {old} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)").format(
                new=sql.Identifier(scratch, table.name), old=sql.Identifier(PUBLIC, table.name)
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
    newest = f"{PREFIX}{before:%Y%m%d%H%M%S}"
    found = "SELECT {name} FROM {table} WHERE starts_with({name}, %s) AND {name} < %s AND {owner} = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
    with postgres(url) as connection:
        for kind, table, name, owner, how in (
            ("DATABASE", "pg_database", "datname", "datdba", "WITH (FORCE)"),
            ("SCHEMA", "pg_namespace", "nspname", "nspowner", "CASCADE"),
        ):
            query = found.format(name=name, table=table, owner=owner)
            for (left,) in connection.execute(query, [PREFIX, newest]).fetchall():  # type: ignore[arg-type]
                connection.execute(f'DROP {kind} IF EXISTS "{left}" {how}')
