"""Finding words inside texts, whatever their case, as cheaply as each database can."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, String, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Holds(FunctionElement[bool]):
    """A text and a pattern, compared without regard to case."""

    name = "holds"
    type = Boolean()
    inherit_cache = True


def holds(text: ColumnElement[Any], words: str) -> ColumnElement[bool]:
    """Return the condition that `words` stand somewhere in `text`; the case of letters does not matter.

    SQLite ignores the case of ASCII letters alone, as it does with everything else.
    """
    if words.lower() == words.upper():
        # Korean and digits have no case; comparing them as they are is several times as fast.
        return text.contains(words, autoescape=True)
    escaped = words.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return _Holds(text, literal(f"%{escaped}%", String()))


@compiles(_Holds)
def _ilike(element: _Holds, compiler: SQLCompiler, **options: Any) -> str:
    text, pattern = (compiler.process(part, **options) for part in element.clauses)
    return f"{text} ILIKE {pattern} ESCAPE '/'"


@compiles(_Holds, "sqlite")
def _like(element: _Holds, compiler: SQLCompiler, **options: Any) -> str:
    # LIKE ignores case there by itself; making both sides small first takes three times as long.
    text, pattern = (compiler.process(part, **options) for part in element.clauses)
    return f"{text} LIKE {pattern} ESCAPE '/'"
