"""The published programme as pages for everybody: no sign-in, no cookie, no figure of a site, kept by every cache."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from console.inputs.packs import MistakesQuery
from console.services.programme import files, portal, publish
from console.services.programme.editions import Edition, edition
from console.services.programme.mistakes import may_know, observed
from console.ui.frame import frame
from console.ui.portal import week_values
from console.ui.published import for_its_reader, kept
from console.web.request import access, web_context
from console.web.security import settled

WORDS_MAX = 100

pages = Blueprint("portal", __name__)


def _page(found: Edition, key: tuple[Any, ...], template: str, values: Callable[[], dict[str, Any]]) -> Response:
    """Answer a page; it is drawn once for each language, theme and day."""
    today, look = web_context().now().date(), (frame().locale, frame().theme)
    made = files.page(found, (*look, today, template, *key), lambda: render_template(template, **values()))
    return kept(Response(made.body, content_type=made.mimetype), made.digest)


def _address(endpoint: str, **values: Any) -> str:
    """Return an address of the portal that keeps a language which the reader chose by address."""
    chosen = _chosen()
    if chosen is not None:
        values["lang"] = chosen
    return url_for(endpoint, **values)


def _chosen() -> str | None:
    """Return the language that the address names; words that are none make no page of their own."""
    return next((code for code in frame().languages if code == request.args.get("lang")), None)


def _other_languages(**asked: str) -> list[tuple[str, str, str]]:
    """Return `(code, name, address)` of this page in the other languages, under the same filters.

    A kept page is everybody's: nothing of an address gets into it that is not part of its key.
    """
    values = {**(request.view_args or {}), **{key: value for key, value in asked.items() if value}}
    return [
        (code, name, url_for(request.endpoint or "portal.calendar", **values, lang=code))
        for code, name in frame().languages.items()
        if code != frame().locale
    ]


def _around(**asked: str) -> dict[str, Any]:
    return {"language": frame().locale, "to": _address, "others": _other_languages(**asked)}


@pages.get("/web/adoption")
@access(public=True)
def calendar() -> Response:
    """Show the calendar of the weeks and everything around it; narrowed by `phase` and words."""
    found = edition(web_context())
    phase, words = request.args.get("phase", ""), request.args.get("q", "")[:WORDS_MAX]
    # A phase that no week has finds nothing, whatever it is called.
    phase = phase if phase in {"", *(one["phase"] for one in found.weeks)} else "?"
    brief = request.args.get("part") == "summary"

    def values() -> dict[str, Any]:
        today = web_context().now().date()
        shown = portal.calendar(found, today, frame().locale, phase=phase, words=words)
        plan = publish.plan(found, frame().locale, today)
        review = date.fromisoformat(plan["schedule_management"]["next_review_date"])
        asked = {"phase": phase, "words": words, "brief": brief}
        around = _around(phase=phase, q=words, part="summary" if brief else "")
        return {**around, **asked, "data": shown, "plan": plan, "found": found, "next_review": review}

    if words:
        body = render_template("programme/portal.html", **values())
        return Response(body)
    return _page(found, (phase, brief, _chosen()), "programme/portal.html", values)


@pages.get("/web/adoption/<pack:week>")
@access(public=True)
def week(week: str) -> Response:
    """Show a week: what it is for, its lists and events, its files."""
    found = edition(web_context())
    document = files.document_of(found, week)

    def values() -> dict[str, Any]:
        return {**week_values(found, document, web_context().now().date(), frame().locale), **_around()}

    return _page(found, (week, _chosen()), "programme/portal_week.html", values)


@pages.get("/web/adoption/<pack:week>/common-mistakes")
@access(public=True)
def mistakes(week: str) -> Response:
    """Show the common mistakes of a week; a figure only to those who may know it (API contract, known defects, D19)."""
    query = MistakesQuery.model_validate(request.args.to_dict())
    ctx = web_context()
    found = edition(ctx)
    document = files.mistakes_of(found, week)

    def values() -> dict[str, Any]:
        rows = publish.mistakes(found, document, frame().locale, site=None, days=query.days)["items"]
        return {**_around(), "data": document, "rows": rows, "seen": None}

    if settled() and may_know(ctx, week, query.site):
        seen = observed(ctx, week, frame().locale, site=query.site, days=query.days)
        drawn = {**values(), "rows": seen["items"], "seen": seen}
        # Of one reader: it is neither kept here nor on the way.
        return for_its_reader(Response(render_template("programme/portal_mistakes.html", **drawn)))
    return for_its_reader(_page(found, (week, _chosen()), "programme/portal_mistakes.html", values))


@pages.get("/web/adoption/post-mvp")
@access(public=True)
def post_mvp() -> Response:
    """Show what follows after the programme."""
    found = edition(web_context())

    def values() -> dict[str, Any]:
        return {**_around(), "data": publish.post_mvp(found, frame().locale), "day": date.fromisoformat}

    return _page(found, (_chosen(),), "programme/portal_post_mvp.html", values)
