"""Answers made from one service result: JSON, page or fragment, toast, download."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from flask import Response, get_template_attribute, make_response, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from sqlalchemy.orm import sessionmaker

from console.core import revisions
from console.core.context import Context, unit_of_work
from console.core.listing import ListResult
from console.core.serialize import CsvColumn, csv_lines, to_json
from console.domain.errors import Invalid
from console.domain.text import T
from console.ui.markup_cache import cached_text
from console.web.extensions import db
from console.web.negotiation import wants_fragment
from console.web.request import app_clock, app_config, current_actor, request_id


def answer(
    data: Any,
    model: type[BaseModel] | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer JSON: read through `model` from a dataclass (or a list of them), keys in the model's order.

    Rows of a list that are frozen dataclasses are written once and taken as they are afterwards.
    """
    if isinstance(data, (list, tuple)):
        revisions.has_read_list()
    if model is not None and isinstance(data, (list, tuple)) and data and _frozen(data[0]):
        text = "[" + ",".join(cached_text((model, row), partial(to_json, row, model)) for row in data) + "]"
    else:
        text = to_json(data, model)
    response = Response(text, status=status, mimetype="application/json")
    response.headers.update(headers or {})
    return response


def _frozen(row: object) -> bool:
    try:
        return is_dataclass(row) and hash(row) is not None
    except TypeError:  # it holds something that may change
        return False


def fragment_of(name: str, data: Any, **extra: Any) -> str:
    """Render the macro `subject.macro` or `room/file.macro` below `console/partials`."""
    file, macro = name.split(".")
    return str(get_template_attribute(f"partials/{file}.html", macro)(data, **extra))


def show(
    data: Any,
    *,
    fragment: str,
    page: str,
    status: int = 200,
    around: Mapping[str, Any] | None = None,
    **extra: Any,
) -> Response:
    """Answer one service result as an htmx fragment or as a whole page.

    `fragment` names a macro as `fragment_of` does; `page` is a template that includes the very same macro. `extra` are
    the further arguments of the macro, which the page hands on; `around` is what the page alone shows around it. Where
    the address asks for one menu of a list (`menu=`), that is answered instead.
    """
    if isinstance(data, ListResult) and (asked := menu_of(data, request.path)) is not None:
        return asked
    if wants_fragment():
        response = make_response(fragment_of(fragment, data, **extra), status)
    else:
        response = make_response(render_template(page, data=data, **extra, **(around or {})), status)
    return vary(response)


def menu_of(data: ListResult, url: str) -> Response | None:
    """Answer the menu of a list that the address asks for with `menu=`, None when it asks for the list itself.

    Raises Invalid for a menu that the list does not have.
    """
    key = request.args.get("menu", "")
    if not key:
        return None
    if key not in ("columns", "more") and data.spec.filter(key) is None:
        raise Invalid(T("The list has no menu “%(key)s”", key=key[:40]))
    values = {"data": data, "url": url, "key": key}
    if wants_fragment():
        return vary(make_response(fragment_of("kit/list.menu", **values)))
    return vary(make_response(render_template("layouts/list_menu.html", **values)))


def vary(response: Response) -> Response:
    """Keep caches from handing a fragment to somebody who wants the page."""
    response.vary.update(("HX-Request", "HX-Request-Type"))
    return response


def trigger(response: Response, **events: Any) -> Response:
    """Add events that the page's scripts hear once the answer has been swapped in."""
    known = json.loads(response.headers.get("HX-Trigger", "{}"))
    # Headers are Latin-1: non-ASCII texts travel escaped.
    response.headers["HX-Trigger"] = json.dumps({**known, **events}, ensure_ascii=True)
    return response


def toast(
    response: ResponseReturnValue,
    message: str,
    *,
    kind: str = "success",
    undo: str | None = None,
    token: str | None = None,
    link: tuple[str, str] | None = None,
) -> Response:
    """Add a toast to an answer; `undo` is the address that takes it back, with `token` as its key.

    `link` is an address to look at, and its words.
    """
    made = make_response(response)
    told = {"message": message, "kind": kind, "undo": undo, "token": token}
    return trigger(made, toast=told | ({"link": link} if link else {}))


def attachment(filename: str, plain: str = "") -> str:
    """Return the Content-Disposition of a download: RFC 5987 name with an ASCII fallback, by default made from it."""
    clean = "".join(ch for ch in filename if ch.isprintable() and ch not in '"\\/;')
    fallback = plain or clean.encode("ascii", "ignore").decode().strip("._- ") or "download"
    if clean == fallback:
        return f'attachment; filename="{fallback}"'
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(clean, safe='')}"


def download(
    body: str | bytes | Iterable[str] | Iterable[bytes],
    filename: str,
    mimetype: str = "text/csv; charset=utf-8",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer a file to be saved under `filename`."""
    response = Response(body, content_type=mimetype)
    response.headers["Content-Disposition"] = attachment(filename)
    response.headers.update(headers or {})
    return response


def file_stamp(at: datetime) -> str:
    """Return an instant as file names carry it: `YYYYMMDDTHHMMSSZ` in UTC (API contract, file stamps)."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def csv_download(
    columns: Sequence[CsvColumn], rows: Callable[[Context], Iterator[Any]], filename: str, *, bom: bool = False
) -> Response:
    """Stream an export of any length; `rows` gets a reading context of its own that lives as long as the stream."""
    actor, clock, config, rid = current_actor(), app_clock(), app_config(), request_id()
    # Without the request's context: a reader who leaves in the middle ends the stream at any later moment.
    factory = sessionmaker(db.engine)

    def pieces() -> Iterator[str]:
        with unit_of_work(factory, actor=actor, clock=clock, config=config, write=False, request_id=rid) as ctx:
            yield from csv_lines(columns, rows(ctx), bom=bom)

    return download(pieces(), filename)


def wants_bom() -> bool:
    """Return whether the export was asked for with a byte order mark, which Korean Excel needs (`bom=1`)."""
    return request.args.get("bom", "").lower() in {"1", "true", "yes", "on"}
