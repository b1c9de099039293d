"""The pages of assets: the list, one asset with its history and readings, and the form."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import ValidationError

from console.core.context import Context
from console.domain.assets.requests import NO_PARENT, AssetChange
from console.domain.errors import Conflict, DomainError, Invalid
from console.domain.ids import number_in
from console.domain.text import N_, T
from console.inputs.assets import AssetIn, AssetPatchIn
from console.services.assets import change, history, lists, readings, rows
from console.services.assets.lists import ASSETS
from console.services.assets.readings import Reading
from console.services.assets.rows import READ, WRITE, AssetView
from console.services.identity import sites
from console.services.inspections.read import SPANS
from console.services.inspections.rows import READ as READ_INSPECTIONS
from console.services.work_orders import repeats
from console.ui.errors import validation_detail, words_of
from console.ui.frame import frame, leave_toast
from console.ui.lists import list_download, list_page
from console.ui.navigation import NavItem
from console.ui.responses import vary
from console.ui.times import localdate
from console.web.request import abandon, access, current_actor, web_context

pages = Blueprint("assets", __name__)
NAV = NavItem("facility", 15, "assets.page", N_("Assets"), "engine", permission=READ)
TEXTS = ("code", "name", "kind", "place", "serial", "installed_on")
# Beside them: the site of a new one, what it belongs to (by code), and the version that was looked at.
FIELDS = (*TEXTS, "site", "parent", "version")


@pages.get("/assets")
@access(READ)
def page() -> Response:
    """Show the assets in use by site and code."""
    around = {"editable": current_actor().can(WRITE)}
    return list_page(ASSETS, fragment="assets.listing", page="assets/page.html", around=around)


@pages.get("/assets/csv")
@access(READ, rate="auth-heavy")
def csv() -> Response:
    """Return exactly the assets of the list as CSV."""
    return list_download(ASSETS, "assets.csv")


@pages.get("/assets/<int:asset_id>")
@access(READ)
def detail(asset_id: int) -> Response:
    """Show one asset: what happened, what was measured, and how the chosen point went."""
    return _shown(asset_id)


def _shown(asset_id: int, refusal: DomainError | None = None) -> Response:
    ctx = web_context()
    asset = rows.load(ctx, asset_id)
    span = request.args.get("span", "13m")
    if span not in SPANS:
        raise Invalid(T("“%(word)s” is not a choice of “%(key)s”", word=span[:40], key="span"))
    measured = readings.newest(ctx, asset) if ctx.actor.can(READ_INSPECTIONS) else []
    chosen = _chosen(measured, request.args.get("point", ""))
    samples = readings.samples(ctx, asset, chosen, span) if chosen is not None else ()
    made = render_template(
        "assets/detail.html",
        asset=asset,
        past=history.of_asset(ctx, asset),
        parts=lists.parts(ctx, asset),
        repeats=repeats.of_asset(ctx, asset.id),
        readings=measured,
        chosen=chosen,
        samples=samples,
        labels=[localdate(one.at) for one in samples],
        span=span,
        address=partial(url_for, "assets.detail", asset_id=asset_id),
        refusal=words_of(refusal) if refusal else None,
    )
    return vary(make_response(made, 200 if refusal is None else refusal.status))


def _chosen(measured: list[Reading], key: str) -> Reading | None:
    """Return the point that the chart shows: the one asked for, the worst one, or the first."""
    if key:
        return next((one for one in measured if one.key == key), None)
    worst = {"danger": 0, "warning": 1}
    return min(measured, key=lambda one: worst.get(one.verdict, 2), default=None)


@pages.get("/assets/new")
@access(WRITE)
def new() -> Response:
    """Show the form of a new asset."""
    return _form({"site": frame().site or "", **request.args.to_dict()})


@pages.post("/assets/new")
@access(WRITE)
def add() -> ResponseReturnValue:
    """Add an asset and lead to it; a refusal keeps what was written."""

    def act(ctx: Context) -> AssetView:
        site = _sent("site")
        if not site:
            raise Invalid.field("site", T("An asset needs a site"))
        parent = _parent(ctx, site) or None
        body = {name: value for name in TEXTS if (value := _sent(name))}
        return change.create(ctx, AssetIn.model_validate({**body, "site": site, "parent_id": parent}).new())

    return _stored(act, lambda made: _("Asset %(code)s was added", code=made.code))


@pages.get("/assets/<int:asset_id>/edit")
@access(WRITE)
def edit(asset_id: int) -> Response:
    """Show the form of an asset that there is."""
    asset = rows.load(web_context(), asset_id)
    values = {name: getattr(asset, name) or "" for name in TEXTS}
    return _form({**values, "parent": asset.parent_code or "", "version": asset.version}, asset)


@pages.post("/assets/<int:asset_id>/edit")
@access(WRITE)
def store(asset_id: int) -> ResponseReturnValue:
    """Store what the form says and lead back to the asset; a refusal keeps what was written."""

    def act(ctx: Context) -> AssetView:
        asset = rows.load(ctx, asset_id)
        body = {name: _sent(name) for name in TEXTS if _sent(name) or name != "installed_on"}
        wanted = AssetPatchIn.model_validate({**body, "parent_id": _parent(ctx, asset.site)})
        return change.change(ctx, asset_id, wanted.change(), version=number_in(_sent("version")))

    return _stored(act, lambda made: _("Asset %(code)s was changed", code=made.code), asset_id)


@pages.post("/assets/<int:asset_id>/retire")
@access(WRITE)
def retire(asset_id: int) -> ResponseReturnValue:
    """Retire an asset: it keeps its history and is offered nowhere any more."""
    return _switched(asset_id, _("The asset is retired"), active=False)


@pages.post("/assets/<int:asset_id>/restore")
@access(WRITE)
def restore(asset_id: int) -> ResponseReturnValue:
    """Put a retired asset back."""
    return _switched(asset_id, _("The asset is in use again"), active=True)


def _switched(asset_id: int, said: str, *, active: bool) -> ResponseReturnValue:
    try:
        change.change(web_context(), asset_id, AssetChange(is_active=active), version=number_in(_sent("version")))
    except Conflict as refusal:
        abandon()
        return _shown(asset_id, refusal)
    leave_toast(said)
    return redirect(url_for("assets.detail", asset_id=asset_id), 303)


def _sent(name: str) -> str:
    return request.form.get(name, "").strip()


def _parent(ctx: Context, site: str) -> int:
    """Return the asset whose code the form names as parent; raises Invalid for a code that its site does not have."""
    code = _sent("parent")[:40]
    if not code:
        return NO_PARENT
    found = lists.id_of(ctx, site, code)
    if found is None:
        raise Invalid.field("parent_id", T("This site has no asset with the code %(code)s", code=code))
    return found


def _stored(
    act: Callable[[Context], AssetView], said: Callable[[AssetView], str], asset_id: int | None = None
) -> ResponseReturnValue:
    try:
        made = act(web_context())
    except ValidationError as error:
        refusal: DomainError = Invalid(validation_detail(error, "body"))
    except (Conflict, Invalid) as error:
        refusal = error
    else:
        leave_toast(said(made))
        return redirect(url_for("assets.detail", asset_id=made.id), 303)
    abandon()
    asset = rows.load(web_context(), asset_id) if asset_id is not None else None
    return _form(request.form.to_dict(), asset, refusal)


def _form(values: dict[str, Any], asset: AssetView | None = None, refusal: DomainError | None = None) -> Response:
    ctx = web_context()
    known = [name for name in sites.names(ctx) if ctx.actor.sees(name)]
    site = asset.site if asset else values.get("site") or (known[0] if len(known) == 1 else "")
    made = render_template(
        "assets/form.html",
        asset=asset,
        values={**dict.fromkeys(FIELDS, ""), **values, "site": site},
        sites=[(name, name) for name in known],
        others=[(code, words) for code, words in lists.offered(ctx, site) if asset is None or code != asset.code],
        kinds=lists.kinds(ctx),
        refusal=words_of(refusal) if refusal else None,
    )
    return vary(make_response(made, 200 if refusal is None else refusal.status))
