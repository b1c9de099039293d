"""How values of a week went over the last weeks: counted for all of them in one query, the newest last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select

from console.domain.alerts.alerts import DROPPED
from console.domain.programme.judge import known_rate
from console.models.alerts import AlertDelivery
from console.models.work_orders import WorkOrder
from console.services.programme import orders
from console.services.programme.orders import ACK
from console.services.programme.scope import Scope
from console.services.work_orders import rows

POINTS = 7
WEEK = timedelta(days=7)
Trend = Mapping[str, list[float | None]]


def _bucket(scope: Scope, column: Any) -> ColumnElement[int]:
    """Return in which of the weeks an instant lies, 0 for the oldest."""
    marks = [(column <= scope.end - WEEK * (POINTS - 1 - place), place) for place in range(POINTS)]
    return case(*marks, else_=POINTS - 1)


def of_orders(scope: Scope) -> Trend:
    """Return how fast orders of each week were answered, and which share of them broke or escalated."""
    wide = scope.ending(scope.end, 7 * POINTS)
    bucket = _bucket(wide, WorkOrder.created_at)
    late = rows.overdue(wide.end)
    counts = (
        func.count(),
        func.count().filter(or_(WorkOrder.completed_at > WorkOrder.due_at, late)),
        func.count().filter(WorkOrder.is_escalated.is_(True)),
        func.count().filter(late),
    )
    found = {
        row[0]: row[1:]
        for row in scope.ctx.session.execute(select(bucket, *counts).where(*wide.orders()).group_by(bucket))
    }
    answers = orders.took(wide, ACK, bucket)
    each = [found.get(place, (0, 0, 0, 0)) for place in range(POINTS)]
    return {
        "median_ack_minutes": [answers[place].median if place in answers else None for place in range(POINTS)],
        "sla_violation_rate_percent": [known_rate(broken, made) for made, broken, _escalated, _late in each],
        "escalation_rate_percent": [known_rate(escalated, made) for made, _broken, escalated, _late in each],
        "overdue_rate_percent": [known_rate(overdue, made) for made, _broken, _escalated, overdue in each],
    }


def of_alerts(scope: Scope) -> Trend:
    """Return which share of the alerts of each week arrived."""
    wide = scope.ending(scope.end, 7 * POINTS)
    bucket = _bucket(wide, AlertDelivery.created_at)
    wanted = select(bucket, func.count(), func.count().filter(AlertDelivery.status == "success"))
    within = (*wide.within(AlertDelivery.created_at), AlertDelivery.status != DROPPED)
    wanted = wanted.where(*within, wide.on(AlertDelivery.site)).group_by(bucket)
    found = {place: known_rate(arrived, sent) for place, sent, arrived in scope.ctx.session.execute(wanted)}
    return {"alert_success_rate_percent": [found.get(place) for place in range(POINTS)]}


def of_week(scope: Scope, code: str) -> Trend:
    """Return the trends that the page of a week shows."""
    if code == "w07":
        return {**of_orders(scope), **of_alerts(scope)}
    return of_orders(scope) if code == "w08" else {}
