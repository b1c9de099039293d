"""Rows that the program hands to a statement as one parameter, so that the statement stays the same for any number."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CTE, JSON, Text, bindparam, cast, column, func, select, type_coerce
from sqlalchemy.types import TypeEngine

from console.core.database import dump_json


def given_rows(dialect: str, name: str, **columns: TypeEngine[Any]) -> CTE:
    """Return a table of these columns; its rows come with the parameter `name`, written by `as_parameter`.

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


def as_parameter(dialect: str, rows: list[dict[str, Any]]) -> str:
    """Write rows for `given_rows`; instants (aware) as the database compares them."""
    return dump_json([{key: _stored(dialect, value) for key, value in row.items()} for row in rows])


def _stored(dialect: str, value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return value.astimezone(UTC).replace(tzinfo=None if dialect == "sqlite" else UTC).isoformat(" ", "microseconds")
