"""Figures that are not counted again while the database holds what it held.

Whoever looks at a list asks for the same counts every few seconds; the database itself says whether anything was
written since. Every connection keeps its own figures, so threads share nothing and nobody has to announce a change.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from weakref import ref

from sqlalchemy import Connection

from console.context import Context
from console.database import state_of

T = TypeVar("T")

# Entries of one connection, the least used leave first: pages of rows are among them, a quarter of a megabyte each.
MOST = 12
ALWAYS = datetime.max.replace(tzinfo=UTC)


@dataclass
class _Memory:
    """What a connection found, in which state of the database, and the transaction that asked for that state."""

    state: Hashable = None
    asked_by: Callable[[], Connection | None] = lambda: None
    found: OrderedDict[Hashable, tuple[datetime, datetime, Any]] = field(default_factory=OrderedDict)


def remembered(ctx: Context, key: Hashable, find: Callable[[], T]) -> T:
    """Give what `find` gave for this `key` the last time; it is called again once anything was written.

    The key names everything that the result depends on, apart from the contents of the database. A unit of work that
    may write always looks itself.
    """
    return remembered_until(ctx, key, ctx.now(), lambda: (find(), ALWAYS))


def remembered_until(ctx: Context, key: Hashable, now: datetime, find: Callable[[], tuple[T, datetime]]) -> T:
    """Give the same where time changes the result too: `find` also says up to which instant (aware UTC) it holds."""
    if not ctx.only_reads:
        return find()[0]
    found = _memory(ctx.session.connection()).found
    if key in found:
        found.move_to_end(key)
        since, until, result = found[key]
        if since <= now <= until:
            return result
    result, until = find()
    found[key] = (now, until, result)
    found.move_to_end(key)
    if len(found) > MOST:
        found.popitem(last=False)
    return result


def _memory(connection: Connection) -> _Memory:
    memory: _Memory = connection.info.setdefault("remembered", _Memory())
    # A new transaction may see more; within one the answer stands, as if everything had been read at once.
    if memory.asked_by() is not connection:
        state = state_of(connection)
        if state != memory.state:
            memory.state, memory.found = state, OrderedDict()
        memory.asked_by = ref(connection)
    return memory
