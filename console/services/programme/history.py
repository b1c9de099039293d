"""How the KPIs of W09 stood on the days before: counted from the facts as each of those days had them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select

from console.domain.programme.judge import known_rate
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.programme import consistency, discipline, rhythm
from console.services.programme.discipline import Exports, Line
from console.services.programme.orders import Created
from console.services.programme.scope import Scope

DAY = timedelta(days=1)
Values = list[float | None]


def values(scope: Scope, key: str, days: int) -> Values:
    """Return a KPI of the window as it was at this hour on each of so many days before, yesterday first.

    Two queries at most, however many days; None for a day about which nothing is known.
    """
    ends = [scope.end - DAY * back for back in range(1, days + 1)]
    return _VALUES[key](scope, ends) if ends else []


def _escalation_rates(scope: Scope, ends: Sequence[datetime]) -> Values:
    wide = scope.covering(ends)
    event = WorkOrderEvent
    first = select(event.work_order_id.label("order"), func.min(event.created_at).label("at"))
    first = first.where(event.event_type == literal_column("'escalated'"), event.created_at >= wide.start)
    when = first.group_by(event.work_order_id).subquery()
    # An order that escalated without an event of it was taken over as it is.
    at = func.coalesce(when.c.at, WorkOrder.created_at)
    columns: list[ColumnElement[int]] = []
    for end in ends:
        made = and_(*scope.ending(end).within(WorkOrder.created_at))
        escalated = and_(made, WorkOrder.is_escalated.is_(True), at <= end)
        columns += [func.count().filter(made), func.count().filter(escalated)]
    wanted = select(*columns).select_from(WorkOrder).outerjoin(when, when.c.order == WorkOrder.id)
    found = scope.ctx.session.execute(wanted.where(*wide.orders())).one()
    return [known_rate(found[place + 1], found[place]) for place in range(0, len(found), 2)]


def _created(scope: Scope, ends: Sequence[datetime]) -> list[Created]:
    """Return what had been created, was late and had broken its promise at each instant: one query."""
    order = WorkOrder
    columns: list[ColumnElement[int]] = []
    for end in ends:
        made = and_(*scope.ending(end).within(order.created_at))
        ended = or_(order.completed_at <= end, order.canceled_at <= end)
        late = and_(made, order.due_at < end, ended.is_not(True))
        broken = or_(and_(made, order.completed_at <= end, order.completed_at > order.due_at), late)
        columns += [func.count().filter(condition) for condition in (made, late, broken)]
    wanted = select(*columns).select_from(order).where(*scope.covering(ends).orders())
    found = scope.ctx.session.execute(wanted).one()
    parts = (found[place : place + 3] for place in range(0, len(found), 3))
    return [Created(created=made, overdue=late, violated=broken) for made, late, broken in parts]


def _scores(scope: Scope, ends: Sequence[datetime]) -> Values:
    names, made = scope.names, _created(scope, ends)
    exports = [(len(names) if site is None else names.count(site), at) for _action, site, at in _exported(scope, ends)]
    scores = []
    for end, orders in zip(ends, made, strict=True):
        start = scope.ending(end).start
        number = sum(count for count, at in exports if start <= at <= end)
        scores.append(Line(orders, exports=Exports(csv=number), site_count=len(names)).score(scope.days))
    return scores


def _exported(scope: Scope, ends: Sequence[datetime]) -> list[tuple[str, str | None, datetime]]:
    return discipline.exported(scope.covering(ends))


def _issue_rates(scope: Scope, ends: Sequence[datetime]) -> Values:
    # The table refuses what would be an issue; the rate of today is 0 for the same reason.
    return [known_rate(0, made.created) for made in _created(scope, ends)]


_VALUES: Mapping[str, Callable[[Scope, Sequence[datetime]], Values]] = {
    "two_week_retention_percent": consistency.retentions,
    "weekly_active_rate_percent": rhythm.active_rates,
    "escalation_rate_percent": _escalation_rates,
    "report_discipline_score": _scores,
    "data_quality_issue_rate_percent": _issue_rates,
}
