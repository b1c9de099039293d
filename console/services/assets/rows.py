"""How assets are read: what a caller may see, and the row that doors get."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, Row, Select, func, select, true
from sqlalchemy.orm import aliased

from console.core.context import Actor, Context
from console.core.records import Fact, columns_of
from console.domain.errors import NotFound
from console.domain.ids import MAX_ID
from console.domain.text import N_, T
from console.models.assets import Asset
from console.models.inspections import Inspection
from console.models.work_orders import WorkOrder
from console.services.work_orders.rows import OPEN

READ, WRITE = "assets:read", "assets:write"
_Parent = aliased(Asset)


@dataclass(frozen=True)
class AssetView:
    """An asset as every door shows it; instants are aware UTC.

    `code` is what its label says, once in its site. `open_orders` and `last_inspected_at` are as of when it was read.
    """

    id: int
    site: Annotated[str, Fact(N_("Site"), sort=True)]
    code: Annotated[str, Fact(N_("Code"), sort=True)]
    name: Annotated[str, Fact(N_("Asset"), sort=True)]
    kind: Annotated[str, Fact(N_("Kind"), sort=True)]
    place: Annotated[str, Fact(N_("Location"), sort=True)]
    serial: Annotated[str, Fact(N_("Serial number"), sort=True, shown=False)]
    installed_on: Annotated[date | None, Fact(N_("Installed"), sort=True, shown=False)]
    parent_id: int | None
    is_active: Annotated[bool, Fact(N_("State"), sort=True)]
    created_by: str
    updated_by: str
    created_at: Annotated[datetime, Fact(N_("Created"), sort=True, shown=False)]
    updated_at: Annotated[datetime, Fact(N_("Changed"), sort=True, shown=False)]
    version: int
    parent_code: Annotated[str | None, Fact(N_("Part of"))]
    parent_name: str | None
    open_orders: Annotated[int, Fact(N_("Open work orders"), numeric=True)]
    last_inspected_at: Annotated[datetime | None, Fact(N_("Last inspected"))]

    @property
    def label(self) -> str:
        """Return what people call it: its code and its name."""
        return f"{self.code} {self.name}"


COLUMNS = columns_of(
    AssetView,
    Asset,
    *("code", "name", "kind", "site", "place", "parent_code", "open_orders", "last_inspected_at", "is_active"),
    *("serial", "installed_on", "created_at", "updated_at"),
)
_READ = tuple(name for name in AssetView.__dataclass_fields__ if name in Asset.__table__.columns)
_NAMES = (*_READ, "parent_code", "parent_name", "open_orders", "last_inspected_at")


def visible(actor: Actor) -> ColumnElement[bool]:
    """Return the rows that the caller's site scope shows."""
    return true() if actor.all_sites else Asset.site.in_(actor.site_scope)


def everything() -> Select[Any]:
    """Assets with what they belong to and what is going on there; the caller must have chosen what may be seen."""
    orders = select(func.count()).select_from(WorkOrder).where(WorkOrder.asset_id == Asset.id, OPEN)
    inspected = select(func.max(Inspection.inspected_at)).where(Inspection.asset_id == Asset.id)
    beside = (
        _Parent.code.label("parent_code"),
        _Parent.name.label("parent_name"),
        orders.correlate(Asset).scalar_subquery().label("open_orders"),
        inspected.correlate(Asset).scalar_subquery().label("last_inspected_at"),
    )
    return (
        select(*(getattr(Asset, name) for name in _READ), *beside)
        .select_from(Asset)
        .outerjoin(_Parent, _Parent.id == Asset.parent_id)
    )


def view(row: Row[Any]) -> AssetView:
    """Turn a row of `everything` into the asset that doors show."""
    return AssetView(**dict(zip(_NAMES, row, strict=True)))


def label_of(ctx: Context, asset_id: int | None) -> str:
    """Return code and name of the asset of a record that the caller may see; empty without it or `assets:read`."""
    if asset_id is None or not ctx.actor.can(READ):
        return ""
    row = ctx.session.execute(select(Asset.code, Asset.name).where(Asset.id == asset_id)).first()
    return f"{row.code} {row.name}" if row is not None else ""


def load(ctx: Context, asset_id: int, *, lock: bool = False) -> AssetView:
    """Read one asset; raises PermissionDenied, NotFound, or SiteDenied for one outside the caller's scope."""
    ctx.actor.require(READ)
    row = None
    if 0 < asset_id <= MAX_ID:
        if lock:
            ctx.session.execute(select(Asset.id).where(Asset.id == asset_id).with_for_update())
        row = ctx.session.execute(everything().where(Asset.id == asset_id)).first()
    if row is None:
        raise NotFound(T("Asset not found"))
    found = view(row)
    ctx.actor.require_site(found.site)
    return found
