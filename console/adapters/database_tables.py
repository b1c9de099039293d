"""Rows and checksum of every table of a database, read once from end to end in the order of the keys.

SQLite: the SHA-256 of the lines `quote(column),quote(column),…`, which its own command line gives as well. PostgreSQL:
that of the text form of COPY.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from console.domain.recovery.tables import TableFacts

if TYPE_CHECKING:
    from psycopg import Connection, sql

# Called with the table that is next, how many are done and how many there are; may raise to stop the work.
Told = Callable[[str, int, int], None]
# The same text on every connection, whatever the server or the role prefers.
PLAIN_TEXT = (
    *("SET client_encoding = 'UTF8'", "SET timezone = 'UTC'", "SET datestyle = 'ISO, YMD'", "SET bytea_output = 'hex'"),
    *("SET intervalstyle = 'postgres'", "SET extra_float_digits = 3", "SET statement_timeout = 0"),
)
_LINE_END = b"\n"


def sqlite_facts(connection: sqlite3.Connection, told: Told) -> tuple[TableFacts, ...]:
    """Return the tables of a SQLite database in the order of their names; raises sqlite3.Error."""
    wanted = (
        r"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name"
    )
    names = [name for (name,) in connection.execute(wanted)]
    made = []
    for number, name in enumerate(names):
        told(name, number, len(names))
        made.append(_sqlite_table(connection, name))
    return tuple(made)


def _sqlite_table(connection: sqlite3.Connection, name: str) -> TableFacts:
    columns = connection.execute(f"PRAGMA table_info({_quoted(name)})").fetchall()
    keys = [column for _place, column in sorted((row[5], row[1]) for row in columns if row[5])]
    line = "||','||".join(f"quote({_quoted(row[1])})" for row in columns)
    order = ", ".join(_quoted(key) for key in keys) or "rowid"
    digest, rows = hashlib.sha256(), 0
    # As bytes: decoding the text only to encode it again would take a third of the time.
    cursor = connection.cursor()
    before, connection.text_factory = connection.text_factory, bytes
    try:
        for (text,) in cursor.execute(" ".join(("SELECT", line, "FROM", _quoted(name), "ORDER BY", order))):
            digest.update(text)
            digest.update(_LINE_END)
            rows += 1
    finally:
        connection.text_factory = before
        cursor.close()
    return TableFacts(name, rows, digest.hexdigest())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class PgTable:
    """A table of PostgreSQL: its columns without generated ones, and what its rows are sorted by."""

    name: str
    columns: tuple[str, ...]
    order: tuple[tuple[str, bool], ...]


def postgres_tables(connection: Connection[Any], schema: str) -> tuple[PgTable, ...]:
    """Return the tables of a schema in the order of their names."""
    rows = connection.execute(
        """
        SELECT c.relname, a.attname, t.typcategory = 'S', array_position(i.indkey::int2[], a.attnum)
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = %s
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        WHERE c.relkind IN ('r', 'p')
        ORDER BY c.relname COLLATE "C", a.attnum
        """,
        [schema],
    ).fetchall()
    columns: dict[str, list[str]] = {}
    keys: dict[str, list[tuple[int, str, bool]]] = {}
    for table, column, is_text, place in rows:
        columns.setdefault(table, []).append(column)
        keys.setdefault(table, [])
        if place is not None:
            keys[table].append((place, column, is_text))
    return tuple(
        PgTable(table, tuple(found), tuple((name, is_text) for _place, name, is_text in sorted(keys[table])))
        for table, found in columns.items()
    )


def postgres_facts(
    connection: Connection[Any], schema: str, told: Told, keep: Path | None = None
) -> tuple[TableFacts, ...]:
    """Return the tables of a schema; with `keep` each table's text is written there as `<name>.copy` as well.

    Raises psycopg.Error, and OSError when a text cannot be written.
    """
    tables = postgres_tables(connection, schema)
    made = []
    for number, table in enumerate(tables):
        told(table.name, number, len(tables))
        with ExitStack() as stack:
            file = stack.enter_context((keep / f"{table.name}.copy").open("xb")) if keep else None
            made.append(_postgres_table(connection, schema, table, file))
    return tuple(made)


def _postgres_table(connection: Connection[Any], schema: str, table: PgTable, file: BinaryIO | None) -> TableFacts:
    digest, rows = hashlib.sha256(), 0
    for piece in copied_rows(connection, schema, table):
        digest.update(piece)
        if file is not None:
            file.write(piece)
        rows += 1
    return TableFacts(table.name, rows, digest.hexdigest())


def copied_rows(connection: Connection[Any], schema: str, table: PgTable) -> Iterator[bytes | bytearray | memoryview]:
    """Return the rows of a table as the lines of COPY's text form, in the order of the key."""
    from psycopg import sql

    statement = sql.SQL("COPY (SELECT {columns} FROM {table} ORDER BY {order}) TO STDOUT").format(
        columns=_names(table.columns), table=sql.Identifier(schema, table.name), order=_order(table)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        yield from copy


def _names(columns: Iterable[str]) -> sql.Composed:
    from psycopg import sql

    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _order(table: PgTable) -> sql.Composed:
    """Return what the rows are sorted by: texts byte by byte, so that two databases agree whatever their language."""
    from psycopg import sql

    keys = table.order or tuple((name, True) for name in table.columns)
    plain = sql.SQL("{name}")
    # Without a key every column counts, and any of them can be sorted as its text.
    by_text = sql.SQL('{name} COLLATE "C"' if table.order else '{name}::text COLLATE "C"')
    return sql.SQL(", ").join(
        (by_text if is_text else plain).format(name=sql.Identifier(name)) for name, is_text in keys
    )


def put_rows(connection: Connection[Any], schema: str, table: PgTable, source: BinaryIO, size: int = 1 << 18) -> None:
    """Fill a table from the text form of COPY; raises psycopg.Error."""
    from psycopg import sql

    statement = sql.SQL("COPY {table} ({columns}) FROM STDIN").format(
        table=sql.Identifier(schema, table.name), columns=_names(table.columns)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        while piece := source.read(size):
            copy.write(piece)


def refill_tables(connection: Connection[Any], schema: str, folder: Path) -> None:
    """Replace the rows of all tables by those of a table dump, in one transaction; raises psycopg.Error and OSError.

    Tables that the dump does not know are emptied as well. Triggers of the product do not fire: what they keep is in
    the dump.
    """
    from psycopg import sql

    tables = {table.name: table for table in postgres_tables(connection, schema)}
    with connection.transaction():
        names = [sql.Identifier(schema, name) for name in tables]
        connection.execute(sql.SQL("TRUNCATE {names}").format(names=sql.SQL(", ").join(names)))
        for name in _parents_first(connection, schema, tables):
            table, there = tables[name], sql.Identifier(schema, name)
            connection.execute(sql.SQL("ALTER TABLE {table} DISABLE TRIGGER USER").format(table=there))
            file = folder / f"{name}.copy"
            if file.is_file():
                with file.open("rb") as source:
                    put_rows(connection, schema, table, source)
            connection.execute(sql.SQL("ALTER TABLE {table} ENABLE TRIGGER USER").format(table=there))
            _count_on(connection, schema, table)


def _parents_first(connection: Connection[Any], schema: str, names: Iterable[str]) -> Iterator[str]:
    references = connection.execute(
        """
        SELECT child.relname, parent.relname
        FROM pg_constraint f
        JOIN pg_class child ON child.oid = f.conrelid
        JOIN pg_class parent ON parent.oid = f.confrelid AND parent.oid <> child.oid
        JOIN pg_namespace n ON n.oid = child.relnamespace AND n.nspname = %s
        WHERE f.contype = 'f'
        """,
        [schema],
    ).fetchall()
    sorter = TopologicalSorter({name: set[str]() for name in names})
    for child, parent in references:
        sorter.add(child, parent)
    return iter(tuple(sorter.static_order()))


def _count_on(connection: Connection[Any], schema: str, table: PgTable) -> None:
    """Let the table's own numbers go on behind the largest that came back."""
    from psycopg import sql

    for column in table.columns:
        name = f'{schema}."{table.name}"'
        row = connection.execute("SELECT pg_get_serial_sequence(%s, %s)", [name, column]).fetchone()
        if row and row[0]:
            largest = sql.SQL("SELECT setval({sequence}, coalesce(max({column}), 0) + 1, false) FROM {table}")
            connection.execute(
                largest.format(
                    sequence=sql.Literal(row[0]),
                    column=sql.Identifier(column),
                    table=sql.Identifier(schema, table.name),
                )
            )
