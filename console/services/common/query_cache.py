"""Figures that are not counted again while the database holds what it held.

Whoever looks at a list asks for the same counts every few seconds; the database itself says whether anything was
written since. Every connection keeps its own figures, so threads share nothing and nobody has to announce a change.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from weakref import ref

from cachetools import LRUCache
from sqlalchemy import Connection

from console.core.context import Context
from console.core.database import state_of

T = TypeVar("T")

# Rows of one connection, a figure counts as one; the least used leave first. Fifty items are a quarter of a megabyte.
MOST = 300
ALWAYS = datetime.max.replace(tzinfo=UTC)


# What was found, true from one instant to another.
_Found = tuple[datetime, datetime, Any]


def _rows(result: Any) -> int:
    # A row is Sized too; what holds many of them says so itself.
    if isinstance(result, (list, tuple)):
        return 1 + sum(map(_rows, result))
    return int(getattr(result, "weight", 1))


def _store() -> LRUCache[Hashable, _Found]:
    return LRUCache(MOST, getsizeof=lambda found: _rows(found[2]))


@dataclass
class _Memory:
    """What a connection found, in which state of the database, and the transaction that asked for that state."""

    state: Hashable = None
    asked_by: Callable[[], Connection | None] = lambda: None
    found: LRUCache[Hashable, _Found] = field(default_factory=_store)

    def keep(self, key: Hashable, since: datetime, until: datetime, result: Any) -> None:
        """Keep a result, and let go of what was not asked for the longest; one that is too large is not kept."""
        self.found.pop(key, None)
        with suppress(ValueError):  # too large
            self.found[key] = (since, until, result)


def cached_query(ctx: Context, key: Hashable, find: Callable[[], T]) -> T:
    """Return what `find` gave for this `key` the last time; it is called again once anything was written.

    The key names everything that the result depends on, apart from the contents of the database. A unit of work that
    may write always looks itself.
    """
    return cached_query_until(ctx, key, ctx.now(), lambda: (find(), ALWAYS))


def cached_query_until(ctx: Context, key: Hashable, now: datetime, find: Callable[[], tuple[T, datetime]]) -> T:
    """Return the same where time changes the result too: `find` also says up to which instant (aware UTC) it holds."""
    known = cache_get(ctx, key, now)
    if known is not None:
        result: T = known[0]
        return result
    result, until = find()
    cache_put(ctx, key, now, until, result)
    return result


def cache_get(ctx: Context, key: Hashable, now: datetime) -> tuple[Any] | None:
    """Return what is still true under this key, alone in a tuple, or None: then it has to be looked up."""
    if not ctx.only_reads:
        return None
    found = _memory(ctx.session.connection()).found
    if key not in found:
        return None
    since, until, result = found[key]
    return (result,) if since <= now <= until else None


def cache_put(ctx: Context, key: Hashable, now: datetime, until: datetime, result: object) -> None:
    """Keep what another `find` found on its way, true from `now` to `until`; only from within that `find`.

    Otherwise the state of the database would be asked for after the rows, and somebody may have written in between.
    """
    if ctx.only_reads:
        _memory(ctx.session.connection()).keep(key, now, until, result)


def _memory(connection: Connection) -> _Memory:
    memory: _Memory = connection.info.setdefault("remembered", _Memory())
    # A new transaction may see more; within one the answer stands, as if everything had been read at once.
    if memory.asked_by() is not connection:
        state = state_of(connection)
        if state != memory.state:
            memory.state, memory.found = state, _store()
        memory.asked_by = ref(connection)
    return memory
