"""What is open to everybody: the door, health, what the service offers."""

from __future__ import annotations

import re

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_openapi3.models.tag import Tag

from console.blueprints.public import service_info
from console.inputs.public import HealthOut, MetaOut, ModulesOut, ReadyOut, ServiceInfoOut
from console.services.home import saved_views as views
from console.services.runbook import health as readiness
from console.ui.addresses import may_open
from console.ui.responses import answer
from console.web import api_view
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, app_config, current_actor, web_context
from console.web.security import SIGN_IN

api = ApiBlueprint("public_api", __name__, abp_tags=[Tag(name="public", description="Open to everybody")])
pages = Blueprint("public", __name__)


_ARGUMENT = re.compile(r"\{[^{}]+\}")


def _exists(address: str) -> bool:
    """Return whether an address, with its arguments in braces, has a route."""
    return bool(current_app.url_map.bind("").allowed_methods(_ARGUMENT.sub("1", address)))


def _wants_page() -> bool:
    return "text/html" in request.headers.get("Accept", "")


@pages.get("/")
@access(public=True)
def door() -> ResponseReturnValue:
    """Lead people to their start page or the sign-in; tell programs what there is."""
    if not _wants_page():
        response = answer(service_info.service_info(_exists), ServiceInfoOut)
    elif (actor := current_actor()).kind == "anonymous":
        response = Response(status=303, headers={"Location": SIGN_IN})
    else:
        start = views.start_address(web_context())
        wanted = start if start and may_open(actor, start) else url_for("overview.page")
        response = Response(status=303, headers={"Location": wanted})
    response.vary.add("Accept")
    return response


@pages.get("/docs")
@access(public=True)
def docs() -> ResponseReturnValue:
    """Lead to the API documents under the address that was published for them."""
    return redirect(url_for("api_docs.page"), 302)


@pages.get("/web/console")
@access(public=True)
def console() -> ResponseReturnValue:
    """Lead to the view of the API for people under the address that was published for it."""
    return redirect(url_for("api_docs.page"), 302)


@api.get("/health", responses={200: HealthOut})
@access(public=True)
def health() -> Response:
    """Say that the process answers; touches neither database nor Redis."""
    return answer({"status": "ok"}, HealthOut)


@api.get("/meta", responses={200: MetaOut})
@access(public=True)
def meta() -> Response:
    """Return the environment's name and the kind of database."""
    url = current_app.config["SQLALCHEMY_DATABASE_URI"]
    return answer(
        {"env": app_config()["ENV"], "db": "postgresql" if url.startswith("postgresql") else "sqlite"}, MetaOut
    )


@api.get("/ready", responses={200: ReadyOut, 503: ReadyOut})
@access(public=True)
def ready() -> Response:
    """Return whether requests can be served: 200 ready or degraded, 503 unavailable."""
    found = readiness.check(web_context())
    return answer({"status": found.status, "checks": found}, ReadyOut, status=200 if found.ready else 503)


@api.get("/api/service-info", responses={200: ServiceInfoOut})
@access(public=True)
def info() -> Response:
    """Return key -> address of what this installation offers."""
    return answer(service_info.service_info(_exists), ServiceInfoOut)


@api.get("/api/public/modules", responses={200: ModulesOut})
@access(public=True)
def modules() -> Response:
    """Return the modules of the product with their links; people see them as cards."""
    found = service_info.modules(_exists)
    if _wants_page() and not api_view.wants_raw():
        page = render_template("public/modules.html", data=found, to=url_for, others=())
        response = Response(page, mimetype="text/html")
        response.vary.update(("Accept", "Accept-Language", "Cookie"))
        return response
    return answer(found, ModulesOut)
