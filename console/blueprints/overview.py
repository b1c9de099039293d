"""The overview: today in one screen."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from console.domain.text import N_
from console.navigation import NavItem
from console.web import access

pages = Blueprint("overview", __name__)
NAV = NavItem("work", 10, "overview.page", N_("Overview"), "layout-dashboard", phone=True)


@pages.get("/overview")
@access()
def page() -> ResponseReturnValue:
    """Show today."""
    return render_template("overview/page.html")
