"""W04: from the first sign-in to the first success, and what stands in the way (API contract, W04)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from statistics import median
from typing import Any

from sqlalchemy import Text as SqlText
from sqlalchemy import func, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from console.domain.programme.judge import NO_DATA, OK, known_rate, rate
from console.domain.programme.snapshot import Snapshot
from console.domain.text import N_, T, Text
from console.models.alerts import AlertDelivery
from console.models.audit import AuditLog
from console.models.tracker import TrackerItem
from console.services.programme import orders, people
from console.services.programme.scope import Scope
from console.services.tracker import rows as tracker_rows

TARGET_MINUTES, LOW_INSPECTION, LOW_COMPLETION = 15.0, 70.0, 50.0
ACTORS_MOST = 100
STAGES = (
    ("authenticated", N_("Signed in")),
    ("first_inspection", N_("First inspection")),
    ("first_work_order_complete", N_("First order completed")),
)
COUNT, MINUTES, POINTS = "count", "minutes", "percent_points"


@dataclass(frozen=True)
class Actor:
    """The first steps of a person in the window (aware UTC), None for a step that they did not take."""

    actor: str
    first_auth_at: datetime
    first_inspection_at: datetime | None
    first_work_order_complete_at: datetime | None


def snapshot(scope: Scope) -> Snapshot:
    """Return the funnel: three queries, and two more where people worked before they signed in."""
    actors = _actors(scope)
    inspected = [one for one in actors if one.first_inspection_at]
    completed = [one for one in actors if one.first_work_order_complete_at]
    users = len(actors)
    ttv = _median([(one.first_auth_at, one.first_work_order_complete_at) for one in completed])
    counts = (users, len(inspected), len(completed))
    metrics = {
        "total_users": users,
        "inspection_converted_users": len(inspected),
        "work_order_completed_users": len(completed),
        "inspection_conversion_rate_percent": rate(len(inspected), users),
        "work_order_completion_rate_percent": rate(len(completed), users),
        "median_ttv_minutes": ttv,
        "target_met": ttv is not None and ttv <= TARGET_MINUTES,
    }
    timings = {
        "auth_to_first_inspection": _median([(one.first_auth_at, one.first_inspection_at) for one in inspected]),
        "inspection_to_first_work_order_complete": _median(
            [(one.first_inspection_at, one.first_work_order_complete_at) for one in completed if one in inspected]
        ),
        "auth_to_first_work_order_complete": ttv,
    }
    stages = [
        {"stage_id": stage, "label": label, "user_count": count, "conversion_rate_percent": rate(count, users)}
        for (stage, label), count in zip(STAGES, counts, strict=True)
    ]
    rates = ("inspection_conversion_rate_percent", "work_order_completion_rate_percent")
    return Snapshot(
        generated_at=scope.end,
        site=scope.site,
        window_days=scope.days,
        head={"target_ttv_minutes": TARGET_MINUTES},
        metrics=metrics,
        parts={
            "stage_timings_minutes": timings,
            "stages": stages,
            "actors": [vars(one) for one in actors[:ACTORS_MOST]],
        },
        no_data=(*(() if users else rates), *(() if ttv is not None else ("median_ttv_minutes",))),
        data_state=OK if users else NO_DATA,
        advice_key=None,
    )


def _actors(scope: Scope) -> list[Actor]:
    """Return everybody of the window by name. Steps before the first sign-in do not count, those after it do."""
    signed = people.first_sign_ins(scope)
    inspected, completed = people.first_inspections(scope), people.first_completions(scope)
    # Sign-ins have no site: who saw only some of them would see the people of all.
    names = {*inspected, *completed, *(signed if scope.everything else ())}
    at = {name: signed.get(name) or min(one[name] for one in (inspected, completed) if name in one) for name in names}
    first = _not_before(at, inspected, partial(people.first_inspections, scope))
    done = _not_before(at, completed, partial(people.first_completions, scope))
    return [Actor(name, at[name], first.get(name), done.get(name)) for name in sorted(names)]


def _not_before(
    start: Mapping[str, datetime],
    steps: Mapping[str, datetime],
    again: Callable[[Mapping[str, datetime]], Mapping[str, datetime]],
) -> Mapping[str, datetime]:
    """Return everybody's first step since their start; who was too early is looked for once more.

    Sessions outlive a window: those who were signed in when it began work before they sign in again.
    """
    early = {name: start[name] for name, at in steps.items() if at < start[name]}
    kept = {name: at for name, at in steps.items() if name not in early}
    return {**kept, **again(early)} if early else kept


def _median(pairs: list[tuple[datetime | None, datetime | None]]) -> float | None:
    """Return the median of the minutes; steps in the other order are left out."""
    known = [(end - start).total_seconds() / 60 for start, end in pairs if start is not None and end is not None]
    found = [one for one in known if one >= 0]
    return round(median(found), 2) if found else None


@dataclass(frozen=True)
class Blocker:
    """One thing that stands in the way, and how much of it there is in its `unit`."""

    blocker_key: str
    title: Text
    count: int
    unit: str
    source: str
    recommendation: Text


_BLOCKERS: Mapping[str, tuple[str, str, Text, Text]] = {
    "overdue_open_work_orders": (
        *(COUNT, "work_orders", T("Orders past their due date")),
        T("Go through the late orders today: finish, hand over or move them."),
    ),
    "failed_alert_deliveries": (
        *(COUNT, "alert_deliveries", T("Alerts that did not arrive")),
        T("Test the channels and send what failed again."),
    ),
    "audit_operation_failures": (
        *(COUNT, "admin_audit_logs", T("Actions that were refused or failed")),
        T("Look up who was refused what, and put roles or sites right."),
    ),
    "w04_tracker_open_items": (
        *(COUNT, "adoption_w04_tracker", T("Coaching that is still open")),
        T("Close the open items of the week, those without assignee first."),
    ),
    "median_ttv_over_target": (
        *(MINUTES, "w04_funnel", T("The first success takes too long")),
        T("Sit down with new people for their first order."),
    ),
    "low_inspection_conversion": (
        *(POINTS, "w04_funnel", T("Too few people have inspected")),
        T("Walk a first round together."),
    ),
    "low_completion_conversion": (
        *(POINTS, "w04_funnel", T("Too few people have completed an order")),
        T("Give everybody a small order to complete this week."),
    ),
}


def blockers(scope: Scope, most: int) -> tuple[dict[str, int], tuple[Blocker, ...]]:
    """Return how much there is of every blocker, and the worst of those that there are.

    What is counted in things comes before what is measured against a target.
    """
    funnel = snapshot(scope)
    counts = {
        "overdue_open_work_orders": orders.open_total(orders.open_by_site(scope)).overdue,
        "failed_alert_deliveries": _failed_alerts(scope),
        "audit_operation_failures": _failures(scope),
        "w04_tracker_open_items": _open_items(scope),
        **_gaps(funnel.metrics),
    }
    found = [
        Blocker(key, _BLOCKERS[key][2], count, _BLOCKERS[key][0], _BLOCKERS[key][1], _BLOCKERS[key][3])
        for key, count in counts.items()
        if count > 0
    ]
    found.sort(key=lambda one: (one.unit == COUNT, one.count, one.blocker_key), reverse=True)
    return counts, tuple(found[:most])


def _gaps(metrics: Mapping[str, Any]) -> dict[str, int]:
    ttv, users = metrics["median_ttv_minutes"], metrics["total_users"]
    inspected = known_rate(metrics["inspection_converted_users"], users)
    completed = known_rate(metrics["work_order_completed_users"], users)
    return {
        "median_ttv_over_target": round(ttv) if ttv is not None and ttv > TARGET_MINUTES else 0,
        "low_inspection_conversion": _below(inspected, LOW_INSPECTION),
        "low_completion_conversion": _below(completed, LOW_COMPLETION),
    }


def _below(value: float | None, target: float) -> int:
    return round(target - value) if value is not None and value < target else 0


def _failed_alerts(scope: Scope) -> int:
    wanted = select(func.count()).where(
        AlertDelivery.status.in_(("failed", "warning")),
        *scope.within(AlertDelivery.last_attempt_at),
        scope.on(AlertDelivery.site),
    )
    return scope.ctx.session.scalar(wanted) or 0


class _SiteOf(FunctionElement[str]):
    """The site that the detail of an audit entry names."""

    name = "site_of_detail"
    type = SqlText()
    inherit_cache = True


@compiles(_SiteOf)
def _json_text(element: _SiteOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"(CAST({compiler.process(element.clauses, **options)} AS json) ->> 'site')"


@compiles(_SiteOf, "sqlite")
def _json_extract(element: _SiteOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_extract({compiler.process(element.clauses, **options)}, '$.site')"


def _failures(scope: Scope) -> int:
    wanted = select(func.count()).where(AuditLog.status != literal_column("'success'"), *scope.entries())
    if not scope.everything:
        wanted = wanted.where(scope.on(_SiteOf(AuditLog.detail_json)))
    return scope.ctx.session.scalar(wanted) or 0


def _open_items(scope: Scope) -> int:
    wanted = select(func.count()).where(TrackerItem.tracker == "w04", tracker_rows.OPEN, scope.on(TrackerItem.site_key))
    return scope.ctx.session.scalar(wanted) or 0
