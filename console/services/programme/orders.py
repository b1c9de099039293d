"""Work orders as the metrics count them: created in a window, open now, and how long answers and repairs took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from console.models.work_orders import WorkOrder
from console.services.common.sql import seconds_between
from console.services.programme.scope import Scope
from console.services.work_orders import rows

ACK, REPAIR = "ack", "repair"
# Quantiles as fractions, so that both databases and Python find the same place without rounding.
MEDIAN, P90 = (1, 2), (9, 10)
_ENDS = {ACK: WorkOrder.acknowledged_at, REPAIR: WorkOrder.completed_at}


@dataclass(frozen=True)
class Created:
    """The orders that were created in a window. Canceled ones never break a promise.

    `missing_due`, `missing_priority`, `invalid_status` and `completed_without_time` cannot be: the table refuses them.
    """

    created: int = 0
    acked: int = 0
    completed: int = 0
    violated: int = 0
    escalated: int = 0
    ack_before_created: int = 0
    completion_before_created: int = 0
    due_before_created: int = 0
    overdue: int = 0
    missing_due: int = 0
    missing_priority: int = 0
    invalid_status: int = 0
    completed_without_time: int = 0


@dataclass(frozen=True)
class Open:
    """The orders that are open, whatever their age."""

    open: int = 0
    overdue: int = 0
    escalated: int = 0


def _columns(scope: Scope) -> list[ColumnElement[Any]]:
    order, late = WorkOrder, rows.overdue(scope.end)
    among = (
        order.acknowledged_at.is_not(None),
        order.completed_at.is_not(None),
        or_(order.completed_at > order.due_at, late),
        order.is_escalated.is_(True),
        order.acknowledged_at < order.created_at,
        order.completed_at < order.created_at,
        order.due_at < order.created_at,
        late,
    )
    return [func.count(), *(func.count().filter(condition) for condition in among)]


def created_by_site(scope: Scope) -> dict[str, Created]:
    """Count the same for each site that has any: one query."""
    wanted = select(WorkOrder.site, *_columns(scope)).where(*scope.orders()).group_by(WorkOrder.site)
    return {site: Created(*found) for site, *found in scope.ctx.session.execute(wanted)}


def total(counts: Mapping[str, Created]) -> Created:
    """Return the sum of the counts of sites."""
    names = Created.__dataclass_fields__
    return Created(**{name: sum(getattr(one, name) for one in counts.values()) for name in names})


def open_by_site(scope: Scope) -> dict[str, Open]:
    """Count what is open now for each site that has any: one query inside the index of open orders."""
    late = and_(WorkOrder.due_at < scope.end)
    counts = (func.count(), func.count().filter(late), func.count().filter(WorkOrder.is_escalated.is_(True)))
    wanted = select(WorkOrder.site, *counts).where(rows.OPEN, scope.on(WorkOrder.site)).group_by(WorkOrder.site)
    return {site: Open(*found) for site, *found in scope.ctx.session.execute(wanted)}


def open_total(counts: Mapping[str, Open]) -> Open:
    """Return the sum over sites."""
    found = counts.values()
    return Open(sum(one.open for one in found), sum(one.overdue for one in found), sum(one.escalated for one in found))


@dataclass(frozen=True)
class Took:
    """How many minutes something took, by linear interpolation; None of nothing."""

    median: float | None = None
    p90: float | None = None


def took(scope: Scope, what: str, by: Any = None) -> dict[Any, Took]:
    """Return how long the answer (`ACK`) or the repair took, per value of a column (None: all together).

    What ended before it began is left out. One query: the database puts the minutes in order and gives the four values
    around median and P90.
    """
    end = _ENDS[what]
    minutes = seconds_between(scope.ctx, WorkOrder.created_at, end) / 60
    group = () if by is None else (by,)
    ordered = (
        select(
            *(column.label("part") for column in group),
            minutes.label("minutes"),
            func.row_number().over(partition_by=group or None, order_by=minutes).label("place"),
            func.count().over(partition_by=group or None).label("number"),
        )
        .where(*scope.orders(), end.is_not(None), end >= WorkOrder.created_at)
        .cte("ordered")
    )
    place, number = ordered.c.place, ordered.c.number
    floors = [(number - 1) * part // whole + 1 for part, whole in (MEDIAN, P90)]
    near = [place == at + step for at in floors for step in (0, 1)]
    parts = (ordered.c.part,) if group else ()
    found: dict[Any, dict[int, float]] = {}
    numbers: dict[Any, int] = {}
    for *part, value, at, count in scope.ctx.session.execute(
        select(*parts, ordered.c.minutes, place, number).where(or_(*near))
    ):
        key = part[0] if part else None
        found.setdefault(key, {})[int(at)] = float(value)
        numbers[key] = int(count)
    return {
        key: Took(_quantile(values, numbers[key], MEDIAN), _quantile(values, numbers[key], P90))
        for key, values in found.items()
    }


def _quantile(values: Mapping[int, float], number: int, quantile: tuple[int, int]) -> float:
    low, rest = divmod((number - 1) * quantile[0], quantile[1])
    first = values[low + 1]
    last = values.get(low + 2, first)
    return round(first + (last - first) * rest / quantile[1], 2)
