"""The list engine at work: pages, slices, groups and exports of what a `ListSpec` declares.

A list that says how long its rows hold is remembered until something is written; one that finds ids first reads its
rows by a late join, so that what is skipped costs an index walk and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Integer,
    and_,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.operators import asc_op

from console.core import revisions
from console.core.context import Context
from console.core.listing import (
    AnySelect,
    Args,
    Choices,
    Filter,
    ListQuery,
    ListResult,
    ListSpec,
    Order,
    SqlValue,
    narrowed,
    ordered,
    parse,
)
from console.core.revisions import ALWAYS
from console.core.serialize import iso
from console.domain.errors import Invalid, SiteDenied
from console.domain.ids import MAX_ID
from console.domain.text import T, Text
from console.services.common.query_cache import cached_query_until

Found = TypeVar("Found")
# Up to so many rows with the words of a search are put in order by themselves; more are met soon along any order.
FEW = 1000
NEAR = 100


@dataclass(frozen=True, eq=False)
class Slice:
    """Some rows of a query in its order, and how many match in all; `capped` means there are more than `total`.

    While nothing changes the very same object is given again: what was made of it holds as long as it lives.
    """

    items: tuple[Any, ...]
    total: int
    capped: bool = False

    @property
    def weight(self) -> int:
        """Return how many rows it keeps in memory."""
        return 1 + len(self.items)


@dataclass(frozen=True)
class Behind:
    """The place behind the last row seen, in an order that is no order of keys: `word` names it, `where` finds it."""

    word: str
    where: ColumnElement[bool] = field(compare=False)


def cursor_at(at: datetime, number: int) -> str:
    """Return the cursor behind a row of a list that has its latest rows first."""
    return f"{iso(at)}~{number}"


def place_behind(cursor: str, at: InstrumentedAttribute[datetime], key: InstrumentedAttribute[int]) -> Behind:
    """Return the place that `cursor_at` named; raises Invalid for what is no cursor."""
    said, _mark, number = cursor.partition("~")
    try:
        then, last = datetime.fromisoformat(said), int(number)
    except ValueError:
        then, last = None, 0
    if then is None or then.tzinfo is None or not 0 < last <= MAX_ID:
        raise Invalid.field("cursor", T("That is no cursor of this list"), where="query")
    return Behind(cursor, or_(at < then, and_(at == then, key < last)))


def known(ctx: Context, spec: ListSpec, args: Args, *, extra: Sequence[str] = ()) -> ListQuery:
    """Return what a list still has of what an address asks for; `left_out` says what it has no more.

    For addresses that were kept: columns, orders, filters and their choices come and go.
    """
    refused: list[Text] = []
    query, now = parse(spec, args, extra=extra, refuse=refused.append), ctx.now()
    filters = {}
    for item in spec.filters:
        words = query.filters.get(item.key)
        if words is None:
            continue
        sentences = {word: _refused(ctx, item, word, now) for word in words}
        refused += [sentence for sentence in sentences.values() if sentence is not None]
        kept = tuple(word for word in words if sentences[word] is None)
        if kept or not words:
            filters[item.key] = kept
    return replace(query, filters=filters, left_out=(*query.left_out, *refused))


def _refused(ctx: Context, item: Filter, word: str, now: datetime) -> Text | None:
    """Return why a filter cannot take a word, or None."""
    for sentence in item.refused([word]):
        return sentence
    try:
        item.where(ctx, [word], now)
    except (Invalid, SiteDenied):
        return T("“%(word)s” is not a choice of “%(key)s”", word=word[:40], key=item.key)
    return None


def matching(ctx: Context, spec: ListSpec, query: ListQuery, now: datetime) -> AnySelect:
    """Return the SELECT of what matches a query: of the ids alone where the list finds those first.

    Raises what reading the list would raise (PermissionDenied, SiteDenied, Invalid).
    """
    _require(ctx, spec)
    return narrowed(ctx, replace(spec, base=spec.ids or spec.base), query, now)


def run(
    ctx: Context,
    spec: ListSpec,
    query: ListQuery,
    *,
    total: int | None = None,
    choices: Mapping[str, Choices] | None = None,
) -> ListResult:
    """Return one page of a list: two queries, whatever the page and its size, plus those of the filters' choices.

    Whoever has counted what matches already gives the `total`; `choices` are further ones, by filter.
    """
    now = ctx.now()

    def find() -> tuple[tuple[Any, ...], int, bool, int]:
        if total is None and query.search and spec.ids is not None and spec.count_cap is None:
            (number, statement), capped = _searched(ctx, spec, query, now), False
        else:
            statement = matching(ctx, spec, query, now)
            number, capped = _count(ctx, spec, query, now) if total is None else (total, False)
        last = max(1, -(-number // query.per_page))
        there = query if capped else replace(query, page=min(query.page, last))
        skipped = (there.page - 1) * there.per_page
        there_are = None if capped else number
        return _rows(ctx, spec, there, statement, there_are, there.per_page, skipped), number, capped, there.page

    place = ("page", spec.ordered_by, query.sort, query.descending, query.page, query.per_page, total)
    rows, number, capped, page = _remembered(ctx, spec, query, place, find, lambda found: found[0])
    offered = {item.key: item.options(ctx) for item in spec.filters}
    return ListResult(spec, replace(query, page=page), rows, number, capped, now, {**offered, **(choices or {})})


def slice_of(
    ctx: Context,
    spec: ListSpec,
    query: ListQuery,
    *,
    limit: int,
    offset: int,
    order: Order = (),
    cursor: int | Behind | None = None,
) -> Slice:
    """Return rows `offset` to `offset + limit` of a query in the order of the list or in another one.

    Of a list that has its highest keys first a `cursor` is the last key seen, of others the place behind it: rows are
    those behind it, counted are all.
    """
    spec = replace(spec, order=order) if order else spec

    def find() -> Slice:
        now = ctx.now()
        statement = matching(ctx, spec, query, now)
        total, capped = _count(ctx, spec, query, now)
        if offset >= total and not capped:
            return Slice((), total)
        if cursor is not None:
            statement = statement.where(cursor.where if isinstance(cursor, Behind) else spec.key < cursor)
        there_are = None if capped or cursor is not None else total
        return Slice(_rows(ctx, spec, query, statement, there_are, limit, offset), total, capped)

    revisions.has_read_list()
    what = ("slice", limit, offset, cursor, *map(str, order))
    return _remembered(ctx, spec, query, what, find, lambda found: found.items)


def totals(ctx: Context, spec: ListSpec, addresses: Sequence[Args], *, extra: Sequence[str] = ()) -> list[int | None]:
    """Return how many rows match each of these addresses of a list: one query for all of them.

    None for one that the list cannot read any more, or that somebody else may read alone. Addresses that were kept
    ask for what there was then: what of one is no longer there makes no number, since it would be another one.
    """
    _require(ctx, spec)
    now = ctx.now()
    bare: dict[int, AnySelect] = {}
    for place, args in enumerate(addresses):
        with suppress(Invalid, SiteDenied):
            query = parse(spec, args, extra=extra)
            if not query.left_out:
                found = matching(ctx, spec, query, now)
                bare[place] = found.with_only_columns(literal(1), maintain_column_froms=True).order_by(None)
    if not bare:
        return [None] * len(addresses)
    most = None if spec.count_cap is None else spec.count_cap + 1
    counted = {
        place: select(func.count()).select_from(one.limit(most).subquery()).scalar_subquery()
        for place, one in bare.items()
    }
    numbers = dict(zip(counted, ctx.session.execute(select(*counted.values())).one(), strict=True))
    return [numbers.get(place) for place in range(len(addresses))]


def groups(
    ctx: Context,
    spec: ListSpec,
    query: ListQuery,
    column: SqlValue,
    most: Mapping[str, int],
    counts: Mapping[str, int] | None = None,
    counted: Callable[[], Mapping[str, int] | None] = lambda: None,
    conditions: Mapping[str, ColumnElement[bool]] | None = None,
) -> tuple[tuple[Any, ...], Mapping[str, int]]:
    """Return the first rows of each word of a column and how many there are of each: two queries.

    `most` says how many rows of a word are wanted. Whoever has counted them already gives the `counts`; `counted` gives
    them where they are known without counting the rows. `conditions` say of words what else than being equal to them
    finds their rows, by an index.
    """
    known = conditions or {}

    def find() -> tuple[tuple[Any, ...], Mapping[str, int]]:
        statement = matching(ctx, spec, query, ctx.now())
        numbers = counted() if counts is None else counts
        if numbers is None:
            each = statement.with_only_columns(column, func.count()).group_by(column)
            numbers = {row[0]: row[1] for row in ctx.session.execute(each)}
        order = spec.order_of(query)
        # A literal, not a parameter: it proves the condition of a partial index.
        wheres = {word: known.get(word, column == literal_column(f"'{word}'")) for word in most if numbers.get(word)}
        parts = [
            select(statement.where(where).order_by(*order).limit(most[word]).subquery())
            for word, where in wheres.items()
        ]
        return _joined(ctx, spec, union_all(*parts).subquery(), order) if parts else (), numbers

    return _remembered(
        ctx, spec, query, ("groups", *most.items(), *(counts or {}).items()), find, lambda found: found[0]
    )


def stream(ctx: Context, spec: ListSpec, query: ListQuery, ids: Sequence[int] | None = None) -> Iterator[Any]:
    """Return all rows of a query one after another, in constant memory; with `ids` exactly those, whatever its filters.

    Chosen rows stay chosen when they change meanwhile so that the filters no longer match.
    """
    _require(ctx, spec)
    if ids is None:
        statement = narrowed(ctx, spec, query, ctx.now())
    else:
        spec = replace(spec, implied={})
        statement = spec.base(ctx).where(spec.key.in_(ids))
    result = ctx.session.execute(ordered(spec, query, statement), execution_options={"yield_per": 250})
    return (spec.row(row) for row in result)


def _require(ctx: Context, spec: ListSpec) -> None:
    if spec.read:
        ctx.actor.require(*spec.read)


def _count(ctx: Context, spec: ListSpec, query: ListQuery, now: datetime) -> tuple[int, bool]:
    """Count what matches; above the list's cap it stops counting and says so."""

    def find() -> int:
        known = spec.counted(ctx, spec, query) if spec.counted is not None else None
        if known is not None:
            return known
        # Made anew in here: a condition may be made of rows, whose tables count as read for the number then.
        bare = matching(ctx, spec, query, now).with_only_columns(literal(1), maintain_column_froms=True).order_by(None)
        if spec.count_cap is not None:
            bare = bare.limit(spec.count_cap + 1)
        return ctx.session.scalar(select(func.count()).select_from(bare.subquery())) or 0

    total: int = _remembered(ctx, spec, query, ("total",), find)
    capped = spec.count_cap is not None and total > spec.count_cap
    return (spec.count_cap or 0, True) if capped else (total, False)


def _searched(ctx: Context, spec: ListSpec, query: ListQuery, now: datetime) -> tuple[int, AnySelect]:
    """Return how many rows have the words of a search, and the SELECT of their ids: one look at each row of the table.

    Looking along an order for words that few rows have would take all of them, one by one, a second time.
    """
    few: Sequence[int] | None = None

    def look() -> int:
        nonlocal few
        number, few = _counted_ids(ctx, matching(ctx, spec, query, now))
        return number

    total: int = _remembered(ctx, spec, query, ("total",), look)
    if few is None and 0 < total <= FEW:
        look()
    assert spec.ids is not None
    if few is None and total:
        return total, matching(ctx, spec, query, now)
    return total, spec.ids(ctx).where(spec.key.in_(few or ()))


def _counted_ids(ctx: Context, ids: AnySelect) -> tuple[int, Sequence[int] | None]:
    """Return how many ids a SELECT finds, and them where they are `FEW`, in no order: it is carried out once."""
    if ctx.session.get_bind().dialect.name == "postgresql":
        # Several processes look together for one row, never for many.
        key = next(iter(ids.selected_columns))
        first: ColumnElement[Sequence[int]] = func.array_agg(key, type_=ARRAY(Integer))[1:FEW]
        total, few = ctx.session.execute(ids.with_only_columns(func.count(), first)).one()
    else:
        hits = ids.cte("hits")
        number = select(func.count()).select_from(hits).scalar_subquery()
        found = ctx.session.execute(select(number, *hits.c).limit(FEW)).all()
        total, few = found[0][0] if found else 0, [row[1] for row in found]
    return int(total), few if total <= FEW else None


def few_or_all(ctx: Context, ids: AnySelect) -> AnySelect | None:
    """Return a SELECT of ids, or that of the very ids where it finds a few: for the first ones in some order.

    None where it finds nothing. Looking for few along an order would take all rows, one by one.
    """
    few = ctx.session.scalars(ids.limit(NEAR)).all()
    if not few:
        return None
    key = next(iter(ids.selected_columns))
    return ids if len(few) == NEAR else select(key).where(key.in_(few))


def _rows(
    ctx: Context, spec: ListSpec, query: ListQuery, statement: AnySelect, total: int | None, limit: int, offset: int
) -> tuple[Any, ...]:
    if spec.ids is None:
        page = ordered(spec, query, statement).limit(limit).offset(offset)
        return tuple(spec.row(row) for row in ctx.session.execute(page))
    if query.sort:
        ids = ordered(spec, query, statement).limit(limit).offset(offset).subquery()
        full = spec.base(ctx).join(ids, ids.c.id == spec.key)
        return tuple(spec.row(row) for row in ctx.session.execute(ordered(spec, query, full)))
    order = spec.order_of(query)
    return _joined(ctx, spec, _from_nearer_end(statement, order, total, limit=limit, offset=offset).subquery(), order)


def _joined(ctx: Context, spec: ListSpec, ids: FromClause, order: Order) -> tuple[Any, ...]:
    full = spec.base(ctx).join(ids, ids.c.id == spec.key).order_by(*order)
    return tuple(spec.row(row) for row in ctx.session.execute(full))


def _from_nearer_end(ids: AnySelect, order: Order, total: int | None, *, limit: int, offset: int) -> AnySelect:
    """Return the ids at these places of an order; the second half is walked from the end, where its places are near.

    Where the `total` is not known it begins at the start. They come in either direction: the rows that are joined to
    them have to be put in order anyway.
    """
    if total is None or offset <= total - offset:
        return ids.order_by(*order).limit(limit).offset(offset)
    behind = total - offset
    taken = min(limit, behind)
    return ids.order_by(*map(_turned, order)).limit(taken).offset(behind - taken)


def _turned(step: Any) -> ColumnElement[Any]:
    # Without words about NULL both databases put them at the other end then.
    turned: ColumnElement[Any] = step.element.desc() if step.modifier is asc_op else step.element.asc()
    return turned


def _remembered(
    ctx: Context,
    spec: ListSpec,
    query: ListQuery,
    what: tuple[Hashable, ...],
    find: Callable[[], Found],
    rows: Callable[[Found], Sequence[Any]] | None = None,
) -> Found:
    """Return what `find` finds; it looks again when something was written or what was found no longer holds.

    What has no rows is a number, which holds as long as the same rows match.
    """
    _require(ctx, spec)
    holds, now = spec.holds, ctx.now()
    if holds is None and (rows is not None or spec.until is None):
        return find()
    words = tuple(sorted((key, chosen) for key, chosen in spec.effective(query).items()))
    key = (what, spec.name, ctx.actor.site_scope, words, query.search)
    until = ALWAYS if spec.until is None else spec.until(ctx, query, now)

    def look() -> tuple[Found, datetime]:
        found = find()
        return found, until if rows is None or holds is None else min(until, holds(rows(found)))

    return cached_query_until(ctx, key, now, look)
