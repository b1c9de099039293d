"""Who reads a page: the instant, the language, the sites and the zone of the current request."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import g, request
from flask_babel import get_locale

from console.core.i18n import DEFAULT_LOCALE, LOCALES
from console.web.request import app_clock, app_config, current_actor, web_context

LANGUAGE_COOKIE = "lang"


def select_locale() -> str:
    """Return the language: the person's own choice, the cookie, what the browser asks for, else Korean.

    On pages for everybody the address may name it.
    """
    chosen = in_gallery("lang") or in_portal("lang") or request.cookies.get(LANGUAGE_COOKIE) or current_actor().locale
    if chosen in LOCALES:
        return str(chosen)
    return request.accept_languages.best_match(LOCALES, DEFAULT_LOCALE) or DEFAULT_LOCALE


def in_gallery(name: str) -> str | None:
    """Return what the address of the gallery asks for, so that its variants can be compared side by side."""
    return request.args.get(name) if request.endpoint == "components.page" else None


def in_portal(name: str) -> str | None:
    """Return what the address of a page for everybody asks for: no cookie is needed to read it in another language."""
    return request.args.get(name) if request.blueprint == "portal" else None


def locale() -> str:
    """Return the language of the current request as "ko" or "en"."""
    # Asked for some hundred times a page: one look at the context.
    known: str | None = g.get("locale_name")
    if known is None:
        found = get_locale()
        known = g.locale_name = found.language if found is not None else DEFAULT_LOCALE
    return known


def now() -> datetime:
    """Return the instant at which this page was computed, aware UTC."""
    instant: datetime | None = g.get("reader_now")
    if instant is None:
        instant = g.reader_now = app_clock().now()
    return instant


def sites() -> tuple[Any, ...]:
    """Return the sites that the reader may choose, by name; empty when nobody is signed in."""
    from console.services.identity import sites as found

    if "reader_sites" not in g:
        signed_in = current_actor().kind != "anonymous"
        g.reader_sites = tuple(found.visible(web_context())) if signed_in else ()
    known: tuple[Any, ...] = g.reader_sites
    return known


def site() -> str | None:
    """Return the site named in the address if the reader may see it."""
    name = request.args.get("site", "").strip()
    actor = current_actor()
    return name if name and actor.kind != "anonymous" and actor.sees(name) else None


def zone_name() -> str:
    """Return the name of the zone that times are shown in: that of the chosen site, else of the business."""
    chosen = site()
    known = {item.name: item.zone for item in sites()} if chosen else {}
    return known.get(chosen or "") or str(app_config()["BUSINESS_TIME_ZONE"])


def zone() -> ZoneInfo:
    """Return the zone in which the reader reads times."""
    found: ZoneInfo | None = g.get("zone")
    if found is None:
        found = g.zone = zone_named(zone_name())
    return found


def zone_of_site(name: str | None) -> str:
    """Return the name of the zone of a site; of the business for no site, or one that the reader cannot see."""
    return dict(zones()).get(name or "") or str(app_config()["BUSINESS_TIME_ZONE"])


def zones() -> tuple[tuple[str, str], ...]:
    """Return the sites that the reader may choose, each with the name of its zone."""
    if "reader_zones" not in g:
        g.reader_zones = tuple((item.name, item.zone) for item in sites())
    known: tuple[tuple[str, str], ...] = g.reader_zones
    return known


def zone_at(site: str | None) -> ZoneInfo:
    """Return the zone of a site."""
    return zone_named(zone_of_site(site))


def zone_named(name: str) -> ZoneInfo:
    """Return a zone by its name; that of the business when there is no such zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a directory of zones, or a name too long for a file
        return ZoneInfo(app_config()["BUSINESS_TIME_ZONE"])
