"""Results to JSON and CSV; the only module that knows how dates, enums and dataclasses are written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from operator import attrgetter
from types import GenericAlias
from typing import Any

from pydantic import BaseModel, TypeAdapter

from console.domain.text import Text

BOM = "\ufeff"
# Spreadsheets take the wide forms of East Asian keyboards for the same signs.
_FORMULA_START = (*"=+-@＝＋－＠", "\t", "\r", "\n")


def iso(instant: datetime) -> str:
    """Write an instant as ISO 8601 in UTC with microseconds and offset, the one form of all answers."""
    return (instant if instant.tzinfo is UTC else instant.astimezone(UTC)).isoformat(timespec="microseconds")


@cache
def _adapter(model: type[BaseModel], many: bool) -> TypeAdapter[Any]:
    shape: Any = GenericAlias(list, (model,)) if many else model
    return TypeAdapter(shape)


def plain(value: Any) -> Any:
    """Turn a result into what JSON knows: instants as ISO 8601, dataclasses as objects, texts in English."""
    if isinstance(value, BaseModel):
        return json.loads(value.model_dump_json())
    if isinstance(value, Text):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    return value


def to_json(data: Any, model: type[BaseModel] | None = None) -> str:
    """Write `data` as JSON: raw UTF-8, keys in the order of the model (or of the data without one)."""
    if model is None:
        return json.dumps(plain(data), ensure_ascii=False, allow_nan=False)
    many = isinstance(data, (list, tuple))
    adapter = _adapter(model, many)
    return adapter.dump_json(adapter.validate_python(data, from_attributes=True)).decode()


@dataclass(frozen=True)
class CsvColumn:
    """One column of an export: its header word and how the value is read from a row."""

    header: str
    value: Callable[[Any], Any]


def columns_of(*names: str) -> tuple[CsvColumn, ...]:
    """Return columns whose header is the attribute's name."""
    return tuple(CsvColumn(name, attrgetter(name)) for name in names)


def cell(value: Any) -> str:
    """Write one CSV cell; text that a spreadsheet would run as a formula is led in by an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, (dict, list, tuple)):
        return neutral(json.dumps(plain(value), ensure_ascii=False))
    if isinstance(value, (int, float)):
        return str(value)
    return neutral(str(plain(value)))


def neutral(text: str) -> str:
    """Lead text in by an apostrophe when a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_START) else text


def csv_line(cells: Sequence[Any]) -> str:
    """Write one CSV line with CRLF."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([cell(value) for value in cells])
    return buffer.getvalue()


def csv_lines(columns: Sequence[CsvColumn], rows: Iterable[Any], *, bom: bool = False) -> Iterator[str]:
    """Write a header and rows piece by piece, some hundred rows at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    if bom:
        buffer.write(BOM)
    writer.writerow([column.header for column in columns])
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(column.value(row)) for column in columns])
        if number % 500 == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def csv_text(columns: Sequence[CsvColumn], rows: Iterable[Any], *, bom: bool = False) -> str:
    """Write a whole export as one text."""
    return "".join(csv_lines(columns, rows, bom=bom))
