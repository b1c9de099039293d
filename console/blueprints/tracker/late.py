"""Everything that is late: the rows behind the one number of the overview and of the browser tab."""

from __future__ import annotations

from flask import Blueprint, Response

from console.blueprints.tracker.urls import item_url
from console.services.tracker.late import READ, late_list
from console.ui.lists import list_download, list_page
from console.web.request import access, web_context

pages = Blueprint("late", __name__)


@pages.get("/late")
@access(*READ)
def page() -> Response:
    """Show what is late on the board and in the weeks, the longest first."""
    spec = late_list(web_context().now())
    return list_page(spec, fragment="tracker/late.late_items", page="tracker/late.html", item_url=item_url)


@pages.get("/late/csv")
@access(*READ)
def csv() -> Response:
    """Return exactly the rows of the list as CSV."""
    return list_download(late_list(web_context().now()), "late-items.csv")
