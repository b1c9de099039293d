"""My work: what the signed-in person has to do, and what they may take; made for a phone first."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.tracker.urls import WORK_LISTS, item_url, place_of_item
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.ids import number_in
from console.domain.programme.trackers import programme
from console.domain.text import N_, T
from console.domain.tracker.requests import ItemChange
from console.domain.tracker.tracker import TrackerKind
from console.forms.shared import limits
from console.inputs.tracker import ItemPatchIn
from console.services.home import mine
from console.services.home.mine import MyWork
from console.services.identity import names as people
from console.services.tracker import items as tracker_items
from console.services.tracker.items import Changed
from console.services.tracker.rows import ItemView
from console.ui.errors import words_of
from console.ui.evidence import taken
from console.ui.frame import leave_toast
from console.ui.labels.tracker import mentioned, timeline
from console.ui.navigation import NavItem
from console.ui.responses import fragment_of, show, toast, vary
from console.web.negotiation import wants_fragment
from console.web.request import access, web_context

pages = Blueprint("my_work", __name__)
NAV = NavItem("work", 20, "my_work.page", N_("My work"), "user-check", count="my_work", phone=True)
NOTE_MAX = limits(ItemPatchIn, "completion_note")[1]
FRAGMENT = "tracker/my_work.my_work"
MOST_CHANGES = 5


def _values(data: MyWork, shown: str) -> dict[str, Any]:
    return {
        "show": shown,
        "url": url_for("my_work.page"),
        "today": [item for item in data.assigned if item.due_at is not None and item.due_at < data.day_ends_at],
        "item_url": partial(item_url, work=shown),
        "upload_url": _upload_url,
        "taken": taken(web_context()),
        "refused": None,
    }


def _upload_url(item: ItemView) -> str:
    return place_of_item(item).url("attach", item_id=item.id)


def _shown(word: str | None) -> str:
    return word if word in WORK_LISTS else "today"


@pages.get("/my-work")
@access()
def page() -> Response:
    """Show the person's work: due today, everything assigned, or what may be taken."""
    data = mine.my_work(web_context())
    values = _values(data, _shown(request.args.get("show")))
    return show(data, fragment=FRAGMENT, page="tracker/my_work.html", **values)


@pages.post("/my-work/<int:item_id>/claim")
@access()
def claim(item_id: int) -> ResponseReturnValue:
    """Take an unassigned item."""
    try:
        return _answer(tracker_items.claim(web_context(), item_id, _programme()), _("You have taken it"))
    except Conflict as conflict:
        return _too_late(item_id, conflict, seen=None)


@pages.post("/my-work/<int:item_id>/start")
@access()
def start(item_id: int) -> ResponseReturnValue:
    """Say that work on an own item has begun."""
    return _change(item_id, ItemChange(status="in_progress"), _("Work has begun"))


@pages.post("/my-work/<int:item_id>/done")
@access()
def done(item_id: int) -> ResponseReturnValue:
    """Report an own item as done, with a note."""
    note = request.form.get("note", "")
    if len(note) > NOTE_MAX:
        raise Invalid(T("The note has at most %(most)s characters", most=NOTE_MAX))
    wanted = ItemChange(status="done", completion_checked=True, completion_note=note or None)
    return _change(item_id, wanted, _("Reported as done"))


def _programme() -> TrackerKind:
    found = programme(request.form.get("tracker", ""))
    if found is None:
        raise NotFound(N_("Not Found"))
    return found


def _change(item_id: int, wanted: ItemChange, said: str) -> ResponseReturnValue:
    seen = number_in(request.form.get("version", ""))
    if seen is None:
        raise Invalid.field("version", "must be a number")
    try:
        return _answer(tracker_items.change(web_context(), item_id, wanted, _programme(), version=seen), said)
    except Conflict as conflict:
        return _too_late(item_id, conflict, seen=seen)


def _too_late(item_id: int, conflict: Conflict, *, seen: int | None) -> Response:
    """Answer the newest state with what changed since the version that was `seen`; what was typed stays."""
    ctx = web_context()
    ctx.rollback()
    shown = _shown(request.form.get("show"))
    stored = tracker_items.get(ctx, item_id, _programme())
    names = people.names_of(ctx, [stored.updated_by])
    events, _total = tracker_items.events_of(ctx, item_id, _programme(), limit=MOST_CHANGES)
    changes = tuple(event for event in events if event.kind != "comment")[: max(stored.version - (seen or 0), 0)]
    refused = {
        "id": item_id,
        "note": request.form.get("note", ""),
        "by": names.get(stored.updated_by, stored.updated_by),
        "at": stored.updated_at,
        "events": timeline(changes, people.names_of(ctx, mentioned(changes))) if seen is not None else [],
        "open": not wants_fragment(),
    }
    data = mine.my_work(ctx)
    values = {**_values(data, shown), "refused": refused}
    response = show(data, fragment=FRAGMENT, page="tracker/my_work.html", status=409, **values)
    return toast(response, words_of(conflict), kind="error")


def _answer(changed: Changed, said: str) -> ResponseReturnValue:
    shown = _shown(request.form.get("show"))
    undo = place_of_item(changed.item).url("undo") if changed.undo else None
    if not wants_fragment():
        leave_toast(said, undo=undo, token=changed.undo)
        if request.form.get("back") == "item":
            return redirect(item_url(changed.item), 303)
        return redirect(url_for("my_work.page", show=shown), 303)
    data = mine.my_work(web_context())
    body = fragment_of(FRAGMENT, data, **_values(data, shown))
    return toast(vary(Response(body)), said, undo=undo, token=changed.undo)
