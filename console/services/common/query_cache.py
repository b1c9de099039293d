"""What was read from the database is not read again while the tables that it came from are the same.

Whoever looks at a list asks for the same rows and counts every few seconds. The tables are those that `find` really
read, so nobody names what a result depends on; the tokens of `console/core/revisions.py` tell whether one of them
changed since. All threads of a process share what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from cachetools import LRUCache
from sqlalchemy import Engine

from console.core import revisions
from console.core.context import Context
from console.core.revisions import ALWAYS

T = TypeVar("T")

# Rows of one database, a figure counts as one; the least used leave first. Fifty items are a quarter of a megabyte.
MOST = 2500
# What one result may hold of that; larger ones are not kept.
MOST_AT_ONCE = 300
# Changes that are made by hand, past this program, are seen after this at the latest.
LONGEST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Found:
    """A result, the tables it was read from with their tokens, and when it reads the same (aware UTC)."""

    result: Any
    tables: frozenset[str]
    tokens: revisions.Tokens
    since: datetime
    until: datetime


class _Store:
    """What was found in one database; serves many threads."""

    def __init__(self) -> None:
        self._found: LRUCache[Hashable, _Found] = LRUCache(MOST, getsizeof=lambda found: _rows(found.result))
        self._lock = Lock()

    def get(self, key: Hashable) -> _Found | None:
        with self._lock:
            return self._found.get(key)

    @property
    def rows(self) -> int:
        with self._lock:
            return int(self._found.currsize)

    def put(self, key: Hashable, found: _Found) -> None:
        if _rows(found.result) <= MOST_AT_ONCE:
            with self._lock:
                self._found[key] = found


_stores: WeakKeyDictionary[Engine, _Store] = WeakKeyDictionary()


def _rows(result: Any) -> int:
    # A row is Sized too; what holds many of them says so itself.
    if isinstance(result, (list, tuple)):
        return 1 + sum(map(_rows, result))
    return int(getattr(result, "weight", 1))


def cached_query(ctx: Context, key: Hashable, find: Callable[[], T]) -> T:
    """Return what `find` gave for this `key` the last time; it is called again once a table that it read changed.

    The key names everything that the result depends on, apart from the contents of the database; the result must
    never be changed. A unit of work that may write always looks itself.
    """
    return cached_query_until(ctx, key, ctx.now(), lambda: (find(), ALWAYS))


def cached_query_until(ctx: Context, key: Hashable, now: datetime, find: Callable[[], tuple[T, datetime]]) -> T:
    """Return the same where time changes the result too: `find` also says up to which instant (aware UTC) it holds."""
    known = cache_get(ctx, key, now)
    if known is not None:
        result: T = known[0]
        return result
    with revisions.reading() as found:
        result, until = find()
    tables = frozenset(found.tables)
    revisions.has_read(tables, until)
    # What asked the database for nothing was made of something else, which the key may not know.
    if tables:
        _put(ctx, key, now, until, result, tables)
    return result


def cache_get(ctx: Context, key: Hashable, now: datetime) -> tuple[Any] | None:
    """Return what is still true under this key, alone in a tuple, or None: then it has to be looked up."""
    if not ctx.only_reads:
        return None
    connection = ctx.session.connection()
    # Asked for before any row is read, so that what is read is at least as new.
    tokens = revisions.tokens(connection)
    found = _store(connection.engine).get(key)
    if found is None or not found.since <= now <= found.until or now - found.since > LONGEST:
        return None
    if not revisions.same(found.tables, found.tokens, tokens):
        return None
    revisions.has_read(found.tables, found.until)
    return (found.result,)


def cache_put(ctx: Context, key: Hashable, now: datetime, until: datetime, result: object) -> None:
    """Keep what another `find` found on its way, true from `now` to `until`; only from within that `find`.

    Otherwise the tokens would be asked for after the rows, and somebody may have written in between.
    """
    _put(ctx, key, now, until, result, revisions.read_so_far())


def _put(ctx: Context, key: Hashable, now: datetime, until: datetime, result: object, tables: frozenset[str]) -> None:
    if ctx.only_reads:
        connection = ctx.session.connection()
        tokens = revisions.tokens(connection)
        _store(connection.engine).put(key, _Found(result, tables, tokens, now, until))


def _store(engine: Engine) -> _Store:
    store = _stores.get(engine)
    if store is None:
        store = _stores.setdefault(engine, _Store())
    return store


def stored_rows(engine: Engine) -> int:
    """Return how many rows are kept of a database; a figure counts as one."""
    return _stores[engine].rows if engine in _stores else 0


def forget(engine: Engine) -> None:
    """Drop what is kept of a database: for tests, whose databases are emptied past the program."""
    _stores.pop(engine, None)
