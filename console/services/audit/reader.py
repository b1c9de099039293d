"""Rows of the chain as verification reads them: in sequence, batch by batch, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Select, String, bindparam, func, select, type_coerce
from sqlalchemy.orm import Session

from console.domain.audit.archive import Month
from console.domain.audit.chain import Anchor, ChainRow
from console.models.audit import AuditRebaseline
from console.services.audit.append import HEAD, HEAD_ID, LOGS

# Rows of one statement, and how many of them are objects at a time: several verifications may run side by side.
BATCH = 2000
PIECE = 250


@dataclass(frozen=True)
class Span:
    """A stretch of the chain: places of its first and last row (None when empty) and the number of rows in it."""

    first: int | None
    last: int | None
    total: int


def head_of(session: Session) -> Anchor:
    """Return the stored end of the chain; zero and empty before the first entry."""
    row = session.execute(select(HEAD.c.seq, HEAD.c.head_hash).where(HEAD.c.id == HEAD_ID)).one_or_none()
    return Anchor(row.seq, row.head_hash) if row else Anchor()


@dataclass(frozen=True)
class ChainState:
    """What one statement tells of the chain: its end, the instant of it, what names it, how often it was mended.

    `named_by` is what the request that wrote the first row left, None when that row is gone.
    """

    head: Anchor
    newest_at: datetime | None
    named_by: str | None
    is_empty: bool
    rebaseline_count: int


def state_of(session: Session) -> ChainState:
    """Return the state of the chain: one query."""
    of_head = [select(column).where(HEAD.c.id == HEAD_ID).scalar_subquery() for column in
               (HEAD.c.seq, HEAD.c.head_hash, HEAD.c.last_created_at)]  # fmt: skip
    first = [select(column).where(LOGS.c.seq == 1).scalar_subquery() for column in
             (LOGS.c.seq, LOGS.c.request_id, LOGS.c.created_text)]  # fmt: skip
    last = select(func.max(LOGS.c.seq)).scalar_subquery()
    mended = select(func.count(AuditRebaseline.id)).scalar_subquery()
    row: Sequence[Any] = session.execute(select(*of_head, *first, last, mended)).one()
    seq, digest, newest_at, place, request_id, text, newest, count = row
    return ChainState(
        Anchor(seq, digest) if seq is not None else Anchor(),
        newest_at,
        (request_id or str(text)) if place is not None else None,
        is_empty=not seq and not newest,
        rebaseline_count=count,
    )


def ends_of(session: Session) -> tuple[int, int]:
    """Return the highest sequence number that exists and that of the stored end, as one statement sees both."""
    last = select(func.max(LOGS.c.seq)).scalar_subquery()
    head = select(HEAD.c.seq).where(HEAD.c.id == HEAD_ID).scalar_subquery()
    row = session.execute(select(last, head)).one()
    return row[0] or 0, row[1] or 0


def last_place(session: Session) -> int:
    """Return the highest sequence number that exists; zero without rows."""
    return session.scalar(select(func.max(LOGS.c.seq))) or 0


def span_of(session: Session, month: Month, *, upto: int) -> Span:
    """Return the stretch whose times lie in a month, up to a place in the chain."""
    row = session.execute(
        select(func.min(LOGS.c.seq), func.max(LOGS.c.seq), func.count()).where(
            LOGS.c.created_at >= month.start, LOGS.c.created_at < month.end, LOGS.c.seq <= upto
        )
    ).one()
    return Span(*row)


def quick_span(session: Session, month: Month) -> Span:
    """Return the stretch of a month by its first and last row alone: exact while the rows are what was written."""
    within = select(LOGS.c.seq).where(LOGS.c.created_at >= month.start, LOGS.c.created_at < month.end).limit(1)
    first = session.scalar(within.order_by(LOGS.c.created_at, LOGS.c.seq))
    last = session.scalar(within.order_by(LOGS.c.created_at.desc(), LOGS.c.seq.desc()))
    if first is None or last is None:
        return Span(None, None, 0)
    return Span(first, last, max(0, last - first + 1))


def row_before(session: Session, span: Span, month: Month | None) -> Anchor:
    """Return the newest row before a stretch, or the beginning of the chain (contract: start value)."""
    query = select(LOGS.c.seq, LOGS.c.entry_hash).limit(1)
    if span.first is not None:
        query = query.where(LOGS.c.seq < span.first).order_by(LOGS.c.seq.desc())
    elif month is not None:
        query = query.where(LOGS.c.created_at < month.start).order_by(LOGS.c.created_at.desc(), LOGS.c.seq.desc())
    else:
        return Anchor()
    row = session.execute(query).one_or_none()
    return Anchor(row.seq, row.entry_hash or "") if row else Anchor()


def row_after(session: Session, place: int, *, upto: int) -> tuple[int, int] | None:
    """Return id and place of the next row after a place, or None at the end."""
    query = select(LOGS.c.id, LOGS.c.seq).where(LOGS.c.seq > place, LOGS.c.seq <= upto).order_by(LOGS.c.seq).limit(1)
    row = session.execute(query).one_or_none()
    return (row.id, row.seq) if row else None


def hash_at(session: Session, place: int) -> str | None:
    """Return the stored hash of the row at a place, or None when there is none."""
    return session.scalar(select(LOGS.c.entry_hash).where(LOGS.c.seq == place))


def _created_text(dialect: str) -> ColumnElement[str]:
    """Write the time column as it is hashed, in SQL: a million conversions in Python would double the time."""
    if dialect == "sqlite":
        # "2026-03-01 00:00:00.000000"; whatever else stands there gives a text that fits no hash.
        text = type_coerce(LOGS.c.created_at, String())
        date, time, fraction = (func.substr(text, *part, type_=String) for part in ((1, 10), (12, 8), (20,)))
    else:
        utc = func.timezone("UTC", LOGS.c.created_at)
        parts = ("YYYY-MM-DD", "HH24:MI:SS", ".US")
        date, time, fraction = (func.to_char(utc, part, type_=String) for part in parts)
    return date + "T" + time + func.replace(fraction, ".000000", "", type_=String) + "+00:00"


def batches(session: Session, first: int, last: int) -> Iterator[list[ChainRow]]:
    """Read the rows from one place to another, both included, two hundred and fifty at a time."""
    connection = session.connection()
    created = _created_text(connection.dialect.name)
    columns = [created if name == "created_at" else LOGS.c[name] for name in ChainRow._fields]
    query = (
        select(*columns)
        .where(LOGS.c.seq >= bindparam("first"), LOGS.c.seq <= bindparam("last"))
        .order_by(LOGS.c.seq)
        .limit(BATCH)
    )
    while first <= last:
        reached = first - 1
        for found in _plain(connection, query, first, last):
            rows = [ChainRow._make(row) for row in found]
            reached = rows[-1].seq
            yield rows
        if reached < first:
            return
        first = reached + 1


def _plain(connection: Connection, query: Select[Any], first: int, last: int) -> Iterator[Sequence[Any]]:
    # Straight from the driver's cursor: the values need no conversion, and wrapping each row costs as much as reading.
    with closing(connection.execute(query, {"first": first, "last": last})) as result:
        cursor = cast("Any", result).cursor
        while rows := cursor.fetchmany(PIECE):
            yield rows
