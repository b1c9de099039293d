"""Lists as downloads: exactly the rows that a list shows, whatever their number."""

from __future__ import annotations

from flask import Response

from console.core import listing
from console.core.listing import ListQuery, ListSpec
from console.services.common import lists
from console.ui.responses import csv_download, wants_bom
from console.web.request import web_context


def list_download(spec: ListSpec, query: ListQuery, filename: str) -> Response:
    """Stream all rows of a list as CSV; a filter that cannot be is refused before the answer begins."""
    ctx = web_context()
    listing.narrowed(ctx, spec, query, ctx.now())
    columns = listing.csv_columns(spec, query)
    return csv_download(columns, lambda reading: lists.stream(reading, spec, query), filename, bom=wants_bom())
