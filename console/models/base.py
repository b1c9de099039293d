"""The declarative base of all tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import MetaData, text
from sqlalchemy.orm import DeclarativeBase

from console.models.types import JsonValue, UtcDateTime

# Named constraints: SQLite migrations rebuild tables and need to find them by name.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every model; instants are aware UTC, dicts and lists are JSON."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, Any]: JsonValue,
        list[Any]: JsonValue,
        list[str]: JsonValue,
    }


def one_of(column: str, words: Iterable[str]) -> str:
    """Return the condition of a check that a column holds one of these words."""
    return f"{column} IN ({', '.join(map(repr, words))})"


def only(where: str) -> dict[str, Any]:
    """Return what makes an index a partial one, on both databases."""
    return {"sqlite_where": text(where), "postgresql_where": text(where)}
