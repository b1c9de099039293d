"""API: the nightly comparison of alerts, its findings, and what people say of alerts (added to the contract)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.core.listing import asked
from console.domain.jobs import names as job_names
from console.inputs.alerts import (
    AccuracyOut,
    DeliveryPath,
    FalseAlertIn,
    FindingsQuery,
    MarkPath,
    MarksQuery,
    MissedAlertIn,
    WithdrawMarkIn,
)
from console.inputs.response_models import array, shape
from console.services.alerts import accuracy_lists, marks
from console.services.alerts import outbox as alerts
from console.services.alerts.accuracy_lists import FindingView
from console.ui import runs
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

api = ApiBlueprint("accuracy_api", __name__, abp_tags=[Tag(name="alerts", description="Alert deliveries")])
MarkOut, FindingOut = shape(marks.Mark, "MarkOut"), shape(FindingView, "FindingOut")
MarkList, FindingList = array(MarkOut, "MarkList"), array(FindingOut, "FindingList")


@api.get("/api/ops/alerts/accuracy/latest", responses={200: AccuracyOut})
@access(*alerts.READ)
def latest() -> Response:
    """Return the newest comparison of who should have been told with what happened; 404 when there is none."""
    return answer(accuracy_lists.latest_answer(web_context()), AccuracyOut)


@api.post("/api/ops/alerts/accuracy/run", responses={200: AccuracyOut})
@access(*alerts.WRITE)
def run() -> Response:
    """Compare now."""
    return runs.run_endpoint(job_names.ALERT_ACCURACY, None, AccuracyOut)


@api.get("/api/ops/alerts/accuracy/findings", responses={200: FindingList})
@access(*alerts.READ)
def findings(query: FindingsQuery) -> Response:
    """Return what the newest comparison found, newest first."""
    wanted = asked(**query.model_dump())
    listed = accuracy_lists.listed(web_context(), wanted, limit=query.limit, offset=query.offset)
    return answer(listed.items, FindingOut, headers={"X-Total-Count": str(listed.total)})


@api.get("/api/ops/alerts/marks", responses={200: MarkList})
@access(*alerts.READ)
def marks_list(query: MarksQuery) -> Response:
    """Return what people said of alerts, newest first; marks that were taken back are among them."""
    return answer(marks.listed(web_context(), kind=query.kind, limit=query.limit), MarkOut)


@api.post("/api/ops/alerts/deliveries/<delivery_id>/false", responses={200: MarkOut})
@access(*alerts.WRITE)
def mark_false(path: DeliveryPath, body: FalseAlertIn) -> Response:
    """Mark an alert as false, for all its channels; 409 when it is marked already."""
    return answer(marks.mark_false(web_context(), path.delivery_id, body.reason), MarkOut)


@api.post("/api/ops/alerts/missed", responses={200: MarkOut})
@access(*alerts.WRITE)
def record_missed(body: MissedAlertIn) -> Response:
    """Record an incident that nobody was alerted about."""
    made = marks.record_missed(web_context(), body.what, body.happened_at, body.reason, site=body.site)
    return answer(made, MarkOut)


@api.post("/api/ops/alerts/marks/<mark_id>/withdraw", responses={200: MarkOut})
@access(*alerts.WRITE)
def withdraw(path: MarkPath, body: WithdrawMarkIn) -> Response:
    """Take a mark back; 409 when it changed meanwhile."""
    return answer(marks.withdraw(web_context(), path.mark_id, body.version, body.reason), MarkOut)
