"""Recovery drills, for automation and for people."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_openapi3.models.tag import Tag

from console.domain.jobs import names as job_names
from console.inputs.recovery import DrillHistoryQuery, DrillOptions, DrillOut, RunQuery
from console.inputs.response_models import shape
from console.services.audit import record as audit
from console.services.recovery import drill, history
from console.ui.responses import answer
from console.ui.runs import run_endpoint
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

HistoryOut = shape(history.History, "DrillHistoryOut")
R = "/api/ops/dr/rehearsal"
READ = history.READ
TYPE = "ops_dr"

pages = Blueprint("recovery", __name__)
api = ApiBlueprint("recovery_api", __name__, abp_tags=[Tag(name="operations", description="How the platform is")])


@api.post(f"{R}/run", responses={200: DrillOut})
@access(drill.MANAGE)
def drill_run(query: RunQuery) -> Response:
    """Make a sealed backup, restore it beside the database and compare; `Prefer: respond-async` queues it."""
    return run_endpoint(
        job_names.DR_REHEARSAL, DrillOptions(restore_check=query.simulate_restore), model=DrillOut
    )


@api.get(f"{R}/latest", responses={200: DrillOut})
@access(*READ)
def drill_latest() -> Response:
    """Return the newest drill; 404 before the first."""
    ctx = web_context()
    found = history.latest(ctx)
    audit.viewed(ctx, "ops_dr_rehearsal_latest_view", TYPE, found.id)
    return answer(history.flat(found), DrillOut)


@api.get(f"{R}/history", responses={200: HistoryOut})
@access(*READ)
def drill_history(query: DrillHistoryQuery) -> Response:
    """Return drills, newest first; X-Total-Count tells how many there are."""
    ctx = web_context()
    found = history.history(ctx, limit=query.limit, offset=query.offset)
    audit.viewed(ctx, "ops_dr_rehearsal_history_view", TYPE, "history", count=found.count)
    return answer(found, HistoryOut, headers={"X-Total-Count": str(found.total)})
