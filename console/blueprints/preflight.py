"""The preflight of the running processes, for automation and for people."""

from __future__ import annotations

from flask import Response, current_app
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from console.inputs.ops import PreflightOut, PreflightQuery
from console.preflight import Reporter
from console.responses import answer
from console.services import audit, preflight
from console.services.preflight import PreflightView
from console.web import access, web_context

api = APIBlueprint("preflight_api", __name__, abp_tags=[Tag(name="operations", description="How the platform is")])


@api.get("/api/ops/preflight", responses={200: PreflightOut})
@access(*preflight.READ)
def preflight_now(query: PreflightQuery) -> Response:
    """Give the preflight of the web processes with its age; `refresh` looks around anew in this one."""
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


def _flat(found: PreflightView) -> dict[str, object]:
    return {
        **found.payload,
        "source": found.source,
        "age_seconds": found.age_seconds,
        "instances": found.instances,
    }
