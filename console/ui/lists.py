"""List pages from their declaration: the page or its fragment, and the CSV of exactly the rows that it shows.

An address of a CSV that names `columns` asks for these columns as people read them; without it, it is the one that
programs know: every column under its key, with words and times as in the API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, TypeVar

from flask import Response, g, request

from console.core import listing
from console.core.context import Context
from console.core.listing import ListQuery, ListSpec
from console.core.serialize import CsvColumn
from console.domain.errors import Invalid, SiteDenied
from console.services.common import lists
from console.services.home import saved_views
from console.services.home.saved_views import View
from console.ui.cells import cells_of
from console.ui.responses import csv_download, show, wants_bom
from console.ui.spreadsheet import spreadsheet
from console.web.request import own_address, web_context

Found = TypeVar("Found")
# What gives rows the names of what they are about, with one query for many of them.
Named = Callable[[Context, Sequence[Any]], Iterable[Any]]
NAMED_AT_ONCE = 250


def list_page(spec: ListSpec, *, fragment: str, page: str, carried: Sequence[str] = (), **more: Any) -> Response:
    """Answer a list as the address asks for it, as `show` does; `carried` parameters stay in every link."""
    data = opened(spec, lambda query: lists.run(web_context(), spec, query), extra=carried)
    return show(data, fragment=fragment, page=page, **more)


def opened(spec: ListSpec, read: Callable[[ListQuery], Found], *, extra: Sequence[str] = ()) -> Found:
    """Return what `read` makes of the list that the address asks for.

    Where the address is that of a saved view which no longer fits, it reads what is known of it, and the page says so.
    """
    ctx = web_context()
    try:
        query = listing.parse(spec, request.args, extra=extra)
        if query.left_out:
            _note_view(ctx)
        return read(query)
    except (Invalid, SiteDenied):
        if not _note_view(ctx):
            raise
    return read(lists.known(ctx, spec, request.args, extra=extra))


def _note_view(ctx: Context) -> bool:
    g.view_in_part = saved_views.kept_at(ctx, own_address())
    return g.view_in_part is not None


def view_in_part() -> View | None:
    """Return the saved view of which the page shows a part, since the rest is no longer there."""
    found: View | None = g.get("view_in_part")
    return found


def list_download(spec: ListSpec, filename: str, named: Named | None = None) -> Response:
    """Stream all rows of a list as CSV; a filter that cannot be is refused before the answer begins.

    `filename` is that of the form for programs; `named` gives some rows the names that people read in their form.
    """
    ctx, query = web_context(), listing.parse(spec, request.args)
    lists.matching(ctx, spec, query, ctx.now())

    def rows(reading: Context) -> Iterator[Any]:
        found = lists.stream(reading, spec, query)
        if named is None or not query.columns:
            return found
        return chain.from_iterable(named(reading, piece) for piece in _pieces(found))

    return download_rows(spec, query, rows, listing.csv_columns(spec), filename)


def _pieces(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while piece := list(islice(rows, NAMED_AT_ONCE)):
        yield piece


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
