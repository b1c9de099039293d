"""A bulk action that a worker carries out: its progress in the page, then its result with the way to take it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.tracker.pages import Page
from console.blueprints.tracker.urls import TrackerUrls
from console.domain.errors import NotFound
from console.domain.jobs import names as job_names
from console.domain.text import N_
from console.services.jobs import runs
from console.services.jobs.runs import Run
from console.ui.formats import number, tr
from console.ui.responses import toast, trigger, vary
from console.web.negotiation import wants_fragment
from console.web.request import current_actor, web_context


def begun(place: TrackerUrls, run: Run, total: int) -> Response:
    """Answer a bulk action that was handed to a worker: the page shows how far it is."""
    values = {"run": run, "total": total, "url": place.url("bulk_run", run_id=run.id), "partial": True}
    response = vary(make_response(render_template("tracker/_bulk_run.html", **values)))
    return trigger(response, **{"bulk-begun": {}})


def state(place: TrackerUrls, run_id: int) -> ResponseReturnValue:
    """Return how far a bulk action is; its end is told, and 286 ends the asking."""
    if not wants_fragment():
        return redirect(place.url("page"), 303)
    run = runs.of_job(web_context(), run_id, job_names.BULK)
    if run.requested_by != current_actor().username:
        raise NotFound(N_("Not Found"))
    values = {"run": run, "total": run.progress.get("total"), "url": place.url("bulk_run", run_id=run_id)}
    text = render_template("tracker/_bulk_run.html", partial=False, **values)
    if run.state != "finished":
        return vary(make_response(text))
    response = vary(make_response(text, 286))
    if run.status != "success":
        return toast(response, tr(run.error) if run.error else _("Nothing was changed"), kind="error")
    undo = run.detail.get("undo")
    url = place.url("undo") if undo else None
    return trigger(toast(response, outcome(run.detail), undo=url, token=undo), **{"tracker-changed": {}})


def outcome(result: Mapping[str, Any]) -> str:
    """Say what became of the items of a bulk action."""
    parts = [_("Changed: %(count)s", count=number(result["changed"], 0))]
    if result["unchanged"]:
        parts.append(_("as wanted already: %(count)s", count=number(result["unchanged"], 0)))
    if result["refused"]:
        parts.append(_("refused: %(count)s", count=number(result["refused"], 0)))
    if result["missing"]:
        parts.append(_("not found: %(count)s", count=number(result["missing"], 0)))
    return " · ".join(parts)


PAGES = (Page("/bulk/runs/<int:run_id>", "bulk_run", state, "write"),)
