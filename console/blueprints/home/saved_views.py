"""Saved views: the menu of a list, saving, and the page that manages them."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.errors import Conflict, Invalid
from console.domain.identity.addresses import local_address
from console.domain.text import T
from console.services.home import saved_views as views
from console.ui.addresses import may_open
from console.ui.frame import leave_toast
from console.ui.lists import view_in_part
from console.ui.responses import show
from console.web.request import access, current_actor, web_context

pages = Blueprint("views", __name__)
pages.add_app_template_global(view_in_part, "view_in_part")


def _openable(found: list[views.View]) -> list[views.View]:
    actor = current_actor()
    return [view for view in found if may_open(actor, view.address)]


@pages.get("/views")
@access()
def page() -> Response:
    """Show every view that the person can open."""
    found = _openable(views.listed(web_context()))
    return show(found, fragment="kit/views_menu.views_table", page="home/views.html", columns=views.COLUMNS)


@pages.get("/views/menu")
@access()
def menu() -> Response:
    """Show the views of one list; `at` is the address that a new one would keep."""
    name = request.args.get("list", "")[:60]
    found = _openable(views.listed(web_context(), name))
    at = local_address(request.args.get("at"))
    return show(found, fragment="kit/views_menu.views_menu", page="home/views_menu.html", list_name=name, at=at)


@pages.post("/views")
@access()
def save() -> ResponseReturnValue:
    """Keep an address under a name and go back to it; a name that is taken is asked about."""
    form = request.form
    address = form.get("address", "")
    if not may_open(current_actor(), address):
        raise Invalid(T("Only pages of this console can be saved"))
    kept = {"list_name": form.get("list", ""), "name": form.get("name", ""), "address": address}
    shared = form.get("shared") == "1"
    ctx = web_context()
    try:
        made = views.save(ctx, **kept, shared=shared, replace=form.get("replace") == "1")
    except Conflict as conflict:
        if conflict.code != views.EXISTS:
            raise
        values = {"sent": {**kept, "shared": shared}, "text": conflict.detail}
        return render_template("home/view_exists.html", **values), conflict.status
    if form.get("start") == "1":
        views.make_start(ctx, made.id)
    leave_toast(_("View “%(name)s” saved", name=made.name))
    return redirect(made.address)


@pages.post("/views/<int:view_id>")
@access()
def change(view_id: int) -> ResponseReturnValue:
    """Rename, share or delete a view, or make it the start page."""
    ctx, form = web_context(), request.form
    action = form.get("action")
    if action == "delete":
        views.remove(ctx, view_id)
        leave_toast(_("View deleted"))
    elif action == "change":
        views.change(ctx, view_id, name=form.get("name", ""), shared=form.get("shared") == "1")
        leave_toast(_("View “%(name)s” saved", name=" ".join(form["name"].split())))
    elif action == "start":
        leave_toast(_("“%(name)s” opens after the sign-in now", name=views.make_start(ctx, view_id)))
    elif action == "unstart":
        views.make_start(ctx, None)
        leave_toast(_("The overview opens after the sign-in now"))
    else:
        raise Invalid(T("There is no such action"))
    return redirect(url_for("views.page"))
