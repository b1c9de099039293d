"""Everything that is open, and what of it is late: the rows behind the numbers of the overview and of the tab."""

from __future__ import annotations

from flask import Blueprint, Response, url_for
from flask_babel import gettext as _

from console.blueprints.tracker.urls import item_page
from console.core.listing import ListSpec
from console.services.home.work import READ, Work, late_list, open_list
from console.ui.lists import list_download, list_page
from console.web.request import access, web_context

pages = Blueprint("late", __name__)


def work_url(work: Work) -> str:
    """Return the page of something to do."""
    if work.is_order:
        return url_for("work_orders.order", order_id=work.id)
    return item_page(work.tracker, work.id)


def _list(spec: ListSpec, endpoint: str, csv_endpoint: str, heading: str, nothing: str) -> Response:
    return list_page(
        spec,
        fragment="late.work",
        page="home/late.html",
        heading=heading,
        nothing=nothing,
        url=url_for(endpoint),
        csv_url=url_for(csv_endpoint),
        work_url=work_url,
    )


@pages.get("/open-work")
@access(*READ)
def open_work() -> Response:
    """Show all open orders and items, what is due first."""
    return _list(open_list(web_context()), "late.open_work", "late.open_csv", _("Open work"), _("Nothing is open"))


@pages.get("/open-work/csv")
@access(*READ)
def open_csv() -> Response:
    """Return exactly the rows of the list as CSV."""
    return list_download(open_list(web_context()), "open-work.csv")


@pages.get("/late")
@access(*READ)
def page() -> Response:
    """Show the orders and items that are late, the longest first."""
    return _list(late_list(web_context()), "late.page", "late.csv", _("What is late"), _("Nothing is late"))


@pages.get("/late/csv")
@access(*READ)
def csv() -> Response:
    """Return exactly the rows of the list as CSV."""
    return list_download(late_list(web_context()), "late-items.csv")
