"""The lists of assets: as people filter them, the slices that programs ask for, and the choices of forms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select

from console.core.context import Context
from console.core.filters import exact, one_of
from console.core.listing import Choices, Filter, ListQuery, ListSpec
from console.domain.errors import Invalid
from console.domain.ids import number_in
from console.domain.text import N_, T
from console.models.assets import Asset
from console.models.work_orders import WorkOrder
from console.services.assets import rows
from console.services.assets.rows import READ, AssetView
from console.services.common.lists import slice_of
from console.services.common.sql import contains
from console.services.identity import sites
from console.services.work_orders.rows import OPEN

BY_CODE = (Asset.site.asc(), Asset.code.asc(), Asset.id.asc())
_STATES: Choices = (("active", N_("In use")), ("retired", N_("Retired")), ("all", N_("All")))
_YES: Choices = (("1", N_("Yes")),)
# A form offers so many of a site; the others are named by their code.
MOST_OFFERED = 500


def _site(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    for word in words:
        ctx.actor.require_site(word)
    return Asset.site.in_(words)


def _sites(ctx: Context) -> Choices:
    return [(name, name) for name in sites.names(ctx)]


def _distinct(column: Any) -> Any:
    def choices(ctx: Context) -> Choices:
        asked = select(column).where(rows.visible(ctx.actor), column != "").distinct().order_by(column).limit(200)
        return [(word, word) for word in ctx.session.scalars(asked)]

    return choices


def _state(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    known = {"active": [True], "retired": [False], "all": [True, False]}
    return Asset.is_active.in_({one for word in words for one in known[word]})


def _with_orders(_ctx: Context, _words: list[str], _now: datetime) -> ColumnElement[bool]:
    return Asset.id.in_(select(WorkOrder.asset_id).where(OPEN, WorkOrder.asset_id.is_not(None)))


def _parent(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    return Asset.parent_id.in_([number_in(word) or 0 for word in words])


def matches(_ctx: Context, words: str) -> ColumnElement[bool]:
    """Return the condition that these words stand in an asset."""
    texts = (Asset.code, Asset.name, Asset.kind, Asset.place, Asset.serial, Asset.site)
    return or_(*(contains(column.expression, words) for column in texts))


ASSETS = ListSpec(
    name="assets",
    read=(READ,),
    base=lambda ctx: rows.everything().where(rows.visible(ctx.actor)),
    ids=lambda ctx: select(Asset.id).where(rows.visible(ctx.actor)),
    row=rows.view,
    key=Asset.id.expression,
    columns=rows.COLUMNS,
    filters=(
        Filter("site", N_("Site"), "choice", _site, _sites),
        Filter("kind", N_("Kind"), "choice", one_of(Asset.kind), _distinct(Asset.kind)),
        Filter("place", N_("Location"), "choice", one_of(Asset.place), _distinct(Asset.place)),
        Filter("orders", N_("With open work orders"), "flag", _with_orders, _YES, multiple=False),
        Filter("state", N_("Shown"), "choice", _state, _STATES, multiple=False, shown=False),
        Filter("part_of", N_("Part of"), "text", _parent, multiple=False, shown=False),
    ),
    search=matches,
    order=BY_CODE,
    implied={"state": ("active",)},
    ordered_by="code",
)
_FOR_PROGRAMS = replace(
    ASSETS,
    name="assets_api",
    filters=(
        Filter("site", "", "text", _site, exact=True),
        *exact(Asset, "code", "kind", "place"),
        Filter("parent_id", "", "text", _parent),
        Filter("is_active", "", "text", lambda _ctx, words, _now: Asset.is_active.is_(words == ["1"])),
        Filter("q", "", "text", lambda ctx, words, _now: matches(ctx, words[0])),
    ),
    search=None,
    implied={},
)


@dataclass(frozen=True)
class AssetPage:
    """A slice of the assets, and how many match in all."""

    assets: tuple[AssetView, ...]
    total: int


def listed(ctx: Context, query: ListQuery, *, limit: int = 20, offset: int = 0) -> AssetPage:
    """Return assets by site and code, and how many match: two queries. Raises SiteDenied."""
    found = slice_of(ctx, _FOR_PROGRAMS, query, limit=limit, offset=offset)
    return AssetPage(found.items, found.total)


def offered(ctx: Context, site: str) -> list[tuple[str, str]]:
    """Return (code, name and place) of what a form may choose at a site of the caller's scope, at most 500."""
    if not ctx.actor.can(READ) or not ctx.actor.sees(site):
        return []
    asked = select(Asset.code, Asset.name, Asset.place).where(Asset.site == site, Asset.is_active)
    found = ctx.session.execute(asked.order_by(Asset.code).limit(MOST_OFFERED))
    return [(row.code, " · ".join(filter(None, (row.name, row.place)))) for row in found]


def kinds(ctx: Context) -> list[str]:
    """Return the kinds that assets of the caller's sites have, for a form: one query."""
    return [word for word, _label in _distinct(Asset.kind)(ctx)]


def parts(ctx: Context, asset: AssetView) -> list[tuple[int, str, bool]]:
    """Return (id, code and name, in use) of what belongs to an asset that was loaded, by code; at most 500."""
    asked = select(Asset.id, Asset.code, Asset.name, Asset.is_active).where(Asset.parent_id == asset.id)
    found = ctx.session.execute(asked.order_by(Asset.code, Asset.id).limit(MOST_OFFERED))
    return [(row.id, f"{row.code} {row.name}", row.is_active) for row in found]


def code_of(ctx: Context, asset_id: int | None) -> str:
    """Return the code of the asset of a record that the caller may see; empty without one."""
    if asset_id is None:
        return ""
    return ctx.session.scalar(select(Asset.code).where(Asset.id == asset_id)) or ""


def id_of(ctx: Context, site: str, code: str) -> int | None:
    """Return the id of the asset with this code at a site, however its letters are written; None for no such code.

    Raises PermissionDenied, SiteDenied.
    """
    ctx.actor.require(READ)
    ctx.actor.require_site(site)
    alike = (Asset.site == site, func.lower(Asset.code) == code.strip().lower())
    first = case((Asset.code == code.strip(), 0), else_=1)
    return ctx.session.scalar(select(Asset.id).where(*alike).order_by(first, Asset.id).limit(1))


def named(ctx: Context, site: str, code: str) -> int:
    """Return the same of a code that somebody typed into the field `asset`; raises Invalid for no such code as well."""
    found = id_of(ctx, site, code)
    if found is None:
        raise Invalid.field("asset", T("This site has no asset with the code %(code)s", code=code))
    return found
