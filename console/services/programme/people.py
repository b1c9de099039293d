"""Who works with the console: activity on work orders and inspections by person and time (W04, W05, W06)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, case, func, select, union_all

from console.models.audit import AuditLog
from console.models.inspections import Inspection
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.programme.scope import Scope

SIGN_IN = "auth_login_success"
_NOBODY = ("", "system")


def _events(scope: Scope, *columns: Any) -> Select[Any]:
    # Events carry no site; who sees all of them needs no order for it.
    found = select(*columns).where(*scope.within(WorkOrderEvent.created_at))
    found = found.where(WorkOrderEvent.actor_username.not_in(_NOBODY))
    if scope.everything:
        return found
    return found.join(WorkOrder, WorkOrder.id == WorkOrderEvent.work_order_id).where(scope.on(WorkOrder.site))


def _inspections(scope: Scope, *columns: Any) -> Select[Any]:
    found = select(*columns).where(*scope.within(Inspection.inspected_at), scope.on(Inspection.site))
    return found.where(Inspection.created_by.not_in(_NOBODY))


def _acts(scope: Scope) -> CTE:
    events = _events(scope, WorkOrderEvent.actor_username.label("actor"), WorkOrderEvent.created_at.label("at"))
    inspections = _inspections(scope, Inspection.created_by.label("actor"), Inspection.inspected_at.label("at"))
    return union_all(events, inspections).cte("acts")


def flags(scope: Scope, spans: Sequence[tuple[datetime, datetime]]) -> dict[str, tuple[bool, ...]]:
    """Return, for everybody who did something in the window, in which of the spans they did: one query."""
    acts = _acts(scope)
    columns = [_any(and_(acts.c.at >= start, acts.c.at < until)) for start, until in spans]
    wanted = select(acts.c.actor, *columns).group_by(acts.c.actor)
    return {actor: tuple(bool(one) for one in found) for actor, *found in scope.ctx.session.execute(wanted)}


def _any(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.max(case((condition, 1), else_=0))


def inspectors(scope: Scope) -> int:
    """Return how many people inspected, as inspections name them."""
    wanted = select(func.count(Inspection.inspector.distinct()))
    wanted = wanted.where(*scope.within(Inspection.inspected_at), scope.on(Inspection.site))
    return scope.ctx.session.scalar(wanted) or 0


def by_site(scope: Scope) -> list[tuple[str, int]]:
    """Return what was done at each site, the busiest first: changes of orders and inspections."""
    events = select(WorkOrder.site, func.count().label("number"))
    events = events.join(WorkOrderEvent, WorkOrderEvent.work_order_id == WorkOrder.id)
    events = events.where(*scope.within(WorkOrderEvent.created_at), scope.on(WorkOrder.site)).group_by(WorkOrder.site)
    inspections = select(Inspection.site, func.count().label("number"))
    inspections = inspections.where(*scope.within(Inspection.inspected_at), scope.on(Inspection.site))
    both = union_all(events, inspections.group_by(Inspection.site)).cte("both")
    number = func.sum(both.c.number)
    wanted = select(both.c.site, number).group_by(both.c.site).order_by(number.desc(), both.c.site)
    return [(site, int(count)) for site, count in scope.ctx.session.execute(wanted)]


def first_inspections(scope: Scope, since: Mapping[str, datetime] | None = None) -> dict[str, datetime]:
    """Return when everybody inspected first in the window; with `since` those named there, not before their instant."""
    return _first(scope, _inspections, Inspection.created_by, Inspection.inspected_at, since=since)


def first_completions(scope: Scope, since: Mapping[str, datetime] | None = None) -> dict[str, datetime]:
    """Return when everybody completed an order first in the window; `since` as with inspections."""
    event = WorkOrderEvent
    done = (event.event_type == "status_changed", event.to_status == "completed")
    return _first(scope, _events, event.actor_username, event.created_at, *done, since=since)


def _first(
    scope: Scope,
    rows: Callable[..., Select[Any]],
    who: Any,
    at: Any,
    *only: ColumnElement[bool],
    since: Mapping[str, datetime] | None,
) -> dict[str, datetime]:
    if since is None:
        return dict(scope.ctx.session.execute(rows(scope, who, func.min(at)).where(*only).group_by(who)).all())
    # A join with the instants would look through the window once for each of them.
    wanted = rows(scope, who, at).where(*only, at >= min(since.values()), who.in_(tuple(since)))
    found: dict[str, datetime] = {}
    for name, when in scope.ctx.session.execute(wanted):
        if when >= since[name] and (name not in found or when < found[name]):
            found[name] = when
    return found


def first_sign_ins(scope: Scope) -> dict[str, datetime]:
    """Return when everybody signed in first in the window: a range of the index of actions."""
    wanted = select(AuditLog.actor_username, func.min(AuditLog.created_at)).where(
        AuditLog.action == SIGN_IN, AuditLog.actor_username.not_in(_NOBODY), *scope.entries()
    )
    return dict(scope.ctx.session.execute(wanted.group_by(AuditLog.actor_username)).all())
