"""The list engine: filter, sort, page and columns from the URL; bulk selection and export of exactly that.

A list is declared once as a `ListSpec`; its page, its JSON, its CSV and its bulk actions all read the same query.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

from sqlalchemy import Column as SqlColumn
from sqlalchemy import ColumnElement, Select, String, Table, func
from sqlalchemy.orm import InstrumentedAttribute

from console.core import revisions
from console.core.context import Context
from console.core.serialize import CsvColumn, iso
from console.domain.entered import UnwritableError, entered
from console.domain.errors import Invalid
from console.domain.text import T, Text

DEFAULT_PAGE_SIZE = 50
MAX_TEXT = 200
# Every choice of a menu is a link that repeats the words chosen so far.
MAX_WORDS = 30
MAX_WORDS_BYTES = 4096
# Deeper pages of a counted list are reached by narrowing the filter; the export has everything.
MAX_OFFSET = 1_000_000
# What the address of every list page may carry beside filters; the site is that of the frame.
PARAMETERS = ("q", "sort", "columns", "page", "per_page", "all", "menu", "site")
# What programs say beside filters: which rows of those that match.
PLACE = ("limit", "offset", "cursor")


class Args(Protocol):
    """URL parameters, as the web framework gives them: a name may stand there several times."""

    def getlist(self, key: str, /) -> list[str]:
        """Return all values."""

    def __contains__(self, key: object, /) -> bool: ...

    def __iter__(self) -> Iterator[str]: ...


AnySelect = Select[*tuple[Any, ...]]
SqlValue = ColumnElement[Any] | InstrumentedAttribute[Any]
Order = tuple[SqlValue, ...]
Where = Callable[[Context, list[str], datetime], ColumnElement[bool]]
FilterKind = Literal["choice", "text", "date", "flag"]
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Column:
    """A column: `key` names it in the URL, `label` is a message id, `sort` the SQL it is ordered by.

    `value` reads it from a row for the CSV; `shown` says whether it is visible before anybody chose. `format` names how
    a cell shows it: `time`, `number`, `flag`, or nothing for texts.
    """

    key: str
    label: str
    sort: SqlValue | None = None
    value: Callable[[Any], Any] | None = None
    numeric: bool = False
    shown: bool = True
    format: str = ""


@dataclass(frozen=True)
class Filter:
    """A filter: `where` turns the chosen words into SQL; `choices` (or a function of the context) limits them.

    One that is not `shown` waits behind “+ Filter” until somebody uses it; an `exact` one takes the empty word too.
    """

    key: str
    label: str
    kind: FilterKind
    where: Where
    choices: Choices | Callable[[Context], Choices] = ()
    multiple: bool = True
    shown: bool = True
    exact: bool = False

    def options(self, ctx: Context) -> Choices:
        """Return `(word, label)` pairs that may be chosen."""
        return self.choices(ctx) if callable(self.choices) else self.choices

    def refused(self, words: Sequence[str]) -> list[Text]:
        """Return a sentence for each word that is none of its choices, where those are fixed."""
        if self.kind not in ("choice", "flag") or callable(self.choices) or not self.choices:
            return []
        strange = sorted(set(words) - {word for word, _label in self.choices})
        return [T("“%(word)s” is not a choice of “%(key)s”", word=word[:40], key=self.key) for word in strange]


@dataclass(frozen=True)
class ListSpec:
    """Declaration of a list.

    `base` gives the SELECT that is already limited to what the caller may see, who needs one of the permissions `read`;
    `row` turns a result into the dataclass that pages and exports read; `key` is the unique column that ends every
    order. `implied` filters hold unless a query has its own, without being shown.

    Hooks: `ids` gives the SELECT of the ids alone, which are then found first. `order` may depend on the query. A list
    is remembered when `holds` says up to which instant (aware UTC) its rows read the same; `until` says the same of
    which rows match a query, and is enough for their number to be remembered. `counted` gives the number of matching
    rows where it is known without counting them.
    """

    name: str
    base: Callable[[Context], AnySelect]
    row: Callable[[Any], Any]
    key: SqlValue
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...] = ()
    search: Callable[[Context, str], ColumnElement[bool]] | None = None
    order: Order | Callable[[ListSpec, ListQuery], Order] = ()
    default_filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    implied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    count_cap: int | None = None
    read: tuple[str, ...] = ()
    ids: Callable[[Context], AnySelect] | None = None
    holds: Callable[[Sequence[Any]], datetime] | None = None
    until: Callable[[Context, ListQuery, datetime], datetime] | None = None
    counted: Callable[[Context, ListSpec, ListQuery], int | None] | None = None
    # The column that the order of a query without one goes by, rising: its heading says so.
    ordered_by: str = ""

    def __post_init__(self) -> None:
        """Refuse two filters or columns of one name, of which only the first would ever be asked."""
        for what, keys in (("filters", self.filters), ("columns", self.columns)):
            names = [one.key for one in keys]
            if len(names) != len(set(names)):
                raise ValueError(f"list {self.name} has two {what} of one name: {names}")

    def column(self, key: str) -> Column | None:
        """Return the column of that name."""
        return next((column for column in self.columns if column.key == key), None)

    def filter(self, key: str) -> Filter | None:
        """Return the filter of that name."""
        return next((item for item in self.filters if item.key == key), None)

    def effective(self, query: ListQuery) -> Mapping[str, tuple[str, ...]]:
        """Return the filters of a query with the implied ones."""
        implied = {key: words for key, words in self.implied.items() if not any(query.filters.get(key, ()))}
        return {**query.filters, **implied}

    def order_of(self, query: ListQuery) -> Order:
        """Return the order of a query that asks for none."""
        return self.order(self, query) if callable(self.order) else self.order


@dataclass(frozen=True)
class ListQuery:
    """What the URL asks of a list. Every change of it is another URL."""

    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    search: str = ""
    sort: str = ""
    descending: bool = False
    page: int = 1
    per_page: int = DEFAULT_PAGE_SIZE
    columns: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    # What the address asks for beside it, and the list does not have.
    left_out: tuple[Text, ...] = field(default=(), compare=False)

    def pairs(self, **changes: Any) -> list[tuple[str, str]]:
        """Return the URL parameters of this query with `changes`; a change of anything else goes back to page 1."""
        query = self._changed(changes)
        made = [(key, word) for key, words in query.filters.items() for word in (words or ("",))]
        made += _shape(query)
        if query.page > 1:
            made.append(("page", str(query.page)))
        return made + list(query.extra.items())

    def _changed(self, changes: dict[str, Any]) -> ListQuery:
        if changes and "page" not in changes:
            changes["page"] = 1
        # A page asks for its own address again and again.
        return replace(self, **changes) if any(getattr(self, key) != to for key, to in changes.items()) else self

    def url(self, **changes: Any) -> str:
        """Return the query string of this query with `changes` (`?` included, `?` alone when empty)."""
        return self._changed(changes).address

    @cached_property
    def address(self) -> str:
        """Return the query string of this query as it is."""
        return "?" + urlencode(self.pairs())

    @cached_property
    def _encoded(self) -> tuple[dict[str, str], str]:
        # A menu of a hundred choices has a hundred links that differ in one word.
        filters = {key: urlencode([(key, word) for word in words or ("",)]) for key, words in self.filters.items()}
        return filters, urlencode([*_shape(self), *self.extra.items()])

    def with_filter(self, key: str, *words: str) -> str:
        """Return the query string with the filter `key` set to `words`, or without it."""
        filters, tail = self._encoded
        parts = [text for name, text in filters.items() if name != key]
        parts += [urlencode([(key, word) for word in words]), tail]
        return "?" + "&".join(part for part in parts if part)

    def without(self, key: str, word: str) -> str:
        """Return the query string without one word of a filter: the address behind a removable chip."""
        rest = tuple(old for old in self.filters.get(key, ()) if old != word)
        return self.with_filter(key, *rest)

    def sorted_by(self, key: str) -> str:
        """Return the query string ordered by `key`, turned round when it is ordered by it already."""
        return self.url(sort=key, descending=self.sort == key and not self.descending)


def _shape(query: ListQuery) -> list[tuple[str, str]]:
    """Everything of a query but its filters and its page."""
    made = [("q", query.search)] if query.search else []
    if query.sort:
        made.append(("sort", f"-{query.sort}" if query.descending else query.sort))
    if query.columns:
        made.append(("columns", ",".join(query.columns)))
    if query.per_page != DEFAULT_PAGE_SIZE:
        made.append(("per_page", str(query.per_page)))
    return made


@dataclass(frozen=True)
class ListResult:
    """One page of a list with its count; `capped` means there are more than `total`."""

    spec: ListSpec
    query: ListQuery
    rows: tuple[Any, ...]
    total: int
    capped: bool
    computed_at: datetime
    choices: Mapping[str, Choices]

    def __post_init__(self) -> None:
        """Tell conditional reads that this answer shows a list."""
        revisions.has_read_list()

    @property
    def pages(self) -> int:
        """Return the number of pages, at least 1."""
        return max(1, -(-self.total // self.query.per_page))

    @property
    def first(self) -> int:
        """Return the number of the first row shown, 0 when there is none."""
        return (self.query.page - 1) * self.query.per_page + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Return the number of the last row shown."""
        return (self.query.page - 1) * self.query.per_page + len(self.rows)

    @property
    def filtered(self) -> bool:
        """Return whether the reader narrows the list; what it leaves out by itself does not count."""
        own = {key: words for key, words in self.query.filters.items() if words != self.spec.default_filters.get(key)}
        return bool(self.query.search or any(own.values()))

    @property
    def by_default(self) -> str:
        """Return the column that the order goes by without anybody having chosen it, "" for none."""
        return "" if self.query.sort else self.spec.ordered_by

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the visible columns in their order."""
        chosen = self.query.columns
        if not chosen:
            return tuple(column for column in self.spec.columns if column.shown)
        return tuple(column for key in chosen if (column := self.spec.column(key)))

    @cached_property
    def controls(self) -> Hashable:
        """Return everything that the filters, the choice of columns and the head of this list depend on."""
        choices = tuple((key, tuple(pairs)) for key, pairs in self.choices.items())
        columns = tuple(column.key for column in self.spec.columns)
        return (self.spec.name, columns, self.query.url(page=self.query.page), choices)


def asked(**values: Any) -> ListQuery:
    """Return the query of a program: its filters are what has a value, apart from the place of the slice."""
    given = {key: value for key, value in values.items() if value is not None and key not in PLACE}
    return ListQuery(filters={key: (_word(value),) for key, value in given.items()})


def _word(value: Any) -> str:
    return iso(value) if isinstance(value, datetime) else str(int(value) if isinstance(value, bool) else value)


def parse(
    spec: ListSpec, args: Args, *, extra: Sequence[str] = (), refuse: Callable[[Text], None] | None = None
) -> ListQuery:
    """Read the URL parameters of a list; raises Invalid for an order, size or page that does not exist.

    So it does for more words than a list takes. Unknown columns and parameters are left out; those named in `extra` are
    carried along in every link. With `refuse` nothing is raised: it is told what cannot be, which is left out then.
    """
    refuse = refuse or _refuse
    filters = {
        item.key: tuple(dict.fromkeys(word[:MAX_TEXT] for word in _words(args, item.key) if word))
        for item in spec.filters
        if item.key in args
    }
    for key, words in filters.items():
        if len(words) > MAX_WORDS:
            refuse(T("“%(key)s” takes at most %(most)s words", key=key, most=MAX_WORDS))
            filters[key] = words[:MAX_WORDS]
    for key, words in spec.default_filters.items():
        if not any(name in args for name in (key, "q", "all")):
            filters.setdefault(key, words)
    sort = _first(args, "sort")
    key = sort.removeprefix("-")
    if key:
        column = spec.column(key)
        if column is None or column.sort is None:
            refuse(T("The list cannot be ordered by “%(key)s”", key=key[:40]))
            sort = key = ""
    columns = [key for key in _first(args, "columns").split(",") if key]
    query = ListQuery(
        filters=filters,
        search=" ".join(_first(args, "q").split())[:MAX_TEXT],
        sort=key,
        descending=bool(key) and sort.startswith("-"),
        page=_number(args, "page", 1, 1, MAX_OFFSET, refuse),
        per_page=_number(args, "per_page", DEFAULT_PAGE_SIZE, 1, 500, refuse),
        columns=tuple(key for key in columns if spec.column(key)),
        extra={name: word[:MAX_TEXT] for name in extra if (word := _first(args, name))},
        left_out=_unknown(spec, args, columns, extra),
    )
    if len(query.url()) > MAX_WORDS_BYTES:
        refuse(T("The filters of the list are too long together"))
        query = replace(query, filters={}, search="")
    return query


def _unknown(spec: ListSpec, args: Args, columns: Sequence[str], extra: Sequence[str]) -> tuple[Text, ...]:
    named = {*PARAMETERS, *extra, *(item.key for item in spec.filters)}
    strange = [T("There is no filter “%(key)s”", key=name[:40]) for name in args if name not in named]
    return (*strange, *(T("There is no column “%(key)s”", key=key[:40]) for key in columns if not spec.column(key)))


def _refuse(sentence: Text) -> None:
    raise Invalid(sentence)


def _words(args: Args, name: str) -> list[str]:
    # An address may come from a form or a stored view as well, past the door of the web.
    try:
        return [entered(word) for word in args.getlist(name)]
    except UnwritableError:
        raise Invalid(T("The address contains characters that no text has")) from None


def _first(args: Args, name: str) -> str:
    return next(iter(_words(args, name)), "")


def _number(args: Args, name: str, default: int, least: int, most: int, refuse: Callable[[Text], None]) -> int:
    text = _first(args, name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or not least <= int(text) <= most:
        refuse(T("“%(name)s” must be a number from %(least)s to %(most)s", name=name, least=least, most=most))
        return default
    return int(text)


def narrowed(ctx: Context, spec: ListSpec, query: ListQuery, now: datetime) -> AnySelect:
    """Return the SELECT of a list with its filters and search, without order and page."""
    statement = spec.base(ctx)
    for key, words in spec.effective(query).items():
        item = spec.filter(key)
        chosen = [word for word in words if word or (item is not None and item.exact)]
        if item is None or not chosen:
            continue
        for sentence in item.refused(chosen):
            raise Invalid(sentence)
        statement = statement.where(item.where(ctx, chosen, now))
    if query.search and spec.search is not None:
        statement = statement.where(spec.search(ctx, query.search))
    return statement


def ordered(spec: ListSpec, query: ListQuery, statement: AnySelect) -> AnySelect:
    """Add the order that the URL asks for; the unique key makes it stable."""
    column = spec.column(query.sort) if query.sort else None
    if column is not None and column.sort is not None:
        wanted = column.sort
        if query.search and isinstance(wanted.type, String):
            # What has the words lies together in the order of a text, at its end as likely as at its beginning: no
            # index is offered for it then, and what was found is sorted.
            wanted = func.coalesce(wanted, wanted)
        first = wanted.desc() if query.descending else wanted.asc()
        return statement.order_by(first.nulls_last() if _may_lack(spec, column.sort) else first, spec.key.desc())
    return statement.order_by(*spec.order_of(query), spec.key.desc())


def _may_lack(spec: ListSpec, sort: SqlValue) -> bool:
    """Return whether a row may have no value to be ordered by: words about NULL keep PostgreSQL from its indexes."""
    key, found = getattr(spec.key, "expression", spec.key), getattr(sort, "expression", sort)
    if not isinstance(found, SqlColumn) or not isinstance(found.table, Table) or found.table is not key.table:
        return True  # computed, or of a table that may have no row beside
    return bool(found.nullable)


def csv_columns(spec: ListSpec) -> tuple[CsvColumn, ...]:
    """Return the CSV columns of a list as programs read it: all that it has; headers are the keys."""
    return tuple(CsvColumn(column.key, column.value or attrgetter(column.key)) for column in spec.columns)
