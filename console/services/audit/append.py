"""Appending to the audit chain: queued during the use case, written under the chain's lock right before COMMIT.

The lock is held for three statements and the commit itself, whatever the use case did before. The rows stand in the
same transaction as the change they describe: without them the change does not happen either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import structlog
from sqlalchemy import Connection, Dialect, Table, bindparam, event, exists, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, SessionTransaction

from console.core.clock import Clock
from console.core.context import Context
from console.core.revisions import has_changed
from console.domain.audit.entry import Entry, entry_hash, instant_text, keyed_hash, monotone
from console.domain.errors import StoreUnavailable
from console.models.audit import AuditChainHead, AuditLog
from console.services.audit.keys import ChainKeys, chain_keys

log = structlog.get_logger("audit")

LOGS = cast("Table", AuditLog.__table__)
HEAD = cast("Table", AuditChainHead.__table__)
HEAD_ID = 1

# Made once: building and caching a statement costs more than running it, and the chain waits meanwhile.
_LOCK = select(HEAD.c.seq, HEAD.c.head_hash, HEAD.c.last_created_at).where(HEAD.c.id == HEAD_ID).with_for_update()
_INSERT = insert(LOGS)
_MOVE = (
    update(HEAD)
    .where(HEAD.c.id == HEAD_ID, HEAD.c.seq == bindparam("old_seq"), HEAD.c.head_hash == bindparam("old_hash"))
    .values(seq=bindparam("new_seq"), head_hash=bindparam("new_hash"), last_created_at=bindparam("new_created_at"))
)
_COLUMNS = [column for column in LOGS.c if column.name != "id"]
# Both at once, for the usual single entry: one round trip less while the chain is locked. PostgreSQL only.
_MOVED = _MOVE.returning(HEAD.c.id).cte("moved")
_INSERT_AND_MOVE = insert(LOGS).from_select(
    _COLUMNS, select(*(bindparam(column.name, type_=column.type) for column in _COLUMNS)).select_from(_MOVED)
)

_QUEUE, _MARKS = "audit_queue", "audit_marks"
_failures: Counter[str] = Counter()


@dataclass(frozen=True)
class Pending:
    """An entry that waits for its place in the chain."""

    entry: Entry
    request_id: str
    clock: Clock
    keys: ChainKeys


@dataclass(frozen=True)
class Head:
    """The stored end of the chain: number and hash of the last row, zero and empty at the beginning."""

    seq: int
    head_hash: str
    last_created_at: Any


def enqueue(ctx: Context, entry: Entry) -> None:
    """Queue an entry for the end of the transaction; a rollback forgets it."""
    pending = Pending(entry, ctx.request_id[:64], ctx.clock, chain_keys(ctx.config))
    ctx.session.info.setdefault(_QUEUE, []).append(pending)


def append_failures() -> int:
    """Return how many times this process could not write its audit rows; each one undid the change it belonged to."""
    return _failures["append"]


def locked_head(connection: Connection) -> Head:
    """Lock the head of the chain until the end of the transaction and give it.

    The row is made with the first entry. When it is missing although there are entries, somebody removed it:
    raises StoreUnavailable, because continuing would hide that.
    """
    row = connection.execute(_LOCK).one_or_none()
    if row is None:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        beginning = select(literal(HEAD_ID), literal(0), literal("")).where(~exists().select_from(LOGS))
        made = dialect.insert(HEAD).from_select(["id", "seq", "head_hash"], beginning).on_conflict_do_nothing()
        connection.execute(made)
        row = connection.execute(_LOCK).one_or_none()
    if row is None:
        raise StoreUnavailable("The head of the audit chain is missing")
    return Head(row.seq, row.head_hash, row.last_created_at)


def move_head(connection: Connection, head: Head, *, seq: int, head_hash: str, last_created_at: Any) -> None:
    """Write the new end of the chain; raises StoreUnavailable when the head moved although it was locked."""
    _must_have_moved(connection.execute(_MOVE, _step(head, seq, head_hash, last_created_at)).rowcount)


def _step(head: Head, seq: int, head_hash: str, last_created_at: Any) -> dict[str, Any]:
    return {
        "old_seq": head.seq,
        "old_hash": head.head_hash,
        "new_seq": seq,
        "new_hash": head_hash,
        "new_created_at": last_created_at,
    }


def _step_to(head: Head, last: dict[str, Any]) -> dict[str, Any]:
    return _step(head, last["seq"], last["entry_hash"], last["created_at"])


def _must_have_moved(rowcount: int) -> None:
    if rowcount != 1:
        raise StoreUnavailable("The head of the audit chain moved")


def _chained(head: Head, queue: Sequence[Pending]) -> list[dict[str, Any]]:
    """Return the rows that continue the chain, all at one instant taken while the lock is held."""
    created_at = monotone(queue[0].clock.now(), head.last_created_at)
    created_text = instant_text(created_at)
    rows: list[dict[str, Any]] = []
    seq, running = head.seq, head.head_hash
    for pending in queue:
        entry, seq = pending.entry, seq + 1
        digest = entry_hash(entry, prev_hash=running, created_text=created_text)
        rows.append(
            {
                "actor_user_id": entry.actor_user_id,
                "actor_username": entry.actor_username,
                "action": entry.action,
                "resource_type": entry.resource_type,
                "resource_id": entry.resource_id,
                "status": entry.status,
                "detail_json": entry.detail_json,
                "created_at": created_at,
                "created_text": created_text,
                "prev_hash": running or None,
                "entry_hash": digest,
                "seq": seq,
                "keyed_hash": keyed_hash(pending.keys.current, seq, digest, pending.request_id),
                "key_id": pending.keys.current_id,
                "request_id": pending.request_id,
            }
        )
        running = digest
    return rows


def _append(session: Session, queue: list[Pending]) -> None:
    # Flush first: the business rows are written before the chain is locked, so the lock is short.
    session.flush()
    connection = session.connection()
    if len(queue) == 1 and connection.dialect.name == "postgresql":
        _append_one_on_postgresql(connection, queue)
    else:
        head = locked_head(connection)
        rows = _chained(head, queue)
        connection.execute(_INSERT, rows)
        _must_have_moved(connection.execute(_MOVE, _step_to(head, rows[-1])).rowcount)
    queue.clear()


def _append_one_on_postgresql(connection: Connection, queue: list[Pending]) -> None:
    """Append the usual single entry in two statements, straight on the driver's cursor.

    The processor time of the client counts while it holds the lock that all others wait for: this is half of what the
    same two statements cost through the layers above. Errors come out as those of SQLAlchemy all the same.
    """
    lock, write = _on_postgresql(connection.dialect)
    cursor = connection.connection.cursor()
    try:
        cursor.execute(*lock)
        found = cursor.fetchone()
        head = Head(*found) if found is not None else locked_head(connection)
        (row,) = _chained(head, queue)
        cursor.execute(write[0], {**write[1], **row, **_step_to(head, row)})
        _must_have_moved(cursor.rowcount)
        has_changed(connection, (LOGS.name, HEAD.name))
    except connection.dialect.loaded_dbapi.OperationalError as error:
        raise OperationalError("audit append", None, error) from error
    finally:
        cursor.close()


@cache
def _on_postgresql(dialect: Dialect) -> tuple[tuple[str, dict[str, Any]], tuple[str, dict[str, Any]]]:
    lock, write = (statement.compile(dialect=dialect) for statement in (_LOCK, _INSERT_AND_MOVE))
    return (lock.string, dict(lock.params)), (write.string, dict(write.params))


@event.listens_for(Session, "before_commit")
def _before_commit(session: Session) -> None:
    queue: list[Pending] | None = session.info.get(_QUEUE)
    # A savepoint that ends is no commit yet.
    if not queue or session.in_nested_transaction():
        return
    try:
        _append(session, queue)
    except Exception:
        _failures["append"] += 1
        log.exception("audit_append_failed", actions=[item.entry.action for item in queue])
        raise


@event.listens_for(Session, "after_transaction_create")
def _mark_savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_MARKS, {})[transaction] = len(session.info.get(_QUEUE, ()))


@event.listens_for(Session, "after_soft_rollback")
def _forget_rolled_back(session: Session, transaction: SessionTransaction | None) -> None:
    queue: list[Pending] | None = session.info.get(_QUEUE)
    # A failed flush reports itself; what was undone is the savepoint around it, or everything.
    while transaction is not None and not transaction.nested:
        transaction = transaction.parent
    if queue:
        del queue[session.info.get(_MARKS, {}).get(transaction, 0) :]


@event.listens_for(Session, "after_transaction_end")
def _end_of_transaction(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_QUEUE, None)
        session.info.pop(_MARKS, None)
