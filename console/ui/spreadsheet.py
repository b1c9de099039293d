"""CSV files for people: the columns that a page shows, in its words and zones, as a Korean Excel opens them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from console.core.context import Context
from console.core.i18n import text_in, translate
from console.core.listing import Column, ListQuery, ListSpec
from console.core.serialize import CsvColumn
from console.domain.text import N_, Text
from console.ui import reader
from console.ui.labels.lists import list_title
from console.ui.responses import csv_download
from console.ui.times import local

# A spreadsheet takes this for a time in every language.
MOMENT = "%Y-%m-%d %H:%M"


@dataclass(frozen=True)
class Pen:
    """Writes values for one reader; it is made once, since a download goes on after its request has ended."""

    language: str
    zone: ZoneInfo
    site_zones: Mapping[str, ZoneInfo]

    def say(self, text: Any) -> str:
        """Return a text in the reader's language; what the catalogue does not know stands as it is."""
        if isinstance(text, (Text, Mapping)):
            return text_in(self.language, text)
        return translate(self.language, text) if isinstance(text, str) else ""

    def time(self, instant: datetime | None, site: str | None = None) -> str:
        """Return an instant (aware) in the reader's zone or in that of a site, "" being none; another one is named."""
        if instant is None:
            return ""
        where = self.zone if site is None else self.site_zones.get(site, self.site_zones[""])
        said = instant.astimezone(where).strftime(MOMENT)
        return said if where.key == self.zone.key else f"{said} ({where.key})"

    def cell(self, value: Any) -> Any:
        """Return a value as a cell has it."""
        if isinstance(value, bool):
            return self.say(N_("Yes") if value else N_("No"))
        if isinstance(value, datetime):
            return self.time(value)
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, float):
            return f"{value:.2f}".rstrip("0").rstrip(".")
        return self.say(value) if isinstance(value, Text) else value


def pen() -> Pen:
    """Return the pen of the present reader."""
    zones = {name: reader.zone_named(zone) for name, zone in (("", reader.zone_of_site(None)), *reader.zones())}
    return Pen(reader.locale(), reader.zone(), zones)


# How a list says what stands in a row, where that is not the value of the column itself.
Said = Callable[[Any, Pen], Any]


def spreadsheet(
    spec: ListSpec, query: ListQuery, rows: Callable[[Context], Iterator[Any]], said: Mapping[str, Said]
) -> Response:
    """Stream the columns that a query names as CSV for people, under a name that says which list and of which day."""
    writer = pen()
    columns = [column for key in query.columns if (column := spec.column(key))]
    heads = tuple(CsvColumn(writer.say(one.label), _read(one, writer, said.get(one.key))) for one in columns)
    day = local(reader.now()).date()
    return csv_download(heads, rows, f"{list_title(spec.name)} {day.isoformat()}.csv", bom=True)


def _read(column: Column, writer: Pen, said: Said | None) -> Callable[[Any], Any]:
    value = column.value or attrgetter(column.key)
    return partial(_cell, writer, (lambda row, _pen: value(row)) if said is None else said)


def _cell(writer: Pen, said: Said, row: Any) -> Any:
    return writer.cell(said(row, writer))
