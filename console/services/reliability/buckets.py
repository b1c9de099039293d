"""Response times added up by stretches of time: written with the samples, read instead of them.

What a window holds is exact: whole stretches from the sums, and the pieces at both ends from the samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Float,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite

from console.core.context import Context
from console.domain.reliability.buckets import FINE, HOUR, PARTS, WIDTHS, Bucket, floor, part_of
from console.domain.reliability.policy import WindowCounts
from console.models.reliability import LATENCY_BUCKETS as BUCKETS
from console.models.reliability import LatencySample
from console.models.types import UtcDateTime

_PARTS = tuple(f"part_{number:02}" for number in range(PARTS))
_KEY = ("endpoint_key", "width_minutes", "start")
_COUNTS = ("sample_count", "error_count", "slow_count", *_PARTS)
_NOTHING_YET = dict.fromkeys(_COUNTS, 0) | {"longest_ms": 0.0}
NOTHING = WindowCounts()


class Measured(Protocol):
    """One measured request."""

    @property
    def endpoint_key(self) -> str:
        """Return the route it belongs to."""

    @property
    def duration_ms(self) -> float:
        """Return how long it took."""

    @property
    def is_error(self) -> bool:
        """Return whether it failed."""

    @property
    def sampled_at(self) -> datetime:
        """Return when it ended, aware UTC."""


def add(ctx: Context, samples: Iterable[Measured], slow_ms: float) -> None:
    """Add samples to their stretches with one statement, in the transaction that stores them."""
    fine: dict[tuple[str, datetime], list[Measured]] = {}
    for sample in samples:
        fine.setdefault((sample.endpoint_key, floor(sample.sampled_at, FINE)), []).append(sample)
    rows: dict[tuple[str, int, datetime], dict[str, Any]] = {}
    for (endpoint_key, start), found in fine.items():
        parts = [part_of(sample.duration_ms) for sample in found]
        # Wider stretches are made of whole fine ones.
        for width in WIDTHS:
            row = rows.setdefault((endpoint_key, width, floor(start, width)), dict(_NOTHING_YET))
            row["sample_count"] += len(found)
            row["error_count"] += sum(sample.is_error for sample in found)
            row["slow_count"] += sum(sample.duration_ms >= slow_ms for sample in found)
            row["longest_ms"] = max(row["longest_ms"], *(sample.duration_ms for sample in found))
            for part in parts:
                row[_PARTS[part]] += 1
    if rows:
        # In one order, so that two processes never wait for each other.
        values = [dict(zip(_KEY, key, strict=True)) | rows[key] for key in sorted(rows)]
        ctx.session.execute(_adding(ctx.session.get_bind().dialect.name), values)


@cache
def _adding(name: str) -> Any:
    dialect = postgresql if name == "postgresql" else sqlite
    statement = dialect.insert(BUCKETS)
    more, old = statement.excluded, BUCKETS.c
    changes: dict[str, Any] = {column: old[column] + more[column] for column in _COUNTS}
    changes["longest_ms"] = case((more.longest_ms > old.longest_ms, more.longest_ms), else_=old.longest_ms)
    return statement.on_conflict_do_update(index_elements=_KEY, set_=changes)


def of(ctx: Context, key: str, width: int, since: datetime) -> list[Bucket]:
    """Return the stretches of one endpoint from `since` on (aware UTC), oldest first."""
    columns = [BUCKETS.c[name] for name in ("start", "sample_count", "error_count", "slow_count", "longest_ms")]
    statement = select(*columns, *(BUCKETS.c[name] for name in _PARTS)).where(
        BUCKETS.c.endpoint_key == key, BUCKETS.c.width_minutes == width, BUCKETS.c.start >= since
    )
    found = ctx.session.connection().execute(statement.order_by(BUCKETS.c.start))
    return [
        Bucket(start, count, errors, slow, longest, tuple(parts))
        for start, count, errors, slow, longest, *parts in found
    ]


def totals(ctx: Context, keys: Sequence[str], since: datetime) -> dict[str, WindowCounts]:
    """Return what the hours from `since` on (aware UTC) hold of each endpoint, in one query."""
    statement = (
        select(BUCKETS.c.endpoint_key, *(func.sum(BUCKETS.c[name]) for name in _COUNTS[:3]))
        .where(BUCKETS.c.endpoint_key.in_(keys), BUCKETS.c.width_minutes == HOUR, BUCKETS.c.start >= since)
        .group_by(BUCKETS.c.endpoint_key)
    )
    return {key: WindowCounts(*map(int, counts)) for key, *counts in ctx.session.connection().execute(statement)}


def windows(
    ctx: Context, keys: Sequence[str], minutes: Sequence[int], slow_ms: float, now: datetime
) -> dict[str, tuple[WindowCounts, ...]]:
    """Return what each endpoint's windows of so many minutes, which end now, hold; in one query.

    However many samples there are, at most ten minutes of them are read for a window.
    """
    given: dict[str, Any] = {"last": floor(now, FINE), "slow": slow_ms}
    for number, length in enumerate(minutes):
        begin = now - timedelta(minutes=length)
        given |= {f"begin_{number}": begin, f"first_{number}": floor(begin, FINE) + timedelta(minutes=FINE)}
    given["earliest"] = min(given[f"first_{number}"] for number in range(len(minutes)))
    found: dict[str, list[int]] = {key: [0] * (3 * len(minutes)) for key in keys}
    for key, *counts in ctx.session.connection().execute(_counting(tuple(keys), len(minutes)), given):
        found[key] = [old + int(new or 0) for old, new in zip(found[key], counts, strict=True)]
    return {
        key: tuple(WindowCounts(*counts[at : at + 3]) for at in range(0, len(counts), 3))
        for key, counts in found.items()
    }


# Made once for a list of endpoints: putting such a statement together costs more than running it.
@cache
def _counting(keys: tuple[str, ...], count: int) -> CompoundSelect[*tuple[Any, ...]]:
    begins, firsts = ([_at(f"{name}_{number}") for number in range(count)] for name in ("begin", "first"))
    at = LatencySample.sampled_at
    heads = [
        _samples(keys, [at < firsts[number] if one == number else None for one in range(count)]).where(
            at > begins[number], at < firsts[number], at < _at("last")
        )
        for number in range(count)
    ]
    tail = _samples(keys, [at > begin for begin in begins]).where(at >= _at("last"))
    return union_all(_sums(keys, firsts), tail, *heads)


def _at(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=UtcDateTime())


def _samples(keys: Sequence[str], counted: Sequence[ColumnElement[bool] | None]) -> Select[*tuple[Any, ...]]:
    """Count samples, failed and slow ones of each window that they count for."""
    slow = LatencySample.duration_ms >= bindparam("slow", type_=Float())
    kinds = (None, LatencySample.is_error.is_(True), slow)
    sums = [
        literal(0, Integer())
        if condition is None
        else func.sum(case((condition if kind is None else and_(condition, kind), 1), else_=0))
        for condition in counted
        for kind in kinds
    ]
    return (
        select(LatencySample.endpoint_key, *sums)
        .where(LatencySample.endpoint_key.in_(keys))
        .group_by(LatencySample.endpoint_key)
    )


def _sums(keys: Sequence[str], firsts: Sequence[ColumnElement[datetime]]) -> Select[*tuple[Any, ...]]:
    start = BUCKETS.c.start
    sums = [func.sum(case((start >= first, BUCKETS.c[name]), else_=0)) for first in firsts for name in _COUNTS[:3]]
    return (
        select(BUCKETS.c.endpoint_key, *sums)
        .where(
            BUCKETS.c.endpoint_key.in_(keys),
            BUCKETS.c.width_minutes == FINE,
            start >= _at("earliest"),
            start < _at("last"),
        )
        .group_by(BUCKETS.c.endpoint_key)
    )


def prune(ctx: Context, before: Mapping[int, datetime]) -> int:
    """Remove the stretches of each width that began before its instant (aware UTC); returns how many."""
    removed = 0
    for width, limit in before.items():
        statement = delete(BUCKETS).where(BUCKETS.c.width_minutes == width, BUCKETS.c.start < limit)
        removed += ctx.session.connection().execute(statement).rowcount
    return removed
