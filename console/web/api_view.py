"""The browser's view of the JSON API: a person who opens an address of it sees a page instead of bare text.

Only JSON answers of GET requests are wrapped, with their status; 429 and everything that is not JSON stay as they are,
and `?raw=1` always gives the JSON (API contract, identity section 1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, render_template, request
from markupsafe import Markup, escape

from console.core.config import TRUE
from console.domain.identity.addresses import escaped_path

# Above this size colours would cost more than they help; the text is shown plainly.
MOST_COLOURED = 300_000
MOST_ROWS = 500
MOST_COLUMNS = 12
_TOKEN = re.compile(r'("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)')


def init_app(app: Flask) -> None:
    """Wrap the answers; must be registered last, so that it sees them first."""
    app.after_request(_wrap)


def _wrap(response: Response) -> Response:
    if not request.path.startswith("/api/"):
        return response
    response.vary.add("Accept")
    if not _wanted(response):
        return response
    text = response.get_data(as_text=True)
    try:
        value = json.loads(text)
    except ValueError:
        return response
    pretty = json.dumps(value, ensure_ascii=False, indent=2)
    # Another word for it, such as `raw=0`, would win over one that stands behind it.
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "raw"]
    raw = escaped_path(request.path) + "?" + urlencode([*kept, ("raw", "1")])
    response.set_data(
        render_template(
            "public/api_view.html",
            status=response.status_code,
            raw=raw,
            json_text=coloured(pretty) if len(pretty) <= MOST_COLOURED else pretty,
            table=table_of(value),
            size=len(text.encode()),
        )
    )
    response.mimetype = "text/html"
    return response


def _wanted(response: Response) -> bool:
    accept = request.headers.get("Accept", "")
    return (
        request.method == "GET"
        and "text/html" in accept
        and response.mimetype == "application/json"
        # An address that is too long must not come back as a link.
        and response.status_code not in (414, 429)
        and not response.is_streamed
        and not wants_raw()
    )


def wants_raw() -> bool:
    """Return whether the reader asks for the JSON itself."""
    return request.args.get("raw", "").strip().lower() in TRUE


def coloured(pretty: str) -> Markup:
    """Return JSON text as markup whose names, texts, numbers and words carry classes."""
    made = []
    last = 0
    for token in _TOKEN.finditer(pretty):
        made.append(escape(pretty[last : token.start()]))
        text, colon, word, _number = token.groups()
        kind = "json-name" if colon else "json-text" if text else "json-word" if word else "json-number"
        shown = text or token.group()
        made.append(Markup('<span class="{}">{}</span>').format(kind, shown))
        made.append(escape(colon or ""))
        last = token.end()
    made.append(escape(pretty[last:]))
    return Markup("").join(made)


def table_of(value: Any) -> tuple[list[str], list[list[Any]]] | None:
    """Return `(columns, rows)` for a list of objects, None for anything else; at most 500 rows."""
    if not isinstance(value, list) or not value or not all(isinstance(row, Mapping) for row in value):
        return None
    columns = list(dict.fromkeys(key for row in value[:MOST_ROWS] for key in row))[:MOST_COLUMNS]
    return columns, [[_cell(row.get(column)) for column in columns] for row in value[:MOST_ROWS]]


def _cell(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= 80 else text[:79] + "…"
    return value
