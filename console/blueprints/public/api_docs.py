"""The API documents: the OpenAPI document and a page made from it that loads nothing from elsewhere."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, current_app, render_template
from flask_openapi3.openapi import OpenAPI

from console.blueprints.public.openapi_rows import operations
from console.core.config import Config
from console.domain.errors import NotFound, PermissionDenied, Unauthorized
from console.domain.identity import iam
from console.ui.responses import answer
from console.web.request import access, app_config, current_actor

pages = Blueprint("api_docs", __name__)


def readers(config: Config) -> str:
    """Return who may read the documents: "public", "owner" or "off" (API contract, identity 23 D6)."""
    setting = str(config["API_DOCS"])
    if setting == "auto":
        return "owner" if config.production else "public"
    return setting


def _check() -> None:
    """Refuse readers whom the setting leaves out."""
    setting = readers(app_config())
    if setting == "off":
        raise NotFound("Not Found")
    actor = current_actor()
    if setting == "owner" and actor.kind == "anonymous":
        raise Unauthorized("Missing admin token")
    if setting == "owner" and not actor.can(iam.ADMIN):
        raise PermissionDenied.missing(iam.ADMIN)


def _document() -> dict[str, Any]:
    app = cast("OpenAPI", current_app)
    document: dict[str, Any] = app.api_doc
    return document


@pages.get("/openapi.json")
@access(public=True)
def document() -> Response:
    """Return the OpenAPI document that the schemas of the routes make."""
    _check()
    return answer(_document())


@pages.get("/api/docs")
@access(public=True)
def page() -> str:
    """Show every operation with its parameters, bodies and answers."""
    _check()
    groups = operations(_document())
    return render_template("public/api_docs.html", groups=groups, info=_document()["info"])
