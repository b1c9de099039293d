"""The pages of a tracker: items by status or as a table, one item in a drawer, many at once, closing it.

Written once; `mount` gives them to the remediation board and to the weeks of the programme.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.tracker.urls import TrackerUrls, place_of
from console.blueprints.tracker.view import (
    CARRIED,
    addresses,
    change_message,
    chosen_site,
    form_zone,
    items_of,
    nothing,
    query_of_url,
    refuse,
    see_other,
    show_card,
    show_changed,
    show_conflict,
    show_drawer,
    show_history,
    show_list,
    show_page,
    show_refused,
)
from console.core.context import Context
from console.core.listing import ListQuery
from console.domain.errors import Conflict, Invalid
from console.domain.ids import row_id
from console.domain.text import N_
from console.domain.tracker.tracker import TrackerKind
from console.forms.tracker import edit_form
from console.inputs.tracker import IDS_MOST
from console.services.identity import names as people
from console.services.tracker import assignees
from console.services.tracker import board as tracker_board
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker import lists as tracker_lists
from console.services.tracker import manual as tracker_manual
from console.services.tracker import undo as tracker_undo
from console.services.tracker.columns import spec
from console.services.tracker.completion import NotReady
from console.services.tracker.items import Changed
from console.services.tracker.rows import CSV_COLUMNS, ItemView
from console.ui.errors import render_error
from console.ui.formats import number
from console.ui.frame import frame, leave_toast
from console.ui.labels.tracker import closings
from console.ui.lists import download_rows, opened
from console.ui.responses import file_stamp, fragment_of, menu_of, toast, trigger, vary
from console.web.negotiation import wants_fragment
from console.web.request import access, web_context

View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True)
class Demands:
    """Which permissions open the pages of a tracker; `own` also lets assignees work on their items."""

    read: tuple[str, ...]
    write: tuple[str, ...]
    manage: tuple[str, ...]
    own: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """One page of a tracker: its address below the tracker's, its name, and what it demands.

    `writes=False` leaves it to the service when its transaction may write.
    """

    path: str
    name: str
    view: View
    demand: str
    method: str = "GET"
    writes: bool | None = None


def mount(pages: Blueprint, prefix: str, demands: Demands, routes: tuple[Page, ...], *, first: str = "page") -> None:
    """Give a blueprint the pages of a tracker below `prefix`; `first` is the name of the one at the prefix itself."""
    for route in routes:
        guarded = access(*getattr(demands, route.demand), writes=route.writes)(_placed(route.view))
        name = first if route.name == "page" else route.name
        pages.add_url_rule(prefix + route.path, name, guarded, methods=[route.method])


def _placed(view: View) -> View:
    @wraps(view)
    def run(week: str | None = None, **values: Any) -> ResponseReturnValue:
        return view(place_of(week), **values)

    return run


def page(place: TrackerUrls) -> Response:
    """Show the items by status or as a table; htmx gets the list alone."""
    ctx = web_context()

    def answered(query: ListQuery) -> Response:
        if request.args.get("menu"):
            return menu_of(items_of(ctx, place, query).data, place.url("page")) or show_page(ctx, place, query)
        return show_list(place, items_of(ctx, place, query)) if wants_fragment() else show_page(ctx, place, query)

    return opened(spec(place.programme, ctx.now()), answered, extra=CARRIED)


def loads(place: TrackerUrls) -> Response:
    """Show who has how many open items; the page asks for it once it stands."""
    found = tracker_board.loads(web_context(), place.programme, frame().site)
    values = {"loads": found[:6] if wants_fragment() else found, "place": place}
    template = "tracker/_loads.html" if wants_fragment() else "tracker/loads.html"
    return vary(make_response(render_template(template, **values)))


def csv(place: TrackerUrls) -> Response:
    """Download exactly the items that the list shows, all pages of it; with `ids` those that were chosen in it."""
    return export(place, query_of_url(place), chosen_ids(request.args.getlist("ids")) or None)


def chosen_ids(sent: Sequence[str]) -> list[int]:
    """Read the ids of the rows that somebody chose; raises Invalid for anything else."""
    if len(sent) > IDS_MOST or not all(text.isascii() and text.isdigit() and len(text) <= 10 for text in sent):
        raise Invalid(_("Please check what was chosen"))
    return [row_id(int(text)) for text in sent]


def export(place: TrackerUrls, wanted: ListQuery, ids: Sequence[int] | None = None) -> Response:
    """Stream the items of a query as CSV; raises what the list would raise before the first byte."""
    ctx = web_context()
    tracker_lists.check(ctx, place.programme, wanted)

    def rows(reading: Context) -> Iterator[ItemView]:
        return tracker_lists.stream(reading, place.programme, wanted, ids)

    name = f"{place.file_stem}-tracker-items-{file_stamp(ctx.now())}.csv"
    return download_rows(spec(place.programme, ctx.now()), wanted, rows, CSV_COLUMNS, name)


# One item ------------------------------------------------------------------------------------------------------------
def item(place: TrackerUrls, item_id: int) -> Response:
    """Show one item in a drawer; as a page of its own the list stands beside it."""
    ctx = web_context()
    return show_drawer(ctx, place, tracker_items.get(ctx, item_id, place.programme))


def inline(place: TrackerUrls, item_id: int) -> ResponseReturnValue:
    """Return one field of an item to be edited in its place; without script the item's own page does it."""
    field = request.args.get("field", "")
    if field not in ("assignee", "status", "due_at") or not wants_fragment():
        return redirect(place.url("item", item_id=item_id), 303)
    ctx = web_context()
    shown = tracker_items.get(ctx, item_id, place.programme)
    people = assignees.candidates(ctx, shown.site, place.programme) if field == "assignee" else ()
    zone = form_zone(shown)
    values = {
        "form": edit_form(shown, people, zone),
        "field": field,
        "action": place.url("change", item_id=item_id),
        "zone": zone.key,
    }
    return vary(make_response(fragment_of("tracker/item_editor.inline", shown, **values)))


def change(place: TrackerUrls, item_id: int) -> Response:
    """Change an item: from the drawer, in the row, by dragging its card."""
    ctx = web_context()
    before = tracker_items.get(ctx, item_id, place.programme)
    zone = form_zone(before)
    form = edit_form(before, (), zone, request.form)
    from_drawer = request.form.get("from") == "drawer"
    if not form.validate():
        return show_refused(ctx, place, before, form, from_drawer=from_drawer)
    wanted = form.change(request.form)
    if wanted.assignee != before.assignee:
        assignees.require_able(ctx, wanted.assignee, before.site, place.programme)
    try:
        changed = tracker_items.change(ctx, item_id, wanted, place.programme, version=form.seen_version)
    except Conflict as conflict:
        return show_conflict(ctx, place, before, wanted, conflict, from_drawer=from_drawer)
    return show_changed(ctx, place, changed, change_message(before, changed), from_drawer=from_drawer)


def claim(place: TrackerUrls, item_id: int) -> Response:
    """Take an unassigned item."""
    return _done(place, item_id, tracker_items.claim, N_("You have taken %(name)s"))


def close(place: TrackerUrls, item_id: int) -> Response:
    """Take a finished item that was added by hand off the board."""
    return _done(place, item_id, tracker_manual.close, N_("%(name)s is off the board"))


def _done(
    place: TrackerUrls, item_id: int, act: Callable[[Context, int, TrackerKind], Changed], message: str
) -> Response:
    ctx = web_context()
    try:
        changed = act(ctx, item_id, place.programme)
    except Conflict as conflict:
        return refuse(conflict)
    return show_changed(ctx, place, changed, _(message, name=changed.item.item_id), from_drawer=True)


def comment(place: TrackerUrls, item_id: int) -> Response:
    """Add a comment to an item."""
    ctx = web_context()
    text = request.form.get("text", "")
    if not text.strip() or len(text) > 4000:
        raise Invalid(_("A comment has 1 to 4000 characters"))
    tracker_items.comment(ctx, item_id, text, place.programme)
    if wants_fragment():
        shown = tracker_items.get(ctx, item_id, place.programme)
        return trigger(show_history(ctx, place, shown), **{"tracker-changed": {}})
    return see_other(place.url("item", item_id=item_id) + addresses(place, query_of_url(place))["suffix"])


def undo(place: TrackerUrls) -> Response:
    """Take a change back, for the items that nobody touched since."""
    undone = tracker_undo.undo(web_context(), request.form.get("token", ""), place.programme)
    message = _("Taken back: %(count)s", count=number(len(undone.restored), 0))
    if undone.skipped:
        message += " · " + _("changed by others since: %(count)s", count=number(len(undone.skipped), 0))
    if not wants_fragment():
        leave_toast(message)
        return see_other(place.url("page"))
    return trigger(toast(nothing(), message), **{"tracker-changed": {}})


# Closing the tracker -------------------------------------------------------------------------------------------------
def readiness(place: TrackerUrls) -> ResponseReturnValue:
    """Return the readiness card again."""
    site = _site(place)
    if not wants_fragment():
        return redirect(place.list_url(site=site), 303)
    return show_card(place, tracker_completion.completion(web_context(), place.programme, site))


def _site(place: TrackerUrls) -> str | None:
    """Return the site of the address where the tracker is closed per site; raises Invalid when it is missing."""
    site = chosen_site(place)
    if site is None and place.programme.site_runs:
        raise Invalid(_("Please choose a site"))
    return site


def complete(place: TrackerUrls) -> Response:
    """Close the tracker; in spite of blockers only with a reason."""
    ctx, site = web_context(), _site(place)
    note, force = request.form.get("completion_note", "").strip(), request.form.get("force") == "1"
    if len(note) > 4000 or (force and not note):
        raise Invalid(_("Please give a reason of at most 4000 characters"))
    try:
        closing = tracker_completion.complete(ctx, note=note, force=force, programme=place.programme, site=site)
    except NotReady as refused:
        if not wants_fragment():
            return render_error(refused.status, refused.detail, refused.code)
        ctx.rollback()
        closing = tracker_completion.completion(ctx, place.programme, site)
        return toast(show_card(place, closing, 409), _("Something is still open"), kind="error")
    message = _("The tracker is closed")
    if not wants_fragment():
        leave_toast(message)
        return see_other(place.list_url(site=site))
    return toast(show_card(place, closing), message)


def history(place: TrackerUrls) -> Response:
    """Show every closing and reopening of the tracker; one that is closed per site asks for the site."""
    site, ctx = chosen_site(place), web_context()
    if site is None and place.programme.site_runs:
        choices = [(one.name, place.url("history", site=one.name)) for one in frame().sites]
        return vary(make_response(render_template("tracker/history.html", place=place, site=None, choices=choices)))
    entries, _total = tracker_completion.history(ctx, place.programme, site)
    names = people.names_of(ctx, [entry.actor for entry in entries])
    values = {"entries": closings(entries, names), "place": place, "site": site, "choices": None}
    return vary(make_response(render_template("tracker/history.html", **values)))


PAGES = (
    Page("", "page", page, "read"),
    Page("/loads", "loads", loads, "read"),
    Page("/items.csv", "csv", csv, "read"),
    Page("/items/<int:item_id>", "item", item, "read"),
    Page("/items/<int:item_id>/inline", "inline", inline, "write"),
    Page("/items/<int:item_id>", "change", change, "own", "POST"),
    Page("/items/<int:item_id>/claim", "claim", claim, "write", "POST"),
    Page("/items/<int:item_id>/close", "close", close, "write", "POST"),
    Page("/items/<int:item_id>/comments", "comment", comment, "own", "POST"),
    Page("/undo", "undo", undo, "own", "POST"),
    Page("/readiness", "readiness", readiness, "read"),
    Page("/complete", "complete", complete, "manage", "POST"),
    Page("/history", "history", history, "read"),
)
