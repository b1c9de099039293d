"""Findings that become work orders: with everything filled in, in the transaction of their round or afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, select, update

from console.core.context import Context
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.inspections.findings import facts_of, priority_of, title_of
from console.domain.inspections.points import MOST_POINTS, UNMEASURED
from console.domain.inspections.requests import FindingOrder
from console.domain.text import T, Text
from console.domain.work_orders.requests import NewOrder
from console.models.assets import Asset
from console.models.inspections import InspectionResult
from console.models.work_orders import WorkOrder
from console.services.inspections import read
from console.services.inspections.read import ResultView
from console.services.inspections.rows import WRITE, InspectionView, load
from console.services.inspections.templates import TemplateView
from console.services.jobs.runs import changed
from console.services.work_orders import create as work_orders
from console.services.work_orders.rows import READ as READ_ORDERS
from console.services.work_orders.rows import WRITE as WRITE_ORDERS
from console.services.work_orders.rows import WorkOrderView

_RESULTS = cast("Table", InspectionResult.__table__)


@dataclass(frozen=True)
class Linked:
    """A work order of an inspection, as its page names it."""

    id: int
    title: str
    status: str
    priority: str
    assignee: str | None


def linked(ctx: Context, inspection: InspectionView) -> dict[int, Linked]:
    """Return the work orders of an inspection by number, oldest first: one query; none for who may not read orders."""
    if not ctx.actor.can(READ_ORDERS):
        return {}
    asked = select(WorkOrder.id, WorkOrder.title, WorkOrder.status, WorkOrder.priority, WorkOrder.assignee).where(
        WorkOrder.inspection_id == inspection.id, WorkOrder.site == inspection.site
    )
    return {row.id: Linked(*row) for row in ctx.session.execute(asked.order_by(WorkOrder.id).limit(MOST_POINTS))}


def of_round(
    ctx: Context, inspection: InspectionView, wanted: Sequence[FindingOrder], template: TemplateView | None
) -> None:
    """Make the orders that were sent with a round; raises Invalid for a point that has no result, PermissionDenied."""
    if not wanted:
        return
    ctx.actor.require(WRITE_ORDERS)
    # A point that stands for a published measurement is stored under its name.
    stands_for = {one.code: one.maps_to for one in template.points if one.maps_to} if template is not None else {}
    codes = {stands_for.get(one.code) or one.code for one in wanted}
    results = {one.code: one for one in read.results_of(ctx, inspection, codes)}
    taken: set[str] = set()
    found: list[tuple[ResultView, FindingOrder]] = []
    for one in wanted:
        result = results.get(stands_for.get(one.code) or one.code)
        if result is None:
            raise _refused(one.code, T("There is no result that an order could be made of"))
        if result.code in taken:
            raise _refused(one.code, T("stands there twice"))
        taken.add(result.code)
        found.append((result, one))
    _make_all(ctx, inspection, found, _advice(template))


def of_finding(ctx: Context, inspection_id: int, wanted: FindingOrder) -> WorkOrderView:
    """Make an order of one result of an inspection that is stored already, and return it.

    Raises NotFound, SiteDenied, PermissionDenied, and Conflict when there is an order of it already.
    """
    ctx.actor.require(WRITE)
    ctx.actor.require(WRITE_ORDERS)
    inspection = load(ctx, inspection_id)
    found = read.detail(ctx, inspection_id)
    result = next((one for one in found.results if one.code == wanted.code), None)
    if result is None:
        raise NotFound(T("The inspection has no such point"))
    return _make_all(ctx, inspection, [(result, wanted)], _advice(found.template))[0]


def _advice(template: TemplateView | None) -> Mapping[str, str]:
    return {one.maps_to or one.code: one.advice for one in template.points} if template is not None else {}


def _make_all(
    ctx: Context,
    inspection: InspectionView,
    found: Sequence[tuple[ResultView, FindingOrder]],
    advice: Mapping[str, str],
) -> list[WorkOrderView]:
    asset_id = _asset_of(ctx, inspection)
    made = work_orders.create_all(ctx, [_order(inspection, asset_id, *one, advice) for one in found])
    for (result, _wanted), order in zip(found, made, strict=True):
        mine = (_RESULTS.c.id == result.id, _RESULTS.c.work_order_id.is_(None))
        if changed(ctx, update(_RESULTS).where(*mine).values(work_order_id=order.id)) != 1:
            raise Conflict(_made_already(ctx, result.id), code="order_made_already")
    return made


def _order(
    inspection: InspectionView,
    asset_id: int | None,
    result: ResultView,
    wanted: FindingOrder,
    advice: Mapping[str, str],
) -> NewOrder:
    if result.verdict == UNMEASURED:
        raise _refused(wanted.code, T("What was not measured makes no order"))
    title = wanted.title.strip()
    facts = facts_of(result.bounds, result.value, result.unit, result.last)
    parts = (facts, result.note, advice.get(result.code, ""))
    return NewOrder(
        title=title or title_of(result.section, result.name, result.value, result.answer, result.unit),
        site=inspection.site,
        location=inspection.location,
        description="\n".join(part for part in parts if part),
        priority=wanted.priority or priority_of(result.verdict),
        assignee=wanted.assignee,
        reporter=inspection.inspector,
        inspection_id=inspection.id,
        asset_id=asset_id,
        source="inspection",
    )


def _asset_of(ctx: Context, inspection: InspectionView) -> int | None:
    """Return the asset of an inspection if it is still in use: an order of a retired one cannot be."""
    if inspection.asset_id is None:
        return None
    return ctx.session.scalar(select(Asset.id).where(Asset.id == inspection.asset_id, Asset.is_active))


def _made_already(ctx: Context, result_id: int) -> Text:
    number = ctx.session.scalar(select(InspectionResult.work_order_id).where(InspectionResult.id == result_id))
    return T("Work order #%(number)s was made of this finding already", number=number)


def _refused(code: str, sentence: Text) -> Invalid:
    return Invalid([{"type": "value_error", "loc": ["body", "orders", code], "msg": sentence}])
