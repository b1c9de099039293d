"""The command palette: places and actions as JSON, and the same as a page for those without script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _

from console.blueprints.tracker.urls import place_of
from console.domain.hangul import stands_in
from console.domain.text import N_
from console.services.home import saved_views as views
from console.services.home import search
from console.services.home.search import Hit
from console.services.programme.weeks import readable
from console.ui.addresses import url_if
from console.ui.formats import tr
from console.ui.frame import frame, nav_items
from console.ui.navigation import PLACES, NavItem
from console.ui.responses import answer
from console.web.request import access, current_actor, web_context

pages = Blueprint("palette", __name__)


@dataclass(frozen=True)
class Entry:
    """Something to go to or to do; `words` are further words that find it."""

    label: str
    url: str
    kind: str
    icon: str = "arrow-right"
    words: str = ""


# Pages that begin something, with the further words that find them.
ACTIONS: tuple[tuple[str, str, str, str], ...] = (
    ("board.new", N_("Add an item"), "plus", "new create item"),
    ("gate.page", N_("Run the gate"), "gauge", "run judge verdict"),
    ("users.new", N_("Add a user"), "user-plus", "new create user person"),
    ("assets.new", N_("Add an asset"), "engine", "new create asset equipment"),
    ("sites.new", N_("Add a site"), "building", "new create site"),
    ("account.password", N_("Change the password"), "key", "password"),
)
PLACES_OF_HITS = {
    "work_order": ("work_orders.order", "order_id", "tool"),
    "asset": ("assets.detail", "asset_id", "engine"),
    "user": ("users.detail", "user_id", "user"),
    "assignee": ("board.page", "assignee", "layout-kanban"),
    "site": ("board.page", "site", "building"),
}


def entries() -> list[Entry]:
    """Return every place, saved view and action that the reader may use."""
    actor, here = current_actor(), frame()
    found = [
        Entry(_(item.label), here.place_url(item), _("Place"), item.icon, " ".join(_found_by(item)))
        for item in nav_items()
        if item.visible(actor)
    ]
    found += [Entry(_(label), url, _("Place"), icon, label) for url, label, icon in here.my_links]
    weeks = [place_of(week.code) for week in readable(web_context())]
    found += [Entry(place.title, place.list_url(site=here.site), _("Week"), "checklist") for place in weeks]
    if actor.user_id is not None:
        found += [Entry(view.name, view.address, _("Saved view"), "bookmark") for view in views.listed(web_context())]
    for endpoint, label, icon, words in ACTIONS:
        if (url := url_if(endpoint)) is not None:
            found.append(Entry(_(label), url, _("Quick actions"), icon, f"{label} {words}"))
    return found


def _found_by(item: NavItem) -> list[str]:
    """Return what finds a place beside its label: the English one, and that of the entry whose tab it is."""
    labels = [item.label, *([PLACES[item.place].label] if item.place else [])]
    return [*labels, *map(_, labels[1:])]


def records(text: str) -> list[Entry]:
    """Return the records that match, each with its page."""
    kinds = {
        "item": _("Remediation item"),
        "work_order": _("Work order"),
        "asset": _("Asset"),
        "week_item": _("Item of a week"),
        "user": _("Person"),
        "assignee": _("Items of a person"),
        "site": _("Items of a site"),
    }
    found = []
    for hit in search.find(web_context(), text):
        url, icon = _place_of(hit)
        if url is not None:
            words = filter(None, (hit.note, tr(hit.title), hit.site))
            found.append(Entry(" · ".join(words), url, kinds[hit.kind], icon))
    return found


def _place_of(hit: Hit) -> tuple[str | None, str]:
    """Return the address of what was found, None where the reader may not go, and its picture."""
    if hit.kind in PLACES_OF_HITS:
        endpoint, argument, icon = PLACES_OF_HITS[hit.kind]
        return url_if(endpoint, **{argument: hit.id}), icon
    return place_of(hit.week).url("item", item_id=hit.id), "checklist" if hit.week else "layout-kanban"


@pages.get("/palette")
@access()
def palette() -> Response:
    """Return `{entries: [{label, url, kind, icon, words}]}`; with `q` the records that match it instead."""
    text = request.args.get("q", "").strip()[: search.MAX_QUERY]
    made: list[Any] = records(text) if text else entries()
    return answer({"entries": made})


@pages.get("/search")
@access()
def search_page() -> str:
    """Show places and records that match `q`."""
    text = request.args.get("q", "").strip()[: search.MAX_QUERY]
    matching = [entry for entry in entries() if text and stands_in(text, f"{entry.label} {entry.words}")]
    return render_template("home/search.html", text=text, places=matching, records=records(text))
