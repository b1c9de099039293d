"""Pages of a week beside its items: figures alone, the sites side by side, the policy, and the weekly run of W07."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.tracker import week_policy
from console.blueprints.tracker.measures import rows_of, site_of_url, values_of
from console.blueprints.tracker.urls import week_url
from console.blueprints.tracker.view import neighbours, see_other
from console.domain.programme.catalogue import WEEKS, calendar
from console.domain.programme.measures import OF_WEEK
from console.domain.programme.week import permissions
from console.domain.programme.weekly import JOB
from console.services.jobs import registry
from console.services.programme import policies, week_page, weekly
from console.ui import runs
from console.ui.frame import frame, leave_toast
from console.ui.responses import vary
from console.web.request import access, web_context

pages = Blueprint("week", __name__)
pages.add_app_template_filter(week_policy.typed_number, "typed_number")


def _figures(code: str) -> Response:
    ctx, site = web_context(), frame().site
    values = {"week": calendar()[code], "site": site, "neighbours": neighbours(ctx, code), **values_of(ctx, code, site)}
    return vary(make_response(render_template("programme/figures.html", **values)))


def _sites(code: str) -> Response:
    found = week_page.at_sites(web_context(), code)
    values = {
        "week": calendar()[code],
        "found": found,
        "rows": {one.site: rows_of(one) for one in found},
        "urls": {one.site: week_url(code, one.site) for one in found},
        "week_url": week_url(code, frame().site),
    }
    return vary(make_response(render_template("programme/sites.html", **values)))


@pages.post("/programme/w07/weekly")
@access(weekly.WRITE)
def run_weekly() -> ResponseReturnValue:
    """Ask a worker for the weekly figures of the site, or of all."""
    site = weekly.checked_site(web_context(), site_of_url())
    runs.ask(registry.get(JOB), {"site": site})
    leave_toast(_("The weekly run was started"))
    return see_other(week_url("w07", site))


def _mount(code: str, name: str, path: str, view: Callable[[str], ResponseReturnValue], *, post: bool = False) -> None:
    read, write = permissions(code)

    @access(write if post else read)
    def run() -> ResponseReturnValue:
        return view(code)

    run.__name__ = f"{name}_{code}"
    pages.add_url_rule(f"/programme/{code}{path}", run.__name__, run, methods=["POST" if post else "GET"])


for _code in OF_WEEK:
    if _code not in WEEKS:
        _mount(_code, "figures", "", _figures)
    _mount(_code, "sites", "/sites", _sites)
for _code in policies.KINDS:
    _mount(_code, "policy", "/policy", week_policy.show)
    _mount(_code, "save_policy", "/policy", week_policy.save, post=True)
    _mount(_code, "inherit", "/policy/inherit", week_policy.inherit, post=True)
