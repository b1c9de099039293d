"""The programme: every week at every site, and the pages of each week, which are those of any tracker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext as _

from console.blueprints.tracker.bulk import PAGES as BULK_PAGES
from console.blueprints.tracker.evidence_pages import PAGES as EVIDENCE_PAGES
from console.blueprints.tracker.pages import PAGES, Demands, mount
from console.blueprints.tracker.programme_evidence import send_package
from console.blueprints.tracker.urls import place_of
from console.blueprints.tracker.view import see_other
from console.domain.errors import Invalid
from console.domain.programme.catalogue import FIGURES, WEEKS, reads
from console.domain.programme.week import Week
from console.domain.text import N_
from console.services.programme import package as programme_package
from console.services.programme import weeks as programme
from console.ui.frame import frame, leave_toast
from console.ui.navigation import NavItem
from console.ui.responses import vary
from console.ui.weeks import week_title
from console.web.request import access, current_actor, web_context

READ, WRITE = "adoption_{week}:read", "adoption_{week}:write"
pages = Blueprint("programme", __name__)
NAV = NavItem(
    "work", 40, "programme.page", N_("Programme"), "checklist", reads()[0], any_of=reads()[1:], count="late_weeks"
)

mount(
    pages,
    "/programme/<week:week>",
    Demands((READ,), (WRITE,), (WRITE,), (WRITE, READ)),
    tuple(page for page in (*PAGES, *BULK_PAGES, *EVIDENCE_PAGES) if page.name != "close"),
    first="week",
)


@pages.get("/programme")
@access(*reads())
def page() -> Response:
    """Show where every week stands at every site; with a site chosen only that one."""
    data = programme.state(web_context())
    shown = [site for site in data.sites if frame().site in (None, site)]
    cells = [cell for cell in data.cells.values() if cell.site in shown and cell.begun]
    values = {
        "data": data,
        "shown": shown,
        "urls": _urls(data.weeks, shown),
        "begun": len(cells),
        "closed": sum(cell.closed for cell in cells),
        "late": frame().counts.get("late_weeks", 0),
        "late_url": url_for("late.page", of="weeks", site=frame().site),
        "figures": _figures(frame().site),
    }
    return vary(make_response(render_template("programme/page.html", **values)))


def _figures(site: str | None) -> list[tuple[str, str]]:
    """Return name and page of the weeks that are figures alone and that the reader may see."""
    return [
        (week_title(week), url_for(f"week.figures_{code}", site=site))
        for code, week in FIGURES.items()
        if current_actor().can(READ.format(week=code))
    ]


def _urls(weeks: Iterable[Week], sites: Iterable[str]) -> Callable[[Week, str | None], str]:
    """Return the addresses of weeks at sites; there are hundreds on the page, so each part is made once."""
    pages_of = {week.code: place_of(week.code).url("page") for week in weeks}
    words = {site: "?" + urlencode({"site": site}) for site in sites}
    return lambda week, site: pages_of[week.code] + words.get(site or "", "")


@pages.get("/programme/<week:week>/package")
@access(READ, writes=False)
def package(week: str) -> Response:
    """Download everything that proves the week at the site of the address."""
    return send_package(week, programme_package.build(web_context(), WEEKS[week], _site_of_url()))


def _site_of_url() -> str:
    site = request.args.get("site", "")
    if not site.strip():
        raise Invalid(_("Please choose a site"))
    return programme.site_name(site)


@pages.post("/programme/<week:week>/begin")
@access(WRITE)
def begin(week: str) -> Response:
    """Begin the week at the site of the address, by the site's calendar."""
    made = programme.bootstrap(web_context(), WEEKS[week], _site_of_url())
    leave_toast(_("%(week)s has begun: %(count)s items", week=WEEKS[week].label, count=made.created_count))
    return see_other(place_of(week).list_url(site=made.site))
