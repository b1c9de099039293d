"""Revisions: every table has a token that each committed change of it replaces, in the same transaction.

Whoever keeps what was read (rows, counts, an answer's hash) keeps the tokens of the tables beside it: as long as they
are the same, so is what was read. Nobody has to announce a change: the statements of every connection are looked at,
those of sessions, jobs and threads alike. Changes by hand, outside of this program, are not seen; what is kept is
therefore looked at again after a minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from secrets import randbits
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, MetaData, String, column, event, select, table
from sqlalchemy.dialects import postgresql, sqlite

TABLE = "revisions"
Tokens = Mapping[str, int]

# A connection with this execution option raises nothing: migrations, which make and drop the table itself.
SILENT = "revisions_silent"

_STORED = table(TABLE, column("name", String()), column("token", BigInteger()))
_ALL = select(_STORED)
_REPLACE = {
    "postgresql": (on_postgresql := postgresql.insert(_STORED)).on_conflict_do_update(
        index_elements=["name"], set_={"token": on_postgresql.excluded.token}
    ),
    "sqlite": (on_sqlite := sqlite.insert(_STORED)).on_conflict_do_update(
        index_elements=["name"], set_={"token": on_sqlite.excluded.token}
    ),
}

_CHANGE = re.compile(r"\b(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|UPDATE|DELETE\s+FROM)\s+\"?(\w+)", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_TOUCHED, _SEEN = "revisions_touched", "revisions_seen"

# Table -> the table whose token it shares: rows that triggers keep in step with those of another table.
_tables: dict[str, str] = {}


def watch(metadata: MetaData) -> None:
    """Look after every table of `metadata`; `info={"follows": table}` names the one that a table changes with."""
    _tables.update({name: table.info.get("follows", name) for name, table in metadata.tables.items() if name != TABLE})
    _tables_of.cache_clear()


@lru_cache(maxsize=4096)
def _tables_of(statement: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the tables that a statement names, and those of them that it changes."""
    named = frozenset(_tables[word] for word in set(_WORD.findall(statement)) if word in _tables)
    changed = frozenset(_tables[word] for word in _CHANGE.findall(statement) if word in _tables) if named else named
    return named, changed


def attach(engine: Engine) -> None:
    """Look at what the connections of an engine read and change."""
    event.listen(engine, "after_cursor_execute", _after_statement)
    event.listen(engine, "commit", _before_commit)
    event.listen(engine, "rollback", _forget)


def _after_statement(
    connection: Connection, cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool
) -> None:
    named, changed = _tables_of(statement)
    if not named:
        return
    has_read(named)
    # A claim that hits no row changes nothing; with RETURNING, SQLite counts the rows only while they are fetched.
    if changed and (cursor.rowcount != 0 or "RETURNING" in statement):
        has_changed(connection, changed)


def has_changed(connection: Connection, tables: Iterable[str]) -> None:
    """Count tables as changed by the open transaction: for what goes to the driver past the engine's statements."""
    connection.info.setdefault(_TOUCHED, set()).update(tables)


def _before_commit(connection: Connection) -> None:
    touched = connection.info.pop(_TOUCHED, None)
    connection.info.pop(_SEEN, None)
    if not touched or connection.get_execution_options().get(SILENT):
        return
    # In one order, so that two writers never wait for each other.
    fresh = [{"name": name, "token": randbits(62)} for name in sorted(touched)]
    connection.execute(_REPLACE[connection.dialect.name], fresh)


def _forget(connection: Connection) -> None:
    if connection.invalidated:  # it broke; the next one knows nothing anyway
        return
    connection.info.pop(_TOUCHED, None)
    connection.info.pop(_SEEN, None)


def tokens(connection: Connection) -> Tokens:
    """Return the token of every table that ever changed, as the open transaction began to see them.

    They are asked for once in a transaction and must be asked for before the rows: what is read later is at least as
    new as they say.
    """
    transaction = connection.get_transaction() or connection.begin()
    seen = connection.info.get(_SEEN)
    if seen is None or seen[0] is not transaction:
        found: Tokens = {row.name: row.token for row in connection.execute(_ALL)}
        seen = connection.info[_SEEN] = (transaction, found)
    known: Tokens = seen[1]
    return known


ALWAYS = datetime.max.replace(tzinfo=UTC)


@dataclass
class Reading:
    """What was read meanwhile: tables, whether a list was among it, and until when it reads the same (aware UTC)."""

    tables: set[str] = field(default_factory=set)
    until: datetime = ALWAYS
    lists: int = 0


_readers: ContextVar[tuple[Reading, ...]] = ContextVar("revisions_readers", default=())


@contextmanager
def reading() -> Iterator[Reading]:
    """Collect what this thread reads meanwhile; what was kept and is given again counts as well."""
    found = Reading()
    before = begin_reading(found)
    try:
        yield found
    finally:
        end_reading(before)


def begin_reading(found: Reading) -> Token[tuple[Reading, ...]]:
    """Let `found` collect what this thread reads, until `end_reading` gets what this returns."""
    return _readers.set((*_readers.get(), found))


def end_reading(before: Token[tuple[Reading, ...]]) -> None:
    """End the collecting that `begin_reading` began."""
    _readers.reset(before)


def read_so_far() -> frozenset[str]:
    """Return the tables that the innermost `reading` of this thread has collected until now."""
    readers = _readers.get()
    return frozenset(readers[-1].tables) if readers else frozenset()


def has_read(tables: frozenset[str], until: datetime | None = None) -> None:
    """Count tables as read by whoever collects; with `until` the result reads the same up to that instant only."""
    for one in _readers.get():
        one.tables.update(tables)
        if until is not None and until < one.until:
            one.until = until


def has_read_list() -> None:
    """Tell whoever collects that a list was read."""
    for one in _readers.get():
        one.lists += 1


def same(tables: frozenset[str], before: Tokens, now: Tokens) -> bool:
    """Return whether none of the tables changed between two readings of the tokens."""
    return before is now or all(before.get(name) == now.get(name) for name in tables)
