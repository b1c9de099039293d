"""Sites: names, zones, state; over the API and on the pages below /admin/sites."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.domain.errors import Conflict, Invalid
from console.domain.text import N_
from console.forms.identity import SiteForm, without
from console.forms.shared import blame, handed
from console.inputs.identity import SiteEditIn, SiteIn, SitePath
from console.inputs.response_models import array, shape
from console.services.identity import lists as identity_lists
from console.services.identity import sites
from console.services.identity.sites import SiteView
from console.ui.frame import leave_toast
from console.ui.lists import list_download, list_page
from console.ui.navigation import NavItem
from console.ui.responses import answer
from console.ui.times import near_zones
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, current_actor, web_context

api = ApiBlueprint("sites_api", __name__, abp_tags=[Tag(name="sites", description="Places that are run")])
pages = Blueprint("sites", __name__)
SiteOut = shape(SiteView)
SiteList = array(SiteOut, "SiteList")
NAV = NavItem("administration", 30, "sites.page", N_("Sites"), "building-community", permission="admins:manage")


@api.get("/api/admin/sites", responses={200: SiteList})
@access("admins:manage")
def list_sites() -> Response:
    """Return the sites in the caller's scope by name, inactive ones too."""
    return answer(identity_lists.all_sites(web_context()), SiteOut)


@api.post("/api/admin/sites", responses={201: SiteOut})
@access("admins:manage")
def create_site(body: SiteIn) -> Response:
    """Create a site; its name never changes."""
    made = sites.create(web_context(), name=body.name, zone=body.zone, is_active=body.is_active)
    return answer(made, SiteOut, status=201)


@api.patch("/api/admin/sites/<site_id>", responses={200: SiteOut})
@access("admins:manage")
def edit_site(path: SitePath, body: SiteEditIn) -> Response:
    """Change the zone or the state of a site."""
    changed = sites.update(web_context(), path.site_id, zone=body.zone, is_active=body.is_active, version=body.version)
    return answer(changed, SiteOut)


@pages.get("/admin/sites")
@access("admins:manage")
def page() -> Response:
    """Show the list of sites."""
    ctx = web_context()
    spec = identity_lists.site_list(ctx)
    around = {"may_add": current_actor().all_sites}
    return list_page(
        spec, carried=("site",), fragment="identity/admin.site_list", page="identity/sites.html", around=around
    )


@pages.get("/admin/sites/csv")
@access("admins:manage", rate="auth-heavy")
def csv() -> Response:
    """Return exactly the sites of the list as CSV."""
    return list_download(identity_lists.site_list(web_context()), "sites.csv")


@pages.get("/admin/sites/new")
@access("admins:manage")
def new() -> Response:
    """Ask for a new site."""
    return _new(SiteForm())


@pages.post("/admin/sites/new")
@access("admins:manage")
def create() -> ResponseReturnValue:
    """Create a site."""
    form = SiteForm(request.form)
    body = handed(form, SiteIn, form.data) if form.validate() else None
    if body is None:
        return _new(form, 422)
    try:
        made = sites.create(web_context(), name=body.name, zone=body.zone)
    except (Conflict, Invalid) as error:
        blame(form, error, "name")
        return _new(form, error.status)
    leave_toast(_("“%(name)s” was added", name=made.name))
    return redirect(url_for("sites.page"), 303)


@pages.get("/admin/sites/<int:site_id>")
@access("admins:manage")
def detail(site_id: int) -> Response:
    """Show one site."""
    site = sites.get(web_context(), site_id)
    return _detail(site, without(SiteForm(zone=site.zone), "name"))


@pages.post("/admin/sites/<int:site_id>")
@access("admins:manage")
def save(site_id: int) -> ResponseReturnValue:
    """Keep changes of a site."""
    form = without(SiteForm(request.form), "name")
    version = request.form.get("version", type=int)
    body = handed(form, SiteEditIn, form.data | {"version": version}) if form.validate() else None
    if body is None:
        return _detail(sites.get(web_context(), site_id), form, 422)
    try:
        changed = sites.update(web_context(), site_id, zone=body.zone, version=body.version)
    except (Conflict, Invalid) as error:
        blame(form, error, "zone")
        return _detail(sites.get(web_context(), site_id), form, error.status)
    leave_toast(_("“%(name)s” was saved", name=changed.name))
    return redirect(url_for("sites.page"), 303)


@pages.post("/admin/sites/<int:site_id>/active")
@access("admins:manage")
def switch(site_id: int) -> ResponseReturnValue:
    """Take a site out of use, or into use again."""
    wanted = request.form.get("active") == "1"
    changed = sites.update(web_context(), site_id, is_active=wanted)
    text = _("“%(name)s” is in use again") if wanted else _("“%(name)s” is out of use")
    leave_toast(text % {"name": changed.name})
    return redirect(url_for("sites.detail", site_id=site_id), 303)


def _new(form: SiteForm, status: int = 200) -> Response:
    return make_response(render_template("identity/site_new.html", form=form, zones=near_zones()), status)


def _detail(site: SiteView, form: SiteForm, status: int = 200) -> Response:
    return make_response(render_template("identity/site.html", site=site, form=form, zones=near_zones()), status)
