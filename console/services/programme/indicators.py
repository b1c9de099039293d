"""The indicators of W10 to W15: counted from the facts of their subject, and nothing where there are none (D33)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from console.domain.handover.lines import ACCEPTED
from console.domain.jobs import names as job_names
from console.domain.programme.indicators import INDICATORS, Indicator
from console.domain.programme.judge import NO_DATA, OK, improvement, known_rate
from console.domain.tracker.tracker import ACTIVE, REMEDIATION
from console.models.handover import Handover
from console.models.identity import User
from console.models.tracker import TrackerItem, TrackerRun
from console.models.work_orders import WorkOrder
from console.services.jobs import runs
from console.services.programme import orders
from console.services.programme.orders import ACK, Took
from console.services.programme.scope import Scope
from console.services.reliability import latency
from console.services.runbook import evidence_facts
from console.services.tracker import rows as tracker_rows
from console.services.work_orders import rows

WEEK = timedelta(days=7)
# Value, and what its source says of it; None lets the limits of the indicator judge.
Found = Mapping[str, tuple[Any, str | None]]


def of_week(scope: Scope, code: str, repeat_rates: tuple[float | None, float | None]) -> list[dict[str, Any]]:
    """Return the indicators of a week: three queries at most. `repeat_rates` are those of the window before and of now.

    An indicator without facts has no value, the status `no_data`, and says so in its `data_state`.
    """
    if code == "w10":
        found: Found = _self_serve(scope, *repeat_rates)
    else:
        found = _OF_WEEK[code](scope)
    return [_told(one, *found[one.key]) for one in INDICATORS[code]]


def _told(indicator: Indicator, value: Any, state: str | None) -> dict[str, Any]:
    return {
        "key": indicator.key,
        "value": value,
        "status": state or indicator.state_of(value),
        "name": indicator.name,
        "unit": indicator.unit,
        "data_state": NO_DATA if value is None else OK,
    }


def _self_serve(scope: Scope, before: float | None, now: float | None) -> Found:
    answer = orders.took(scope, ACK).get(None, Took()).median
    return {
        # Nothing repeated before is nothing that could get less.
        "repeat_reduction_percent": (improvement(before or None, now), None),
        "median_first_answer_minutes": (answer, None),
    }


def _scale(scope: Scope) -> Found:
    """Count at how many sites the roles are there, and at how many a second person may decide."""
    people = select(User.role, User.site_scope).where(
        User.is_active.is_(True), User.is_bootstrap.is_(False), User.role.in_(("owner", "manager", "operator"))
    )
    found = scope.ctx.session.execute(people).all()
    covered = stepping_in = 0
    for name in scope.names:
        roles = [role for role, held in found if "*" in held or name in held]
        deciding = sum(role != "operator" for role in roles)
        covered += deciding > 0 and "operator" in roles
        stepping_in += deciding > 1
    return {
        "role_coverage_percent": (known_rate(covered, len(scope.names)), None),
        "fallback_coverage_percent": (known_rate(stepping_in, len(scope.names)), None),
    }


def _closure(scope: Scope) -> Found:
    closed = func.count().filter(TrackerRun.status != ACTIVE)
    begun = select(func.count(), closed).where(
        TrackerRun.starts_on.is_not(None), TrackerRun.tracker < "w12", scope.on(TrackerRun.site_key)
    )
    there, done = scope.ctx.session.execute(begun).one()
    in_time = func.count().filter(Handover.state == ACCEPTED, Handover.accepted_at <= Handover.deadline_at)
    # What still has time is neither in time nor too late.
    decided = (Handover.state == ACCEPTED) | (Handover.deadline_at < scope.end)
    given = select(func.count(), in_time).where(decided, *scope.within(Handover.given_at), scope.on(Handover.site))
    handed, timely = scope.ctx.session.execute(given).one()
    return {
        "closed_weeks_percent": (known_rate(done, there), None),
        "handover_in_time_percent": (known_rate(timely, handed), None),
    }


def _improvement(scope: Scope) -> Found:
    """Count the actions of the gate that were opened in the window, and those that are open for too long."""
    made = TrackerItem.opened_at.between(scope.start, scope.end)
    old = func.count().filter(tracker_rows.OPEN, TrackerItem.opened_at < scope.end - WEEK)
    counts = (func.count(), func.count().filter(made), func.count().filter(made, TrackerItem.status == "done"), old)
    mine = (TrackerItem.tracker == REMEDIATION.key, scope.on(TrackerItem.site_key))
    there, opened, done, ageing = scope.ctx.session.execute(select(*counts).where(*mine)).one()
    return {
        "improvements_closed_percent": (known_rate(done, opened), None),
        "improvements_over_7_days_count": (ageing if there else None, None),
    }


def _stability(scope: Scope) -> Found:
    """Return the newest smoke test, integrity batch and drill, and how slow the slowest watched address is."""
    jobs = {
        "deploy_smoke": job_names.DEPLOY_SMOKE,
        "evidence_archive_integrity": job_names.EVIDENCE_INTEGRITY,
        "recovery_drill": job_names.DR_REHEARSAL,
    }
    newest = runs.latest_per_job(scope.ctx, tuple(jobs.values()))
    found: dict[str, tuple[Any, str | None]] = {}
    for key, job in jobs.items():
        run = newest.get(job)
        found[key] = (run.finished_at, run.status or NO_DATA) if run else (None, NO_DATA)
    seen = latency.snapshot(scope.ctx)
    known = [one.p95_ms for one in seen.endpoints if one.p95_ms is not None and one.sample_count >= seen.min_samples]
    return {**found, "api_p95_ms": (max(known), seen.status) if known else (None, NO_DATA)}


def _efficiency(scope: Scope) -> Found:
    """Return whether the weekly report appears by itself, and what is late for more than a week."""
    seen = evidence_facts.streak(scope.ctx)
    long_late = func.count().filter(rows.overdue(scope.end - WEEK))
    there, late = scope.ctx.session.execute(
        select(func.count(), long_late).where(rows.OPEN, scope.on(WorkOrder.site))
    ).one()
    return {
        "weekly_report_streak_weeks": (seen.current_streak_weeks, OK if seen.target_met else "warning"),
        "late_over_7_days_count": (late if there else None, None),
    }


_OF_WEEK: Mapping[str, Callable[[Scope], Found]] = {
    "w11": _scale,
    "w12": _closure,
    "w13": _improvement,
    "w14": _stability,
    "w15": _efficiency,
}
