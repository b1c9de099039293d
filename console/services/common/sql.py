"""SQL that both databases understand: rows as a parameter, words inside texts, hints about rare conditions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    CTE,
    JSON,
    Boolean,
    ColumnElement,
    Float,
    Integer,
    SQLColumnExpression,
    String,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from console.core.context import Context
from console.core.database import dump_json
from console.domain.hangul import syllables_of

# Small letters of ASCII that other letters have as their small one: the Kelvin sign and the I with a dot.
_DOUBTFUL = {"i", "k"}

# SQLite keeps no statistics of the values in a column: what it cannot know of a condition is told to it.
Hint = Callable[[Context, ColumnElement[bool]], ColumnElement[bool]]


def likely(ctx: Context, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Tell SQLite that most rows fulfil a condition, so that another one chooses the index; PostgreSQL knows."""
    return _likely(ctx, condition, "0.9")


def unlikely(ctx: Context, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Tell SQLite that hardly any row fulfils a condition; PostgreSQL knows."""
    return _likely(ctx, condition, "0.0001")


def _likely(ctx: Context, condition: ColumnElement[bool], share: str) -> ColumnElement[bool]:
    if ctx.session.get_bind().dialect.name != "sqlite":
        return condition
    return func.likelihood(condition, literal_column(share))


class _Begins(FunctionElement[bool]):
    """A text and a pattern of syllables, blanks in the text left out."""

    name = "begins"
    type = Boolean()
    inherit_cache = True


class _Place(FunctionElement[int]):
    """A text and words: where they begin in it, from 1; 0 where they are not."""

    name = "place"
    type = Integer()
    inherit_cache = True


class _Holds(FunctionElement[bool]):
    """A text and a pattern, compared without regard to case."""

    name = "holds"
    type = Boolean()
    inherit_cache = True


class _HoldsAscii(_Holds):
    """The same of a pattern in small letters of ASCII, which stand for no letters but their own."""

    name = "holds_ascii"
    inherit_cache = True


def contains(text: ColumnElement[Any], words: str) -> ColumnElement[bool]:
    """Return the condition that `words` stand somewhere in `text`; the case of letters does not matter.

    First consonants of Hangul find the syllables that begin with them. SQLite ignores the case of ASCII letters alone,
    as it does with everything else.
    """
    as_they_are = _Place(text, literal(words, String())) > literal_column("0")
    if syllables := syllables_of(words):
        begun = literal("".join(f"[{first}-{last}]" for first, last in syllables), String())
        return or_(as_they_are, _Begins(func.replace(text, " ", ""), begun))
    if words.lower() == words.upper():
        # Korean and digits have no case; comparing them as they are is several times as fast.
        return as_they_are
    escaped = words.replace("/", "//").replace("%", "/%").replace("_", "/_")
    if escaped.isascii() and not _DOUBTFUL & set(escaped.lower()):
        return _HoldsAscii(text, literal(f"%{escaped.lower()}%", String()))
    return _Holds(text, literal(f"%{escaped}%", String()))


@compiles(_Begins)
def _matches(element: _Begins, compiler: SQLCompiler, **options: Any) -> str:
    # Ranges of the collation C go by code point, as those of SQLite do.
    text, pattern = (compiler.process(part, **options) for part in element.clauses)
    return f"""{text} COLLATE "C" ~ {pattern}"""


@compiles(_Begins, "sqlite")
def _glob(element: _Begins, compiler: SQLCompiler, **options: Any) -> str:
    text, pattern = (compiler.process(part, **options) for part in element.clauses)
    return f"{text} GLOB '*' || {pattern} || '*'"


@compiles(_Place)
def _strpos(element: _Place, compiler: SQLCompiler, **options: Any) -> str:
    text, words = (compiler.process(part, **options) for part in element.clauses)
    return f"strpos({text}, {words})"


@compiles(_Place, "sqlite")
def _instr(element: _Place, compiler: SQLCompiler, **options: Any) -> str:
    text, words = (compiler.process(part, **options) for part in element.clauses)
    return f"instr({text}, {words})"


@compiles(_HoldsAscii)
def _like_ascii(element: _HoldsAscii, compiler: SQLCompiler, **options: Any) -> str:
    # Making letters small by the rules of the language, as ILIKE does, takes three times as long.
    text, pattern = (compiler.process(part, **options) for part in element.clauses)
    return f"""lower({text} COLLATE "C") LIKE {pattern} ESCAPE '/'"""


@compiles(_Holds)
def _ilike(element: _Holds, compiler: SQLCompiler, **options: Any) -> str:
    text, pattern = (compiler.process(part, **options) for part in element.clauses)
    return f"{text} ILIKE {pattern} ESCAPE '/'"


@compiles(_HoldsAscii, "sqlite")
@compiles(_Holds, "sqlite")
def _like(element: _Holds, compiler: SQLCompiler, **options: Any) -> str:
    # LIKE ignores case there by itself; making both sides small first takes three times as long.
    text, pattern = (compiler.process(part, **options) for part in element.clauses)
    return f"{text} LIKE {pattern} ESCAPE '/'"


def seconds_between(
    ctx: Context, start: SQLColumnExpression[Any], end: SQLColumnExpression[Any]
) -> ColumnElement[float]:
    """Return how many seconds lie between two instants of a row; NULL where one of them is missing."""
    if ctx.session.get_bind().dialect.name == "postgresql":
        return cast(func.extract("epoch", end - start), Float())
    days: ColumnElement[float] = func.julianday(end) - func.julianday(start)
    return days * 86400.0


def rows_parameter(dialect: str, name: str, **columns: TypeEngine[Any]) -> CTE:
    """Return a table of these columns; its rows come with the parameter `name`, written by `rows_value`.

    A list of VALUES would be another statement each time: compiling it costs more than what it asks for.
    """
    given = bindparam(name, type_=Text())
    if dialect == "sqlite":
        each = func.json_each(given).table_valued("value", name=f"{name}_given")
        found = (type_coerce(func.json_extract(each.c.value, f"$.{key}"), kind) for key, kind in columns.items())
        return select(*(value.label(key) for key, value in zip(columns, found, strict=True))).cte(name)
    made = func.json_to_recordset(cast(given, JSON())).table_valued(
        *(column(key, kind) for key, kind in columns.items()), name=f"{name}_given"
    )
    return select(made.render_derived(with_types=True)).cte(name)


def rows_value(dialect: str, rows: list[dict[str, Any]]) -> str:
    """Write rows for `rows_parameter`; instants (aware) as the database compares them."""
    return dump_json([{key: _stored(dialect, value) for key, value in row.items()} for row in rows])


def _stored(dialect: str, value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return value.astimezone(UTC).replace(tzinfo=None if dialect == "sqlite" else UTC).isoformat(" ", "microseconds")
