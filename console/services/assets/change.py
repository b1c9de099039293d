"""Assets are added, changed, retired and put back; they are never deleted."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from sqlalchemy import Table, select, update
from sqlalchemy.exc import IntegrityError

from console.core.context import Context
from console.domain.assets import tree
from console.domain.assets.requests import AssetChange, NewAsset
from console.domain.errors import Conflict, Invalid
from console.domain.text import T
from console.models.assets import Asset
from console.services.assets.rows import WRITE, AssetView, load
from console.services.audit import record as audit
from console.services.common.versions import check_version
from console.services.identity import sites
from console.services.jobs.runs import changed

_ASSETS = cast("Table", Asset.__table__)
_FIELDS = ("code", "name", "kind", "place", "serial", "installed_on", "is_active")
TAKEN = T("Another asset of this site has this code")
_MEANWHILE = T("Somebody else changed the asset meanwhile")


def create(ctx: Context, new: NewAsset) -> AssetView:
    """Add an asset.

    Raises PermissionDenied, SiteDenied, Invalid for a blank code or name or a parent that cannot be, Conflict for a
    code that its site has already.
    """
    ctx.actor.require(WRITE)
    site = sites.named(ctx, new.site)
    ctx.actor.require_site(site)
    _named(new.code, new.name)
    if new.parent_id is not None:
        _check_parent(ctx, None, site, new.parent_id)
    now = ctx.now()
    row = Asset(
        site=site,
        code=new.code.strip(),
        name=new.name.strip(),
        kind=new.kind.strip(),
        place=new.place.strip(),
        serial=new.serial.strip(),
        installed_on=new.installed_on,
        parent_id=new.parent_id,
        created_by=ctx.actor.username,
        updated_by=ctx.actor.username,
        created_at=now,
        updated_at=now,
    )
    try:
        with ctx.session.begin_nested():
            ctx.session.add(row)
    except IntegrityError as error:
        raise Conflict(TAKEN, code="asset_exists") from error
    made = load(ctx, row.id)
    told = {name: _plain(getattr(made, name)) for name in (*_FIELDS, "parent_id")}
    audit.record(ctx, "asset_create", "asset", made.id, detail={"site": site, **told})
    return made


def change(
    ctx: Context, asset_id: int, wanted: AssetChange, *, version: int | None = None, if_match: int | None = None
) -> AssetView:
    """Change an asset; a change that changes nothing writes nothing.

    `version` (of the body) that is not the current one raises Conflict, `if_match` (of the header) PreconditionFailed.
    Raises NotFound, SiteDenied, Invalid for a parent that cannot be, Conflict for a code that its site has already.
    """
    ctx.actor.require(WRITE)
    if wanted.parent_id:
        _hold_site_of(ctx, asset_id)
    asset = load(ctx, asset_id, lock=True)
    check_version(asset, version, if_match, _MEANWHILE)
    values = _values(ctx, asset, wanted)
    if not values:
        return asset
    statement = (
        update(_ASSETS)
        .where(_ASSETS.c.id == asset.id, _ASSETS.c.version == asset.version)
        .values(**values, version=asset.version + 1, updated_at=ctx.now(), updated_by=ctx.actor.username)
    )
    try:
        with ctx.session.begin_nested():
            stored = changed(ctx, statement)
    except IntegrityError as error:
        raise Conflict(TAKEN, code="asset_exists") from error
    if stored != 1:
        raise Conflict(_MEANWHILE, code="version_conflict")
    after = load(ctx, asset.id)
    told = {name: {"old": _plain(getattr(asset, name)), "new": _plain(getattr(after, name))} for name in values}
    action = "asset_update"
    if "is_active" in values:
        action = "asset_restore" if values["is_active"] else "asset_retire"
    audit.record(ctx, action, "asset", asset.id, detail={"site": asset.site, **told})
    return after


def _named(code: str | None, name: str | None) -> None:
    for field, value in (("code", code), ("name", name)):
        if value is not None and not value.strip():
            raise Invalid.field(field, T("must not be blank"))


def _values(ctx: Context, asset: AssetView, wanted: AssetChange) -> dict[str, Any]:
    _named(wanted.code, wanted.name)
    values: dict[str, Any] = {}
    for name in _FIELDS:
        sent = getattr(wanted, name)
        sent = sent.strip() if isinstance(sent, str) else sent
        if sent is not None and sent != getattr(asset, name):
            values[name] = sent
    parent = asset.parent_id if wanted.parent_id is None else wanted.parent_id or None
    if parent != asset.parent_id:
        if parent is not None:
            _check_parent(ctx, asset.id, asset.site, parent)
        values["parent_id"] = parent
    return values


def _hold_site_of(ctx: Context, asset_id: int) -> None:
    """Let one caller at a time say what belongs to what at a site: two of them could close a circle together."""
    mine = select(Asset.site).where(Asset.id == asset_id).scalar_subquery()
    first = select(Asset.id).where(Asset.site == mine).order_by(Asset.id).limit(1)
    ctx.session.execute(first.with_for_update())


def _check_parent(ctx: Context, asset_id: int | None, site: str, parent_id: int) -> None:
    parent = ctx.session.execute(select(Asset.site, Asset.is_active).where(Asset.id == parent_id)).first()
    if parent is None or not parent.is_active or not ctx.actor.sees(parent.site):
        raise Invalid.field("parent_id", T("There is no asset with this id"))
    why = tree.refused(asset_id, site, parent.site, _above(ctx, parent_id))
    if why is not None:
        raise Invalid.field("parent_id", why)


def _above(ctx: Context, asset_id: int) -> set[int]:
    """Return the ids of an asset and of everything that it belongs to."""
    chain = select(Asset.id, Asset.parent_id).where(Asset.id == asset_id).cte("above", recursive=True)
    chain = chain.union(select(Asset.id, Asset.parent_id).where(Asset.id == chain.c.parent_id))
    return set(ctx.session.scalars(select(chain.c.id)))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
