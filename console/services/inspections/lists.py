"""The lists of inspections: as people filter them, and the slices that programs ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from operator import ge, lt

from sqlalchemy import ColumnElement, String, and_, case, cast, exists, or_, select

from console.core.context import Context
from console.core.filters import day_filters, exact, instant, moment, one_of
from console.core.listing import AnySelect, Choices, Filter, ListQuery, ListSpec
from console.core.records import columns_of
from console.domain.days import day_of
from console.domain.ids import number_in
from console.domain.inspections import risk
from console.domain.text import N_
from console.models.inspections import Inspection, InspectionResult, InspectionTemplate
from console.models.work_orders import WorkOrder
from console.services.common.lists import behind, cursor_of, slice_of
from console.services.common.sql import contains
from console.services.identity import sites
from console.services.inspections.rows import READ, InspectionView, everything, view, visible

LEVELS: Choices = ((risk.DANGER, N_("Danger")), (risk.WARNING, N_("Caution")), (risk.NORMAL, N_("Normal")))
FLAG_LABELS = {
    risk.INSULATION_LOW: N_("Insulation low"),
    risk.TEMP_HIGH: N_("Winding too hot"),
    risk.VOLTAGE_UNBALANCE: N_("Voltage unbalanced"),
}
_YES: Choices = (("1", N_("Yes")),)
NEWEST_FIRST = (Inspection.inspected_at.desc(), Inspection.id.desc())


def _base(ctx: Context) -> AnySelect:
    return everything().where(visible(ctx.actor))


def _ids(ctx: Context) -> AnySelect:
    return select(Inspection.id).where(visible(ctx.actor))


def _site(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    for word in words:
        ctx.actor.require_site(word)
    return Inspection.site.in_(words)


def _sites(ctx: Context) -> Choices:
    return [(name, name) for name in sites.names(ctx)]


def _templates(ctx: Context) -> Choices:
    scope = [InspectionTemplate.site_key.in_(("", *ctx.actor.site_scope))] if not ctx.actor.all_sites else []
    asked = select(InspectionTemplate.code, InspectionTemplate.name).where(InspectionTemplate.is_current, *scope)
    return [(code, name) for code, name in ctx.session.execute(asked.order_by(InspectionTemplate.name).limit(100))]


def _template(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    return Inspection.template_id.in_(select(InspectionTemplate.id).where(InspectionTemplate.code.in_(words)))


def _flag(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    stored = cast(Inspection.risk_flags, String)
    return or_(*(stored.contains(f'"{word}"', autoescape=True) for word in words))


def _today(ctx: Context, _words: list[str], now: datetime) -> ColumnElement[bool]:
    first, last = day_of(now, ctx.zone)
    return and_(Inspection.inspected_at >= first, Inspection.inspected_at < last)


def _asset(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    return Inspection.asset_id.in_([number_in(word) or 0 for word in words])


def _unsigned(_ctx: Context, _words: list[str], _now: datetime) -> ColumnElement[bool]:
    return Inspection.signed_by == ""


def _unordered(_ctx: Context, _words: list[str], _now: datetime) -> ColumnElement[bool]:
    return unordered()


def unordered() -> ColumnElement[bool]:
    """Return the condition that an inspection has a danger without a work order that nobody settled otherwise."""
    ordered = exists().where(WorkOrder.inspection_id == Inspection.id)
    waits = exists().where(
        InspectionResult.inspection_id == Inspection.id,
        InspectionResult.verdict == risk.DANGER,
        InspectionResult.closed_at.is_(None),
    )
    return and_(Inspection.risk_level == risk.DANGER, ~ordered, waits)


def _to_countersign(_ctx: Context, _words: list[str], _now: datetime) -> ColumnElement[bool]:
    return and_(Inspection.signed_by != "", Inspection.countersigned_at.is_(None))


def _search(_ctx: Context, words: str) -> ColumnElement[bool]:
    texts = (Inspection.location, Inspection.site, Inspection.inspector, Inspection.notes, InspectionTemplate.name)
    found = [contains(column.expression, words) for column in texts]
    number = words.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 10:
        found.append(Inspection.id == int(number))
    return or_(*found)


def _searched_ids(ctx: Context) -> AnySelect:
    return _ids(ctx).outerjoin(InspectionTemplate, InspectionTemplate.id == Inspection.template_id)


INSPECTIONS = ListSpec(
    name="inspections",
    read=(READ,),
    base=_base,
    ids=_searched_ids,
    row=lambda row: view((row[0], row[1])),
    key=Inspection.id,
    columns=columns_of(
        InspectionView,
        Inspection,
        *("template_name", "risk_level", "risk_flags", "site", "location", "inspected_at", "inspector", "signed_by"),
        *("cycle", "insulation_mohm", "winding_temp_c", "grounding_ohm", "transformer_kva", "voltage_r", "voltage_s"),
        *("voltage_t", "current_r", "current_s", "current_t", "notes", "rule_version", "created_at", "id"),
        *("countersigned_by",),
        risk_level=case((Inspection.risk_level == risk.DANGER, 2), (Inspection.risk_level == risk.WARNING, 1), else_=0),
    ),
    filters=(
        Filter("site", N_("Site"), "choice", _site, _sites),
        Filter("risk_level", N_("Verdict"), "choice", one_of(Inspection.risk_level), LEVELS),
        Filter("flag", N_("Finding"), "choice", _flag, tuple(FLAG_LABELS.items()), shown=False),
        Filter("template", N_("Template"), "choice", _template, _templates),
        Filter("today", N_("Today"), "flag", _today, _YES, multiple=False),
        Filter("unsigned", N_("Not signed"), "flag", _unsigned, _YES, multiple=False, shown=False),
        Filter("to_countersign", N_("Waits for the countersignature"), "flag", _to_countersign, _YES, multiple=False),
        Filter("unordered", N_("Danger without a work order"), "flag", _unordered, _YES, multiple=False),
        Filter("inspector", N_("Inspector"), "text", one_of(Inspection.inspector), multiple=False, shown=False),
        Filter("asset", N_("Asset"), "text", _asset, multiple=False, shown=False),
        Filter("cycle", N_("Cycle"), "text", one_of(Inspection.cycle), multiple=False, shown=False),
        moment("stored_from", N_("Stored since"), ge, Inspection.created_at),
        *day_filters(Inspection.inspected_at),
    ),
    search=_search,
    order=NEWEST_FIRST,
)
_FOR_PROGRAMS = replace(
    INSPECTIONS,
    name="inspections_api",
    ids=_ids,
    search=None,
    filters=(
        Filter("site", "", "text", _site, exact=True),
        *exact(Inspection, "risk_level", "inspector"),
        Filter("template_id", "", "text", lambda _ctx, words, _now: Inspection.template_id == int(words[0])),
        Filter("asset_id", "", "text", lambda _ctx, words, _now: Inspection.asset_id == int(words[0])),
        instant("inspected_from", ge, Inspection.inspected_at),
        instant("inspected_to", lt, Inspection.inspected_at),
    ),
)


@dataclass(frozen=True)
class InspectionPage:
    """A slice of the inspections; `next_cursor` leads to the following one."""

    inspections: tuple[InspectionView, ...]
    total: int
    next_cursor: str | None


def listed(
    ctx: Context, query: ListQuery, *, limit: int = 20, offset: int = 0, cursor: str | None = None
) -> InspectionPage:
    """Return inspections, newest first, and how many match: two queries.

    `cursor` is the `next_cursor` of the slice before; unlike an offset it does not shift when inspections join. Raises
    SiteDenied for a site outside the caller's scope, Invalid for a cursor that is none.
    """
    place = behind(cursor, Inspection.inspected_at, Inspection.id) if cursor else None
    found = slice_of(ctx, _FOR_PROGRAMS, query, limit=limit + 1, offset=offset, cursor=place)
    rows = found.items[:limit]
    more = len(found.items) > limit
    return InspectionPage(rows, found.total, cursor_of(rows[-1].inspected_at, rows[-1].id) if more else None)
