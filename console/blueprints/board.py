"""The board: remediation items by status or as a table, one item in a drawer, closing the tracker, the sync."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from console import running
from console.blueprints.remediation import export
from console.board_view import (
    addresses,
    items_of,
    nothing,
    query_of_url,
    refuse,
    see_other,
    show_card,
    show_changed,
    show_conflict,
    show_drawer,
    show_list,
    show_page,
    show_refused,
    told,
)
from console.context import Context
from console.domain.errors import Conflict, Invalid
from console.domain.text import N_
from console.domain.tracker import REMEDIATION
from console.errors import render_error, wants_fragment
from console.forms.tracker import NewItemForm, edit_form, new_item_form
from console.frame import frame, leave_toast, zone
from console.navigation import NavItem
from console.responses import fragment_of, toast, trigger, vary
from console.services import (
    runs,
    tracker_board,
    tracker_completion,
    tracker_items,
    tracker_manual,
    tracker_people,
    tracker_undo,
)
from console.services.tracker_completion import NotReady
from console.tracker_words import closings
from console.web import access, current_actor, web_context
from workers import remediation as jobs
from workers import runtime

READ, WRITE, MANAGE = REMEDIATION.read, REMEDIATION.write, REMEDIATION.manage
pages = Blueprint("board", __name__)
NAV = NavItem(
    "work",
    30,
    "board.page",
    N_("Remediation board"),
    "layout-kanban",
    READ[0],
    any_of=READ[1:],
    count="late",
    phone=True,
)


@pages.get("/board")
@access(*READ)
def page() -> Response:
    """Show the items by status or as a table; htmx gets the list alone."""
    ctx = web_context()
    query = query_of_url()
    return show_list(items_of(ctx, query)) if wants_fragment() else show_page(ctx, query)


@pages.get("/board/loads")
@access(*READ)
def loads() -> Response:
    """Show who has how many open items; the page asks for it once it stands."""
    found = tracker_board.loads(web_context(), REMEDIATION, frame().site)
    values = {"loads": found[:6] if wants_fragment() else found, "url": url_for("board.page")}
    template = "board/_loads.html" if wants_fragment() else "board/loads.html"
    return vary(make_response(render_template(template, **values)))


@pages.get("/board/items.csv")
@access(*READ)
def csv() -> Response:
    """Download exactly the items that the list shows, all pages of it."""
    return export(query_of_url())


# One item ------------------------------------------------------------------------------------------------------------
@pages.get("/board/items/<int:item_id>")
@access(*READ)
def item(item_id: int) -> Response:
    """Show one item in a drawer; as a page of its own the list stands beside it."""
    ctx = web_context()
    return show_drawer(ctx, tracker_items.get(ctx, item_id))


@pages.get("/board/items/<int:item_id>/inline")
@access(*WRITE)
def inline(item_id: int) -> ResponseReturnValue:
    """Give one field of an item to be edited in its place; without script the item's own page does it."""
    field = request.args.get("field", "")
    if field not in ("assignee", "status", "due_at") or not wants_fragment():
        return redirect(url_for("board.item", item_id=item_id), 303)
    ctx = web_context()
    shown = tracker_items.get(ctx, item_id)
    people = tracker_people.candidates(ctx, shown.site) if field == "assignee" else ()
    form = edit_form(shown, people, zone())
    action = url_for("board.change", item_id=item_id)
    return vary(make_response(fragment_of("item_editor.inline", shown, form=form, field=field, action=action)))


@pages.post("/board/items/<int:item_id>")
@access(*WRITE, "governance:read")
def change(item_id: int) -> Response:
    """Change an item: from the drawer, in the row, by dragging its card."""
    ctx = web_context()
    before = tracker_items.get(ctx, item_id)
    form = edit_form(before, (), zone(), request.form)
    from_drawer = request.form.get("from") == "drawer"
    if not form.validate():
        return show_refused(ctx, before, form, from_drawer=from_drawer)
    wanted = form.change(request.form, zone())
    try:
        changed = tracker_items.change(ctx, item_id, wanted, version=form.seen_version)
    except Conflict as conflict:
        return show_conflict(ctx, before, wanted, conflict, from_drawer=from_drawer)
    return show_changed(ctx, changed, told(before, changed), from_drawer=from_drawer)


@pages.post("/board/items/<int:item_id>/claim")
@access(*WRITE)
def claim(item_id: int) -> Response:
    """Take an unassigned item."""
    ctx = web_context()
    try:
        changed = tracker_items.claim(ctx, item_id)
    except Conflict as conflict:
        return refuse(conflict)
    return show_changed(ctx, changed, _("You have taken %(name)s", name=changed.item.item_id), from_drawer=True)


@pages.post("/board/items/<int:item_id>/close")
@access(*WRITE)
def close(item_id: int) -> Response:
    """Take a finished item that was added by hand off the board."""
    ctx = web_context()
    try:
        changed = tracker_manual.close(ctx, item_id)
    except Conflict as conflict:
        return refuse(conflict)
    return show_changed(ctx, changed, _("%(name)s is off the board", name=changed.item.item_id), from_drawer=True)


@pages.post("/board/items/<int:item_id>/comments")
@access(*WRITE, "governance:read")
def comment(item_id: int) -> Response:
    """Add a comment to an item."""
    ctx = web_context()
    text = request.form.get("text", "")
    if not text.strip() or len(text) > 4000:
        raise Invalid(_("A comment has 1 to 4000 characters"))
    tracker_items.comment(ctx, item_id, text)
    if wants_fragment():
        return trigger(show_drawer(ctx, tracker_items.get(ctx, item_id)), **{"tracker-changed": {}})
    return see_other(url_for("board.item", item_id=item_id) + addresses(query_of_url())["suffix"])


@pages.post("/board/undo")
@access(*WRITE, "governance:read")
def undo() -> Response:
    """Take a change back, for the items that nobody touched since."""
    undone = tracker_undo.undo(web_context(), request.form.get("token", ""))
    message = _("Taken back: %(count)s", count=len(undone.restored))
    if undone.skipped:
        message += " · " + _("changed by others since: %(count)s", count=len(undone.skipped))
    if not wants_fragment():
        leave_toast(message)
        return see_other(url_for("board.page"))
    return trigger(toast(nothing(), message), **{"tracker-changed": {}})


# A new item ----------------------------------------------------------------------------------------------------------
@pages.route("/board/new", methods=["GET", "POST"])
@access(*WRITE)
def new() -> Response:
    """Show the form for an item added by hand, or add it."""
    ctx = web_context()
    sent: MultiDict[str, str] | None = request.form if request.method == "POST" else None
    names = [site.name for site in frame().sites]
    people = tracker_people.candidates(ctx)
    form = new_item_form(names, people, sent, platform=current_actor().all_sites)
    if sent is None:
        form.site.data = frame().site or form.site.data
    elif form.validate():
        return _added(ctx, form)
    status = 200 if sent is None else 422
    return vary(make_response(render_template("board/new.html", form=form), status))


def _added(ctx: Context, form: NewItemForm) -> Response:
    made = tracker_manual.create(ctx, form.new())
    leave_toast(_("%(name)s was added", name=made.item_id))
    return see_other(url_for("board.item", item_id=made.id))


# Closing the tracker -------------------------------------------------------------------------------------------------
@pages.get("/board/readiness")
@access(*READ)
def readiness() -> ResponseReturnValue:
    """Give the readiness card again."""
    if not wants_fragment():
        return redirect(url_for("board.page"), 303)
    return show_card(tracker_completion.completion(web_context()))


@pages.post("/board/complete")
@access(*MANAGE)
def complete() -> Response:
    """Close the tracker; in spite of blockers only with a reason."""
    ctx = web_context()
    note, force = request.form.get("completion_note", "").strip(), request.form.get("force") == "1"
    if len(note) > 4000 or (force and not note):
        raise Invalid(_("Please give a reason of at most 4000 characters"))
    try:
        closing = tracker_completion.complete(ctx, note=note, force=force)
    except NotReady as refused:
        if not wants_fragment():
            return render_error(refused.status, refused.detail, refused.code)
        ctx.rollback()
        closing = tracker_completion.completion(ctx)
        return toast(show_card(closing, 409), _("Something is still open"), kind="error")
    message = _("The tracker is closed")
    if not wants_fragment():
        leave_toast(message)
        return see_other(url_for("board.page"))
    return toast(show_card(closing), message)


@pages.get("/board/history")
@access(*READ)
def history() -> Response:
    """Show every closing and reopening of the tracker."""
    entries, _total = tracker_completion.history(web_context())
    return vary(make_response(render_template("board/history.html", entries=closings(entries))))


# The sync ------------------------------------------------------------------------------------------------------------
@pages.get("/board/sync")
@access(*MANAGE)
def sync_state() -> ResponseReturnValue:
    """Give how the running sync goes; 286 ends the asking."""
    if not wants_fragment():
        return redirect(url_for("board.page"), 303)
    ctx = web_context()
    run_id = request.args.get("run", "")
    run = runs.get(ctx, int(run_id)) if run_id.isascii() and run_id.isdigit() and len(run_id) < 10 else None
    status = 286 if run is None or run.state == "finished" else 200
    return vary(make_response(render_template("board/_sync.html", run=run, sync_url=url_for("board.sync")), status))


@pages.post("/board/sync")
@access(*MANAGE)
def sync() -> Response:
    """Ask a worker to sync the board with the gate."""
    run = running.ask(runtime.get(jobs.SYNC), {})
    if not wants_fragment():
        leave_toast(_("The sync was asked for"))
        return see_other(url_for("board.page"))
    return vary(make_response(render_template("board/_sync.html", run=run, sync_url=url_for("board.sync"))))
