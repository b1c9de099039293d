"""List pages from their declaration: the page or its fragment, and the CSV of exactly the rows that it shows.

An address of a CSV that names `columns` asks for these columns as people read them; without it, it is the one that
programs know: every column under its key, with words and times as in the API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask import Response, request

from console.core import listing
from console.core.context import Context
from console.core.listing import ListQuery, ListSpec
from console.core.serialize import CsvColumn
from console.services.common import lists
from console.ui.cells import cells_of
from console.ui.responses import csv_download, show, wants_bom
from console.ui.spreadsheet import spreadsheet
from console.web.request import web_context


def list_page(spec: ListSpec, *, fragment: str, page: str, carried: Sequence[str] = (), **more: Any) -> Response:
    """Answer a list as the address asks for it, as `show` does; `carried` parameters stay in every link."""
    data = lists.run(web_context(), spec, listing.parse(spec, request.args, extra=carried))
    return show(data, fragment=fragment, page=page, **more)


def list_download(spec: ListSpec, filename: str) -> Response:
    """Stream all rows of a list as CSV; a filter that cannot be is refused before the answer begins.

    `filename` is that of the form for programs.
    """
    ctx, query = web_context(), listing.parse(spec, request.args)
    lists.matching(ctx, spec, query, ctx.now())
    return download_rows(
        spec, query, lambda reading: lists.stream(reading, spec, query), listing.csv_columns(spec), filename
    )


def download_rows(
    spec: ListSpec,
    query: ListQuery,
    rows: Callable[[Context], Iterator[Any]],
    columns: Sequence[CsvColumn],
    filename: str,
) -> Response:
    """Stream rows of a list in the form that the query asks for; `columns` and `filename` are those for programs."""
    if query.columns:
        return spreadsheet(spec, query, rows, cells_of(spec.name))
    return csv_download(columns, rows, filename, bom=wants_bom())
