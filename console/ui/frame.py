"""What stands around every page: language, zone, theme, places, sites, and the filters of the templates."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import cache, cached_property
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, g, request, session, url_for
from flask_babel import gettext

from console.core.context import Actor
from console.core.i18n import catalogue
from console.domain import durations
from console.domain.identity.addresses import escaped_path
from console.domain.runbook.runbook import Finding
from console.domain.text import N_
from console.ui import navigation, reader
from console.web.bounds import MAX_ADDRESS_BYTES
from console.web.request import current_actor, web_context
from console.web.watch import MAY_ACT, seen_troubles

THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")
LANGUAGE_NAMES = {"ko": "한국어", "en": "English"}
MY_LINKS = (
    ("account.page", N_("My account"), "user"),
    ("views.page", N_("Saved views"), "bookmark"),
    ("components.page", N_("Component gallery"), "layout-dashboard"),
)
SIGN_OUT = "account.sign_out"
# Sentences that scripts say, in the reader's language.
SCRIPT_TEXTS = {
    "undo": N_("Undo"),
    "close": N_("Close"),
    "failed": N_("That did not work. Please try again."),
    "offline": N_("No connection. Please try again."),
    "held": N_("No connection: nothing was sent. Please press again once there is a signal."),
    "unknown": N_("The connection broke off. Whether it was saved is not known; please look before you repeat it."),
    "unknown_safe": N_(
        "The connection broke off. Whether it was saved is not known; sending the same again does nothing twice."
    ),
    "forbidden": N_("You have no permission for this."),
    "session_ended": N_("Your session has ended. Please sign in again; what you wrote is still here."),
    "sign_in": N_("Sign in"),
    "signed_in": N_("You are signed in again"),
    "stale_ended": N_("Your session has ended. This page shows the state of %(time)s and is not renewed."),
    "stale_away": N_("The server cannot be reached. This page shows the state of %(time)s."),
    "stale_denied": N_("You may no longer see this. The page shows the state of %(time)s and is not renewed."),
    "draft_back": N_("What you wrote here and did not save was brought back."),
    "draft_drop": N_("Throw it away"),
    "draft_kept": N_("What you wrote is kept and waits for you when you open it again."),
    "timeout": N_("The server takes too long. Please try again."),
    "unsaved": N_("Unsaved changes will be lost."),
    "selected": N_("%(count)s selected"),
    "all_selected": N_("All %(count)s matching rows selected"),
    "no_match": N_("Nothing matches"),
    "hits": N_("%(count)s found"),
    "find_people": N_("Find by name or initials"),
    "found_people": N_("People found: %(count)s"),
    "keys_off": N_("Keyboard shortcuts are off"),
    "keys_on": N_("Keyboard shortcuts are on"),
    "keys_switch_off": N_("Switch shortcuts off"),
    "keys_switch_on": N_("Switch shortcuts on"),
    "keys_title": N_("Keyboard shortcuts"),
    "keys_help": N_("Show these keys"),
    "keys_search": N_("Search"),
    "keys_palette": N_("Go to a place or action"),
    "keys_next": N_("Next row"),
    "keys_previous": N_("Previous row"),
    "keys_select": N_("Select the row"),
    "keys_open": N_("Open the row"),
    "keys_edit": N_("Edit the row"),
    "keys_assign": N_("Assign the row, or all rows selected"),
    "keys_move": N_("Move the row, then an arrow; with rows selected, change their status"),
    "keys_bulk": N_("Go to the bar of the rows selected"),
    "keys_create": N_("Create"),
    "keys_undo": N_("Undo the last change"),
    "copied": N_("Copied"),
    "undone": N_("Undone"),
    "cancel": N_("Cancel"),
    "continue": N_("Continue"),
}


def frame() -> Frame:
    """Return the frame of the current request."""
    if "frame" not in g:
        g.frame = Frame()
    return g.frame


class Frame:
    """Everything the base template asks for; each part is read when it is first used, so fragments cost nothing."""

    @cached_property
    def actor(self) -> Actor:
        """Return the person who looks."""
        return current_actor()

    @property
    def signed_in(self) -> bool:
        """Return whether somebody is signed in."""
        return self.actor.kind != "anonymous"

    @cached_property
    def demo(self) -> bool:
        """Return whether the people and sites of this database are invented."""
        from console.services.identity import users

        return users.has_demo_company(web_context())

    @cached_property
    def troubles(self) -> tuple[Finding, ...]:
        """Return what is wrong with workers, schedulers or queue, for people who may do something about it."""
        return seen_troubles() if any(map(self.actor.can, MAY_ACT)) else ()

    @property
    def now(self) -> datetime:
        """Return the instant at which this page was computed, aware UTC."""
        return reader.now()

    @property
    def sites(self) -> tuple[Any, ...]:
        """Return the sites that the actor may choose, by name; empty when nobody is signed in."""
        return reader.sites()

    @cached_property
    def site(self) -> str | None:
        """Return the site named in the URL if the actor may see it."""
        return reader.site()

    @property
    def zone_name(self) -> str:
        """Return the name of the zone that times are shown in."""
        return reader.zone_name()

    @cached_property
    def groups(self) -> list[tuple[str, list[navigation.NavItem]]]:
        """Return the places that the actor may use, by group."""
        return navigation.grouped(nav_items(), self.actor)

    @cached_property
    def phone_items(self) -> list[navigation.NavItem]:
        """Return up to three places for the bottom bar."""
        return [item for _group, items in self.groups for item in items if item.phone][:3]

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Return the figures beside the places; the names are those of `NavItem.count`."""
        from console.services.home import activity

        if not self.signed_in:
            return {}
        found = activity.figures(web_context(), self.site)
        return {**asdict(found), "late": found.late}

    @cached_property
    def nav_key(self) -> Hashable:
        """Return everything that the drawing of the places depends on."""
        seen = tuple(item.endpoint for _group, items in self.groups for item in items)
        return (request.endpoint, request.path, self.site, seen, tuple(self.counts.items()))

    @property
    def late_count(self) -> int:
        """Return the number of late items, which the title of the browser tab carries."""
        return self.counts.get("late", 0)

    @property
    def theme(self) -> str:
        """Return the chosen theme, "auto" following the system."""
        chosen = reader.in_gallery("theme") or request.cookies.get(THEME_COOKIE, "auto")
        return chosen if chosen in THEMES else "auto"

    @property
    def locale(self) -> str:
        """Return the language of the page."""
        return reader.locale()

    @property
    def languages(self) -> Mapping[str, str]:
        """Return the languages by their own names."""
        return LANGUAGE_NAMES

    @property
    def my_links(self) -> list[tuple[str, str, str]]:
        """Return `(address, label, icon)` of the entries in the person's menu."""
        known = current_app.view_functions
        return [(url_for(endpoint), label, icon) for endpoint, label, icon in MY_LINKS if endpoint in known]

    @property
    def sign_out_url(self) -> str | None:
        """Return the address that ends the session; None for callers without one."""
        if self.actor.session_id is None or SIGN_OUT not in current_app.view_functions:
            return None
        return url_for(SIGN_OUT)

    @property
    def flashes(self) -> list[dict[str, Any]]:
        """Return the messages left by the previous request, once."""
        # Only a session that has some is touched: a change sends the cookie again.
        return list(session.pop("toasts")) if "toasts" in session else []

    def place_url(self, item: navigation.NavItem) -> str:
        """Return the address of a place; the chosen site goes along."""
        values: dict[str, Any] = {"site": self.site} if self.site else {}
        return url_for(item.endpoint, **values)

    @cached_property
    def here(self) -> navigation.NavItem | None:
        """Return the place of the current page: itself, another page of its module, or one above it."""
        here, places = request.endpoint or "", nav_items()
        if exact := next((place for place in places if place.endpoint == here), None):
            return exact
        family = [place for place in places if place.endpoint.partition(".")[0] == here.partition(".")[0]]
        above = [place for place in places if _common(url_for(place.endpoint), request.path)]
        return max(family or above, key=lambda place: _common(url_for(place.endpoint), request.path), default=None)

    def is_here(self, item: navigation.NavItem) -> bool:
        """Return whether the current page belongs to an entry of the rail."""
        found = self.here
        if found is None:
            return False
        return found.place == item.place if item.place else found.endpoint == item.endpoint

    @property
    def tabs(self) -> list[tuple[str, str, bool]]:
        """Return `(label, address, is current)` of the tabs of the current place that the reader may open."""
        found = self.here
        items = [item for item in nav_items() if found and found.place and item.place == found.place]
        return [
            (gettext(item.label), self.place_url(item), item == found) for item in items if item.visible(self.actor)
        ]

    def script_config(self, *, nobody: bool = False) -> str:
        """Return what the scripts need to know, as JSON: language, sentences and the words of countdowns.

        `nobody` leaves out who is signed in, for what a browser keeps.
        """
        instant = int(self.now.timestamp() * 1000)
        who = json.dumps(self.actor.username if self.signed_in and not nobody else "", ensure_ascii=False)
        return f'{_script_words(self.locale)[:-1]}, "now": {instant}, "me": {who}}}'


def nav_items(app: Flask | None = None) -> tuple[navigation.NavItem, ...]:
    """Return every place of the console, as `create_app` collected them; of the running application unless named."""
    items: tuple[navigation.NavItem, ...] = (app or current_app).extensions["console_nav"]
    return items


@cache
def _script_words(locale_name: str) -> str:
    say = catalogue(locale_name).gettext
    tables = {"left": durations.LEFT, "late": durations.LATE, "ago": durations.AGO}
    texts = {key: say(text) for key, text in SCRIPT_TEXTS.items()}
    words = {name: {key: say(text) for key, text in table.items()} for name, table in tables.items()}
    return json.dumps({"locale": locale_name, "texts": texts, "words": words}, ensure_ascii=False)


def _common(place: str, path: str) -> int:
    return len(place) if path == place or path.startswith(place.rstrip("/") + "/") else 0


def leave_toast(message: str, kind: str = "success", undo: str | None = None, token: str | None = None) -> None:
    """Leave a message that the next page shows; for plain submits that end in a redirect."""
    waiting = session.get("toasts", [])
    session["toasts"] = [*waiting, {"message": message, "kind": kind, "undo": undo, "token": token}][-5:]


def here(**changes: str | None) -> str:
    """Return the current address with some parameters changed; None takes one away. Pages start again at the first.

    One that is refused for its length loses all of them: every menu would repeat it.
    """
    path = escaped_path(request.path)
    if len(request.query_string) > MAX_ADDRESS_BYTES:
        return path
    pairs = [(key, value) for key, value in request.args.items(multi=True) if key not in changes and key != "page"]
    pairs += [(key, value) for key, value in changes.items() if value is not None]
    return path + ("?" + urlencode(pairs) if pairs else "")
