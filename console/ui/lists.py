"""List pages from their declaration: the page or its fragment, and the CSV of exactly the rows that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request

from console.core import listing
from console.core.listing import ListSpec
from console.services.common import lists
from console.ui.responses import csv_download, show, wants_bom
from console.web.request import web_context


def list_page(spec: ListSpec, *, fragment: str, page: str, carried: Sequence[str] = (), **more: Any) -> Response:
    """Answer a list as the address asks for it, as `show` does; `carried` parameters stay in every link."""
    data = lists.run(web_context(), spec, listing.parse(spec, request.args, extra=carried))
    return show(data, fragment=fragment, page=page, **more)


def list_download(spec: ListSpec, filename: str) -> Response:
    """Stream all rows of a list as CSV; a filter that cannot be is refused before the answer begins."""
    ctx, query = web_context(), listing.parse(spec, request.args)
    lists.matching(ctx, spec, query, ctx.now())
    columns = listing.csv_columns(spec, query)
    return csv_download(columns, lambda reading: lists.stream(reading, spec, query), filename, bom=wants_bom())
