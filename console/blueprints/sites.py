"""Sites: names, zones, state."""

from __future__ import annotations

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from console.inputs.iam import SiteEditIn, SiteIn, SiteList, SiteOut, SitePath
from console.responses import answer
from console.services import sites
from console.web import access, web_context

api = APIBlueprint("sites_api", __name__, abp_tags=[Tag(name="sites", description="Places that are run")])


@api.get("/api/admin/sites", responses={200: SiteList})
@access("admins:manage")
def list_sites() -> Response:
    """Give the sites in the caller's scope by name, inactive ones too."""
    return answer(sites.list_all(web_context()), SiteOut)


@api.post("/api/admin/sites", responses={201: SiteOut})
@access("admins:manage")
def create_site(body: SiteIn) -> Response:
    """Create a site; its name never changes."""
    made = sites.create(web_context(), name=body.name, zone=body.zone, is_active=body.is_active)
    return answer(made, SiteOut, status=201)


@api.patch("/api/admin/sites/<int:site_id>", responses={200: SiteOut})
@access("admins:manage")
def edit_site(path: SitePath, body: SiteEditIn) -> Response:
    """Change the zone or the state of a site."""
    changed = sites.update(web_context(), path.site_id, zone=body.zone, is_active=body.is_active, version=body.version)
    return answer(changed, SiteOut)
