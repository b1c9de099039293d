"""Bulk steps of work orders: the dialog, what would change, the step itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from console.blueprints.work_orders.list_view import CARRIED, chosen_ids
from console.core import listing
from console.domain.errors import Conflict, Invalid
from console.domain.ids import number_in
from console.domain.tracker.requests import Selection
from console.domain.work_orders import requests as steps
from console.domain.work_orders.requests import OrderBulk
from console.services.work_orders import bulk, lists, undo, workers
from console.services.work_orders.bulk import Told
from console.services.work_orders.lists import HOLD_LABELS, PRIORITY_LABELS
from console.services.work_orders.rows import WRITE
from console.ui.errors import words_of
from console.ui.formats import number
from console.ui.frame import leave_toast
from console.ui.labels.common import choices
from console.ui.reader import zone
from console.ui.responses import toast, trigger, vary
from console.ui.times import typed_instant
from console.web.negotiation import wants_fragment
from console.web.request import abandon, access, web_context

pages = Blueprint("work_order_bulk", __name__)
# What the dialog sends for taking orders from everybody; too short to be a user name.
NOBODY = "-"
TEXT_MOST = 2000
# Steps that are not decided before their text is written, and before their value is chosen.
_NEED_TEXT = frozenset({steps.PRIORITY, steps.DUE, steps.COMPLETE, steps.COMMENT})
_NEED_VALUE = frozenset({steps.ASSIGN, steps.PRIORITY, steps.DUE, steps.WAIT})


@pages.post("/work-orders/bulk")
@access(WRITE)
def ask() -> Response:
    """Show the dialog of a bulk step, with how many orders it is about."""
    ctx, selection = web_context(), _selection()
    action = _action()
    told = bulk.count(ctx, selection)
    people = _people(selection, told.total) if action == steps.ASSIGN else []
    undecided = action != steps.BEGIN
    if not undecided:
        told = bulk.preview(ctx, selection, OrderBulk(action))
    values = {
        "told": told,
        "undecided": undecided,
        "refusal": None,
        "action": action,
        "people": people,
        "priorities": choices(PRIORITY_LABELS),
        "reasons": choices(HOLD_LABELS),
        "ids": selection.ids,
        "everything": selection.everything,
        "query": request.form.get("query", ""),
        "undo_seconds": ctx.config["TRACKER_UNDO_SECONDS"] if action in undo.STEPS else None,
    }
    return vary(make_response(render_template("work_orders/_bulk_dialog.html", **values)))


def _people(selection: Selection, total: int) -> list[tuple[str, str]]:
    ctx = web_context()
    able = workers.of_sites(ctx, bulk.sites_of(ctx, selection))
    loads = bulk.loads(ctx, [username for username, _name, _fit in able])
    made = [(username, _with_load(name, loads.get(username, 0), fit, total)) for username, name, fit in able]
    return [*made, (NOBODY, _("No assignee"))]


def _with_load(name: str, load: int, fit: int, total: int) -> str:
    told = _("%(name)s: %(count)s open", name=name, count=number(load, 0))
    return told if fit == total else f"{told} · " + _("sees %(count)s of %(total)s", count=fit, total=total)


@pages.post("/work-orders/bulk/count")
@access(WRITE, writes=False)
def count() -> Response:
    """Say what the step would change, now that it is decided."""
    change = _change(lenient=True)
    told, refusal = Told(0), None
    if change is not None:
        try:
            told = bulk.preview(web_context(), _selection(), change)
        except Invalid as refused:
            refusal = words_of(refused)
    values = {"told": told, "undecided": change is None, "refusal": refusal}
    return vary(make_response(render_template("work_orders/_bulk_told.html", **values)))


@pages.post("/work-orders/bulk/apply")
@access(WRITE)
def apply() -> Response:
    """Do it, and say what became of the orders; a whole list that has moved meanwhile is left as it is."""
    change = _change(lenient=False)
    assert change is not None
    expected = number_in(request.form.get("expected", ""))
    try:
        told = bulk.apply(web_context(), _selection(), change, expected=expected)
    except Conflict as refused:
        abandon()
        return _answer(words_of(refused), kind="error")
    return _answer(_outcome(told), told)


@pages.post("/work-orders/bulk/undo")
@access(WRITE)
def take_back() -> Response:
    """Take a step back, for the orders that nobody touched since."""
    undone = undo.undo(web_context(), request.form.get("token", ""))
    message = _("Taken back: %(count)s", count=number(len(undone.restored), 0))
    if undone.skipped:
        message += " · " + _("changed by others since: %(count)s", count=number(len(undone.skipped), 0))
    return _answer(message)


def _selection() -> Selection:
    """Return which orders: ids, or the list's own query."""
    form = request.form
    if form.get("all") != "1":
        return Selection(ids=tuple(chosen_ids()))
    query = MultiDict(parse_qsl(form.get("query", ""), max_num_fields=100))
    wanted = listing.parse(lists.spec(web_context().now()), query, extra=CARRIED)
    return Selection(everything=True, filters=wanted.filters, search=wanted.search)


def _action() -> str:
    action = request.form.get("action", "")
    if action not in steps.BULK_ACTIONS:
        raise Invalid(_("Please check what was chosen"))
    return action


def _change(*, lenient: bool) -> OrderBulk | None:
    """Return what is to be done; a step that is not decided yet is None if that is allowed, else refused."""
    action = _action()
    value, text = request.form.get("value", ""), request.form.get("text", "").strip()[:TEXT_MOST]
    if (action in _NEED_VALUE and not value) or (action in _NEED_TEXT and not text):
        if lenient:
            return None
        raise Invalid(_("Please check what was chosen"))
    typed = value if action == steps.DUE else request.form.get("until", "")
    return OrderBulk(
        action,
        value="" if value == NOBODY or action == steps.DUE else value,
        at=typed_instant(typed, zone()) if action in (steps.DUE, steps.WAIT) else None,
        text=text,
        unassigned=request.form.get("unassigned") == "1",
    )


def _outcome(told: Told) -> str:
    parts = [_("Changed: %(count)s", count=number(told.changed, 0))]
    if told.unchanged:
        parts.append(_("as wanted already: %(count)s", count=number(told.unchanged, 0)))
    if told.refused:
        parts.append(_("refused: %(count)s", count=number(told.refused, 0)))
    if told.missing:
        parts.append(_("not found: %(count)s", count=number(told.missing, 0)))
    return " · ".join(parts)


def _answer(message: str, told: Told | None = None, **more: Any) -> Response:
    token = told.undo if told else None
    undo_url = url_for("work_order_bulk.take_back") if token else None
    if not wants_fragment():
        leave_toast(message, undo=undo_url, token=token)
        return make_response(redirect(url_for("work_orders.page"), 303))
    shown = told is not None and told.refused > 0
    values = {"told": told, "said": message, "undo": undo_url}
    text = render_template("work_orders/_bulk_result.html", **values) if shown else ""
    return trigger(
        toast(vary(make_response(text)), message, undo=undo_url, token=token, **more), **{"orders-changed": {}}
    )
