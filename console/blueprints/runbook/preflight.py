"""The preflight of the running processes, for automation and for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.blueprints.runbook.sources import page_of
from console.domain.text import N_
from console.inputs.runbook import PreflightOut, PreflightQuery
from console.services.audit import record as audit
from console.services.runbook import preflight, runbook
from console.services.runbook.preflight import PreflightView
from console.ui.frame import leave_toast
from console.ui.navigation import tab
from console.ui.responses import answer, show
from console.web.api_blueprint import ApiBlueprint
from console.web.negotiation import wants_fragment
from console.web.preflight import Reporter
from console.web.request import access, current_actor, read_anew, web_context

READ = preflight.READ
pages = Blueprint("preflight", __name__)
NAV = tab("evidence", 27, "preflight.page", N_("Preflight"), READ)
api = ApiBlueprint("preflight_api", __name__, abp_tags=[Tag(name="operations", description="How the platform is")])


@api.get("/api/ops/preflight", responses={200: PreflightOut})
@access(*READ)
def preflight_now(query: PreflightQuery) -> Response:
    """Return the preflight of the web processes with its age; `refresh` looks around anew in this one."""
    if query.refresh:
        refresh()
    ctx = web_context()
    found = preflight.view(ctx)
    audit.viewed(ctx, "ops_preflight_view", "ops_preflight", "startup", overall_status=found.payload["overall_status"])
    return answer(_flat(found), PreflightOut)


def refresh() -> None:
    """Let this process look around anew; its row is written in a transaction of its own."""
    reporter: Reporter = current_app.extensions["preflight_reporter"]
    reporter.report()
    read_anew()


def _flat(found: PreflightView) -> dict[str, object]:
    return {
        **found.payload,
        "source": found.source,
        "age_seconds": found.age_seconds,
        "instances": found.instances,
    }


_ORDER = ("error", "warning", "ok")


@pages.app_template_filter()
def worst_first(checks: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return checks with errors first, then warnings; within them the published order."""
    return sorted(checks, key=lambda check: _ORDER.index(check["status"]))


@pages.get("/ops/preflight")
@access(*READ)
def page() -> Response:
    """Show the checks of the processes with their age, and the runbook."""
    ctx = web_context()
    data = preflight.view(ctx)
    wanted = request.args.get("process", "")
    chosen = next((one for one in data.instances if one.name == wanted), None)
    address = url_for("preflight.page")
    extra: dict[str, Any] = {"chosen": chosen, "url": address, "refresh_url": url_for("preflight.refresh_page")}
    if not wants_fragment():
        may_read = any(map(current_actor().can, runbook.READ))
        extra |= {
            "book": runbook.view(ctx) if may_read else None,
            "source": page_of,
            "computed_at": ctx.now(),
        }
    return show(data, fragment="runbook/preflight.preflight", page="runbook/preflight.html", **extra)


@pages.post("/ops/preflight/refresh")
@access(*READ)
def refresh_page() -> ResponseReturnValue:
    """Let the process that answers look around anew."""
    refresh()
    leave_toast(_("The answering process has checked again"))
    return redirect(url_for("preflight.page"), 303)
