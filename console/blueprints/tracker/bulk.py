"""Bulk actions of a tracker: what would change, the act itself, what became of each item."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from flask import Response, make_response, render_template, request
from flask_babel import gettext as _
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from console.blueprints.tracker import bulk_run
from console.blueprints.tracker.api import bulk_job
from console.blueprints.tracker.pages import Page, chosen_ids
from console.blueprints.tracker.urls import TrackerUrls
from console.blueprints.tracker.view import nothing, see_other
from console.core import listing
from console.domain.errors import Invalid
from console.domain.jobs.runs import MANUAL
from console.domain.tracker.requests import BulkChange
from console.forms.tracker import takers
from console.inputs.tracker import BulkIn
from console.services.tracker import bulk as tracker_bulk
from console.services.tracker.bulk import BulkResult
from console.services.tracker.columns import STATUS_LABELS, spec
from console.ui.formats import number
from console.ui.frame import leave_toast
from console.ui.labels.common import choices
from console.ui.reader import zone
from console.ui.responses import toast, trigger, vary
from console.ui.times import typed_instant
from console.web.negotiation import wants_fragment
from console.web.request import web_context

ACTIONS = ("assign", "status", "due", "close")
# What the dialog sends for taking items from everybody; too short to be a user name.
NOBODY = "-"


def _sent(place: TrackerUrls, action: str | None = None) -> BulkIn:
    """Read the form: which items (ids, or the list's own query) and what to do with each.

    With an `action` given only the items are read: what is to be done is not decided yet.
    """
    form = request.form
    values: dict[str, Any] = {"action": action or form.get("action", ""), "reason": form.get("reason", "")}
    # The API takes any text as an assignee; here nobody is given what they cannot work on.
    values["only_able"] = True
    if form.get("all") == "1":
        query = MultiDict(parse_qsl(form.get("query", ""), max_num_fields=100))
        wanted = listing.parse(spec(place.programme, web_context().now()), query)
        values |= {"everything": True, "q": wanted.search}
        values["filters"] = {key: list(words) for key, words in wanted.filters.items()}
    else:
        values["ids"] = chosen_ids(form.getlist("ids"))
    if action is None:
        values |= _value(values["action"], form.get("value", ""))
    try:
        return BulkIn.model_validate(values)
    except ValidationError as error:
        raise Invalid(_("Please check what was chosen")) from error


def _action() -> str:
    action = request.form.get("action", "")
    if action not in ACTIONS:
        raise Invalid(_("Please check what was chosen"))
    return action


def _value(action: str, text: str) -> dict[str, Any]:
    if action == "assign":
        if not text:  # nothing chosen is not the same as nobody
            raise Invalid(_("Please check what was chosen"))
        return {"assignee": "" if text == NOBODY else text}
    if action == "status":
        return {"status": text or None}
    if action != "due" or not text:
        return {}
    return {"due_at": typed_instant(text, zone())}


def ask(place: TrackerUrls) -> Response:
    """Show the dialog of a bulk action, with how many items it is about."""
    ctx = web_context()
    sent, action = _sent(place, "close"), _action()
    told = tracker_bulk.preview(ctx, sent.selection(), BulkChange(action), place.programme, undecided=True)
    people = tracker_bulk.able_for(ctx, sent.selection(), place.programme) if action == "assign" else ()
    values = {
        "told": told,
        "undecided": action != "close",
        "action": action,
        "people": [*takers(people, told.total), (NOBODY, _("No assignee"))],
        "statuses": choices(STATUS_LABELS),
        "ids": sent.ids,
        "everything": sent.everything,
        "query": request.form.get("query", ""),
        "url": place.url("bulk_apply"),
        "count_url": place.url("bulk_count"),
    }
    return vary(make_response(render_template("tracker/_bulk_dialog.html", **values)))


def count(place: TrackerUrls) -> Response:
    """Say what the action would change, now that its value is chosen."""
    action, reason = _action(), request.form.get("reason", "").strip()
    undecided = action != "close" and not request.form.get("value")
    undecided = undecided or (action == "due" and not reason)
    sent = _sent(place, "close" if undecided else None)
    change = BulkChange(action) if undecided else sent.change()
    told = tracker_bulk.preview(web_context(), sent.selection(), change, place.programme, undecided=undecided)
    return vary(make_response(render_template("tracker/_bulk_told.html", told=told, undecided=undecided)))


def apply(place: TrackerUrls) -> Response:
    """Do it: at once, or as a job when there are very many."""
    ctx = web_context()
    sent = _sent(place)
    told = tracker_bulk.preview(ctx, sent.selection(), sent.change(), place.programme)
    if told.as_job:
        run = bulk_job(sent, place.programme, trigger=MANUAL)
        if wants_fragment():
            return bulk_run.begun(place, run, told.total)
        return _answer(
            place, _("%(count)s items: a worker does it, run #%(id)s", count=number(told.total, 0), id=run.id)
        )
    result = tracker_bulk.apply(ctx, sent.selection(), sent.change(), place.programme)
    return _answer(place, bulk_run.outcome(vars(result)), result)


def _answer(place: TrackerUrls, message: str, result: BulkResult | None = None) -> Response:
    undo = place.url("undo") if result and result.undo else None
    token = result.undo if result else None
    if not wants_fragment():
        leave_toast(message, undo=undo, token=token)
        return see_other(place.url("page"))
    shown = result is not None and result.refused > 0
    told = {"result": result, "undo": undo, "said": message}
    response = make_response(render_template("tracker/_bulk_result.html", **told)) if shown else nothing()
    return trigger(toast(response, message, undo=undo, token=token), **{"tracker-changed": {}})


PAGES = (
    Page("/bulk", "bulk", ask, "write", "POST"),
    Page("/bulk/count", "bulk_count", count, "write", "POST", writes=False),
    Page("/bulk/apply", "bulk_apply", apply, "write", "POST"),
    *bulk_run.PAGES,
)
