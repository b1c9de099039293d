"""Records: what the fields of a row are, said once beside their types.

A record is a frozen dataclass, the row that pages, API and exports read. A `Fact` in the annotation of a field (or of
what a property returns) says how people read it and where it appears; columns of lists and of CSV files, answer models,
forms and the words of the history are made from it:

    due_at: Annotated[datetime | None, Fact(N_("Due"), sort=True, history=True)]

The order of the fields is the published one: it is the order of the keys of an answer and of the columns of an export.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from operator import attrgetter
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from console.core.listing import Column, SqlValue
from console.core.serialize import CsvColumn

R = TypeVar("R")


@dataclass(frozen=True)
class Edited:
    """A field that people write as it is: the word of the event that keeps the change, and its sentence."""

    event: str
    sentence: str


@dataclass(frozen=True, eq=False)
class Fact:
    """What a field is.

    `label` is the message id of its heading. `sort` is the SQL a list is ordered by; True means the column of the same
    name. A column is visible before anybody chose when it is `shown`; `key` names it where it is not called like the
    field; `value` reads it for the CSV of a list. `published` fields stand in answers and exports, there as `answer`
    if that is not the type of the field. `history` is the message id that the history calls it by; True means the
    label. Property: `before` names the field that it is published in front of; without it, it is not published.
    """

    label: str = ""
    sort: SqlValue | bool = False
    numeric: bool = False
    shown: bool = True
    key: str = ""
    value: Callable[[Any], Any] | None = None
    published: bool = True
    answer: Any = None
    history: str | bool = False
    edited: Edited | None = None
    before: str = ""


# A field of the row that neither answers nor exports have.
INTERNAL = Fact(published=False)
# An object that answers give as it is stored.
JsonObject = Annotated[Mapping[str, Any], Fact(answer=dict[str, Any])]
_PLAIN = Fact()
_FORMATS = ((bool, "flag"), (int, "number"), (float, "number"), (datetime, "time"))


@dataclass(frozen=True)
class Entry:
    """A field of a record, or a property with a fact: its name, its type without the fact, and the fact."""

    name: str
    type: Any
    fact: Fact

    @property
    def format(self) -> str:
        """Return the name of the format that shows it: `flag`, `number`, `time`, or none for texts."""
        kinds = get_args(self.type) if get_origin(self.type) in (Union, UnionType) else (self.type,)
        return next((name for kind, name in _FORMATS if kind in kinds), "")


@cache
def entries(kind: Any) -> Mapping[str, Entry]:
    """Return the fields and properties of a record by name, the fields first."""
    hints = get_type_hints(kind, include_extras=True)
    found = {one.name: _entry(one.name, hints[one.name]) for one in fields(kind)}
    for name in dir(kind):
        read = getattr(getattr(kind, name), "fget", None)
        said = get_type_hints(read, include_extras=True)["return"] if read else None
        if get_origin(said) is Annotated:
            found[name] = _entry(name, said)
    return found


def _entry(name: str, hint: Any) -> Entry:
    if get_origin(hint) is not Annotated:
        return Entry(name, hint, _PLAIN)
    bare, *marks = get_args(hint)
    return Entry(name, bare, next((mark for mark in marks if isinstance(mark, Fact)), _PLAIN))


def view_of(kind: type[R], stored: Any, **made: Any) -> R:
    """Return the row of a stored record: its columns of the same names, and what was `made` of others."""
    known: Any = kind
    return kind(**{name: getattr(stored, name) for name in _names(known) if name not in made}, **made)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


@cache
def published(kind: Any) -> tuple[Entry, ...]:
    """Return what answers and exports have of a record, in the published order."""
    known = entries(kind)
    ahead: dict[str, list[Entry]] = {}
    for one in known.values():
        if one.fact.before:
            ahead.setdefault(one.fact.before, []).append(one)
    found: list[Entry] = []
    for field in fields(kind):
        found += ahead.get(field.name, [])
        if known[field.name].fact.published:
            found.append(known[field.name])
    return tuple(found)


def csv_of(kind: Any, *names: str) -> tuple[CsvColumn, ...]:
    """Return the columns of an export: all published fields, or those with these names."""
    chosen = names or [one.name for one in published(kind)]
    return tuple(CsvColumn(name, attrgetter(name)) for name in chosen)


def columns_of(kind: Any, table: Any, *keys: str, **sorts: SqlValue) -> tuple[Column, ...]:
    """Return the columns of a list of such rows, in this order.

    `table` has the SQL that `sort=True` means; `sorts` is that of columns which it lacks.
    """
    known = {one.fact.key or one.name: one for one in entries(kind).values()}
    return tuple(_column(key, known[key], table, sorts.get(key)) for key in keys)


def _column(key: str, one: Entry, table: Any, sort: SqlValue | None) -> Column:
    fact = one.fact
    if sort is None and fact.sort is not False:
        sort = getattr(table, one.name) if fact.sort is True else fact.sort
    value = fact.value or attrgetter(one.name)
    return Column(key, fact.label, sort, value, fact.numeric, fact.shown, one.format)


@cache
def history_of(kind: Any) -> Mapping[str, str]:
    """Return the message ids by which the history calls the fields of a record."""
    told = {name: one.fact for name, one in entries(kind).items() if one.fact.history}
    return {name: fact.label if fact.history is True else str(fact.history) for name, fact in told.items()}


@cache
def edited_of(kind: Any) -> Mapping[str, Edited]:
    """Return the fields that people write as they are."""
    return {name: one.fact.edited for name, one in entries(kind).items() if one.fact.edited}
