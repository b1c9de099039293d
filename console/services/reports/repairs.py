"""The repairs of a month for the public register of common facilities: what was done, where, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from console.core.context import Context
from console.core.i18n import text_in
from console.core.serialize import CsvColumn, columns_of
from console.domain.reports.periods import Period
from console.domain.text import N_, T
from console.domain.work_orders.words import COMPLETED
from console.models.assets import Asset
from console.models.work_orders import WorkOrder
from console.services.audit import record as audit
from console.services.reports.monthly import EXPORT, TYPE
from console.services.reports.months import period_of
from console.services.work_orders.lists import TRADE_LABELS

COLUMNS = columns_of(
    *("id", "trade", "asset_code", "asset_name", "location", "title", "solution"),
    *("received_at", "completed_at", "photos_before", "photos_after"),
)


_HEADS = {
    "id": N_("No."),
    "trade": N_("Trade"),
    "asset_code": N_("Asset code"),
    "asset_name": N_("Asset"),
    "location": N_("Location"),
    "title": N_("Work order"),
    "solution": N_("What was done"),
    "received_at": N_("Received at"),
    "completed_at": N_("Done at"),
    "photos_before": N_("Photos before"),
    "photos_after": N_("Photos after"),
}


def columns_for_people(period: Period, locale: str) -> tuple[CsvColumn, ...]:
    """Return the columns as people write them into the register: in words, instants by the clock of the site."""
    zone = ZoneInfo(period.time_zone)

    def read(name: str) -> Callable[[Any], Any]:
        if name == "trade":
            return lambda row: text_in(locale, T(TRADE_LABELS[row.trade])) if row.trade else ""
        if name in ("received_at", "completed_at"):
            return lambda row: f"{getattr(row, name).astimezone(zone):%Y-%m-%d %H:%M}"
        return attrgetter(name)

    return tuple(CsvColumn(text_in(locale, T(head)), read(name)) for name, head in _HEADS.items())


def begin(ctx: Context, site: str, month: str) -> Period:
    """Return the month whose repairs may be downloaded, and put the download on record.

    Raises PermissionDenied, SiteDenied, BadRequest, Invalid.
    """
    ctx.actor.require(EXPORT)
    ctx.actor.require_site(site)
    period = period_of(ctx, site, month)
    audit.record(ctx, "report_monthly_repairs_export_csv", TYPE, f"{period.label}:{site}", detail={"site": site})
    return period


def rows(ctx: Context, site: str, period: Period) -> Iterator[Any]:
    """Return the work orders that were completed in the period, in the order of their completion; piece by piece."""
    ctx.actor.require_site(site)
    found = ctx.session.execute(
        select(
            *(WorkOrder.id, WorkOrder.trade, Asset.code.label("asset_code"), Asset.name.label("asset_name")),
            *(WorkOrder.location, WorkOrder.title, WorkOrder.resolution_notes.label("solution")),
            *(WorkOrder.created_at.label("received_at"), WorkOrder.completed_at),
            WorkOrder.evidence_before.label("photos_before"),
            WorkOrder.evidence_after.label("photos_after"),
        )
        .outerjoin(Asset, Asset.id == WorkOrder.asset_id)
        .where(
            WorkOrder.site == site,
            WorkOrder.status == COMPLETED,
            WorkOrder.completed_at >= period.start,
            WorkOrder.completed_at < period.end,
        )
        .order_by(WorkOrder.completed_at, WorkOrder.id)
        .execution_options(yield_per=500)
    )
    # Whoever stops reading leaves no cursor open.
    with closing(found):
        yield from found
