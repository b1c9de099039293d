"""Errors in the shape that was asked for: JSON, a fragment for htmx, or a page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from console.core.i18n import text_in
from console.core.serialize import to_json
from console.core.store_trouble import SENTENCES, trouble_of
from console.domain.errors import Conflict, DomainError, StoreUnavailable, TooLarge, TooManyRequests
from console.domain.evidence.evidence import TOO_LARGE, TOO_LARGE_TOLD
from console.domain.text import T, Text
from console.inputs.base import PathModel, QueryModel
from console.ui.frame import frame
from console.web.negotiation import of_program, wants_fragment, wants_json
from console.web.request import abandon, demanded, own_address, request_id

log = structlog.get_logger(__name__)

# What a person reads when the error itself carries no sentence.
TITLES = {400, 401, 403, 404, 405, 409, 410, 412, 413, 414, 415, 422, 429, 500, 503}
# Where trying the same once more may help.
AGAIN = {409, 412, 429, 500, 503}


def json_error(status: int, detail: Any, code: str | None = None) -> Response:
    """Return the body that clients read: `detail`, and `code` for programs."""
    if status == 422 and isinstance(detail, list):
        # Published: every part has an `input`; null where it is not told.
        detail = [{**part, "input": part.get("input")} for part in detail]
    body = {"detail": str(detail) if isinstance(detail, Text) else detail}
    if code:
        body["code"] = code
    return Response(to_json(body), status=status, mimetype="application/json")


def sentence(detail: Any) -> str:
    """Return a refusal as one sentence in the reader's language."""
    locale = str(get_locale() or "ko")
    if isinstance(detail, (Text, str)):
        return text_in(locale, detail) if isinstance(detail, Text) else _(detail) if detail else ""
    if isinstance(detail, dict):
        return sentence(detail.get("message", ""))
    if isinstance(detail, list):
        return " ".join(_blamed(part, locale) for part in detail)
    return str(detail)


def words_of(refusal: DomainError) -> str:
    """Return what people read of a refusal, in their language."""
    return sentence(refusal.told or refusal.detail)


def _blamed(part: dict[str, Any], locale: str) -> str:
    """Return what is wrong with one field: a sentence of ours stands for itself, other words need the field's name."""
    message = part.get("msg", "")
    if isinstance(message, Text):
        return text_in(locale, message)
    name = str(next(iter(reversed(part.get("loc", []))), ""))
    return f"{name}: {field_message(message)}"


def field_message(message: str) -> str:
    """Return what is wrong with a field in the reader's language; words of the validator itself are in English only."""
    plain = message.removeprefix("Value error, ")
    known = _(plain)
    # A validator speaks English.
    return known if known != plain or _speaks_english() else _("Please check the value")


def _speaks_english() -> bool:
    return str(get_locale() or "ko").startswith("en")


def render_error(status: int, detail: Any = "", code: str | None = None) -> Response:
    """Answer an error as JSON (to every program), as a toast for htmx, or as a page of its own."""
    if of_program():
        return json_error(status, detail or _http_phrase(status), code)
    known = status if status in TITLES else 500
    # What failed inside is for the log: a person needs the number to ask with, and a way to try again.
    inside = known >= 500
    if wants_fragment():
        message = "" if known == 500 else sentence(detail)
        response = make_response(render_template("public/error_fragment.html", status=known, message=message), status)
        response.headers["HX-Reswap"] = "none"
        if code:
            response.headers["X-Error-Code"] = code
        return response
    values = {
        "message": "" if inside and detail not in SENTENCES.values() else sentence(detail),
        "number": request_id() if inside else None,
        "again": own_address() if request.method == "GET" and known in AGAIN else None,
    }
    try:
        page = render_template("public/error.html", status=known, framed=frame().signed_in, **values)
    except Exception:
        if not inside:
            raise
        # What broke the page may break its menus too: a database that is away has neither sites nor figures.
        log.exception("error_page_without_frame", request_id=request_id())
        page = render_template("public/error.html", status=known, framed=False, **values)
    return make_response(page, status)


def _http_phrase(status: int) -> str:
    return HTTPStatus(status).phrase


def validation_detail(error: ValidationError, where: str) -> list[dict[str, Any]]:
    """Return field errors in the published form `{type, loc, msg, input}`; inputs that are secrets are left out."""
    found = []
    for part in error.errors(include_url=False, include_context=False):
        entry: dict[str, Any] = {"type": part["type"], "loc": [where, *part["loc"]], "msg": part["msg"]}
        value = part.get("input")
        if isinstance(value, (str, int, float, bool, type(None))) and not _secret(part["loc"]):
            entry["input"] = value if not isinstance(value, (str, float)) else str(value)[:200]
        found.append(entry)
    return found


def _secret(location: tuple[int | str, ...]) -> bool:
    return any("password" in str(part) or "token" in str(part) for part in location)


def validation_response(error: ValidationError) -> Response:
    """Answer input that does not fit its model with 422."""
    return json_error(422, validation_detail(error, _where(error)), "invalid")


def _where(error: ValidationError) -> str:
    """Return which part of the request does not fit."""
    model = _model_named(error.title)
    if model is not None and issubclass(model, (PathModel, QueryModel)):
        return "path" if issubclass(model, PathModel) else "query"
    return "body"


def _model_named(name: str) -> type[BaseModel] | None:
    pending: list[type[BaseModel]] = list(BaseModel.__subclasses__())
    while pending:
        model = pending.pop()
        if model.__name__ == name:
            return model
        pending.extend(model.__subclasses__())
    return None


def _of_http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or 500
    if status == TooLarge.status and (demanded().rate == "auth-upload" or request.mimetype == "multipart/form-data"):
        # A file so large that the form around it was not even read.
        return render_error(status, TOO_LARGE if wants_json() else TOO_LARGE_TOLD, TooLarge.code)
    response = render_error(status)
    if status == 405 and error.get_response().headers.get("Allow"):
        response.headers["Allow"] = error.get_response().headers["Allow"]
    return response


def init_app(app: Flask) -> None:
    """Register the handlers; whatever was written in the request is undone first."""

    @app.errorhandler(DomainError)
    def refused(error: DomainError) -> ResponseReturnValue:
        abandon()
        if error.status >= 500:
            log.warning("store_unavailable", detail=str(error.detail))
        detail = error.detail if error.told is None or wants_json() else error.told
        response = render_error(error.status, detail, error.code)
        if isinstance(error, TooManyRequests) and error.retry_after is not None:
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    @app.errorhandler(ValidationError)
    def unfit(error: ValidationError) -> ResponseReturnValue:
        abandon()
        return render_error(422, validation_detail(error, _where(error)), "invalid")

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        abandon()
        return _of_http(error)

    @app.errorhandler(StaleDataError)
    def stale(_error: StaleDataError) -> ResponseReturnValue:
        abandon()
        return render_error(409, T("The record was changed meanwhile"), Conflict.code)

    @app.errorhandler(Exception)
    def crashed(error: Exception) -> ResponseReturnValue:
        abandon()
        trouble = trouble_of(error)
        if trouble is not None:
            cause = getattr(error, "orig", None) or error
            log.error("database_error", trouble=trouble, error=type(cause).__name__, text=str(cause)[:300])
            return render_error(503, SENTENCES[trouble], StoreUnavailable.code)
        log.error("unhandled_error", request_id=request_id(), exc_info=error)
        if current_app.config.get("PROPAGATE_EXCEPTIONS"):
            raise error
        return render_error(500, {"message": "Internal Server Error", "error_id": request_id()}, "internal")
