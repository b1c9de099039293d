"""The command palette: places and actions as JSON, and the same as a page for those without script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_babel import gettext as _

from console.context import Context
from console.frame import frame
from console.responses import answer
from console.services import views
from console.web import access, current_actor, web_context

pages = Blueprint("palette", __name__)
MAX_QUERY = 100


@dataclass(frozen=True)
class Entry:
    """Something to go to or to do; `words` are further words that find it."""

    label: str
    url: str
    kind: str
    icon: str = "arrow-right"
    words: str = ""


@dataclass(frozen=True)
class Action:
    """An action that a pages module offers in the palette: a page (with a dialog's #id) that begins it.

    Modules in `console/blueprints` export `PALETTE = (Action(...), ...)`.
    """

    endpoint: str
    label: str
    icon: str
    permission: str | None = None
    anchor: str = ""
    words: str = ""


# Searches over records: `f(ctx, text) -> list[Entry]`, at most ten each, scoped to the actor.
_searches: list[Callable[[Context, str], list[Entry]]] = []


def search_in(function: Callable[[Context, str], list[Entry]]) -> Callable[[Context, str], list[Entry]]:
    """Add a search over the records of a subject."""
    _searches.append(function)
    return function


def entries() -> list[Entry]:
    """Give every place, saved view and action that the reader may use."""
    actor, here = current_actor(), frame()
    found = [
        Entry(_(item.label), here.place_url(item), _("Place"), item.icon, item.label)
        for _group, items in here.groups
        for item in items
    ]
    found += [Entry(_(label), url, _("Place"), icon, label) for url, label, icon in here.my_links]
    if actor.user_id is not None:
        found += [Entry(view.name, view.address, _("Saved view"), "bookmark") for view in views.listed(web_context())]
    for action in actions():
        if action.permission is None or actor.can(action.permission):
            found.append(
                Entry(_(action.label), url_for(action.endpoint) + action.anchor, _("Action"), action.icon, action.words)
            )
    return found


def actions() -> list[Action]:
    """Give the actions that the pages modules declare."""
    import sys

    modules = {sys.modules.get(view.__module__) for view in current_app.view_functions.values()}
    return sorted(
        (action for module in modules if module for action in getattr(module, "PALETTE", ())),
        key=lambda action: action.label,
    )


def found_records(text: str) -> list[Entry]:
    """Give the records that the registered searches find."""
    ctx = web_context()
    return [entry for search in _searches for entry in search(ctx, text)[:10]] if text else []


@pages.get("/palette")
@access()
def palette() -> Response:
    """Give `{entries: [{label, url, kind, icon, words}]}`; with `q` the records that match it instead."""
    text = request.args.get("q", "").strip()[:MAX_QUERY]
    made: list[Any] = found_records(text) if text else entries()
    return answer({"entries": made})


@pages.get("/search")
@access()
def search() -> str:
    """Show places and records that match `q`."""
    text = request.args.get("q", "").strip()[:MAX_QUERY]
    wanted = text.casefold()
    matching = [entry for entry in entries() if wanted and wanted in f"{entry.label} {entry.words}".casefold()]
    return render_template("palette/search.html", text=text, places=matching, records=found_records(text))
