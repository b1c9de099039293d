"""W09: the five KPIs of W05 to W08, judged by the policy (API contract, W09 KPI operation)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.domain.programme.judge import GREEN, NO_DATA, OK, RED, YELLOW, judged, known_rate, rate, worst
from console.domain.programme.kpi_policy import red_days
from console.domain.programme.snapshot import Advice, Snapshot, advised
from console.domain.text import N_, T
from console.services.policies import policies as engine
from console.services.policies.kinds import PolicyView
from console.services.programme import consistency, discipline, history, rhythm
from console.services.programme.policies import KINDS
from console.services.programme.scope import Scope

# The longest window that all four weeks know.
DAYS_MOST = 90
REDS_MOST, CANDIDATES_MOST = 3, 10
# The name of each KPI in `source_metrics`.
SOURCES = {
    "two_week_retention_percent": "w05_two_week_retention_percent",
    "weekly_active_rate_percent": "w06_weekly_active_rate_percent",
    "escalation_rate_percent": "w07_escalation_rate_percent",
    "report_discipline_score": "w08_report_discipline_score",
    "data_quality_issue_rate_percent": "w08_data_quality_issue_rate_percent",
}

# What is said instead of what there would be to do.
POLICY_OFF = Advice("policy_off", T(N_("The policy is switched off: it judges, and calls nobody.")))


def snapshot(scope: Scope) -> Snapshot:
    """Return the board: every KPI over the same window, of 90 days at most. Nothing known is never red."""
    wide = scope.ending(scope.end, min(scope.days, DAYS_MOST))
    view = engine.resolve(scope.ctx, KINDS["w09"], scope.site)
    policy = KINDS["w09"].shown(view.values)
    entered = discipline.entered(wide)
    made = entered.orders
    # The values of the snapshots of W05 to W08 over this window, without what else those count.
    values: dict[str, float | None] = {
        "two_week_retention_percent": consistency.retention(wide),
        "weekly_active_rate_percent": rhythm.active_rate(wide),
        "escalation_rate_percent": known_rate(made.escalated, made.created),
        "report_discipline_score": entered.score(wide.days),
        "data_quality_issue_rate_percent": known_rate(entered.issues, made.created),
    }
    kpis = [_judged(kpi, values[kpi["kpi_key"]], policy["escalation_map"]) for kpi in policy["kpis"]]
    owned = sum(bool(kpi["owner_role"].strip()) for kpi in kpis)
    lights = [kpi["status"] for kpi in kpis]
    overall = worst(lights)
    if overall == GREEN and owned < len(kpis):
        overall = YELLOW
    red = [kpi for kpi in kpis if kpi["status"] == RED]
    called, waiting = _called(wide, red) if policy["enabled"] else ([], [])
    metrics = {
        "kpi_count": len(kpis),
        "owner_assigned_count": owned,
        "owner_coverage_percent": rate(owned, len(kpis)),
        "green_count": lights.count(GREEN),
        "yellow_count": lights.count(YELLOW),
        "red_count": lights.count(RED),
        "overall_status": overall,
    }
    return Snapshot(
        generated_at=scope.end,
        site=scope.site,
        window_days=wide.days,
        head={"policy": policy_of(view, kpi_count=len(kpis), escalation_rule_count=len(policy["escalation_map"]))},
        metrics=metrics,
        parts={
            "kpis": kpis,
            "top_red_kpis": [_some(kpi, "kpi_key", "kpi_name", "actual_value", "target", "owner_role") for kpi in red][
                :REDS_MOST
            ],
            # A policy that is switched off judges, and calls nobody.
            "escalation_candidates": called[:CANDIDATES_MOST],
            "escalation_waiting": waiting[:CANDIDATES_MOST],
            "source_metrics": {SOURCES[key]: value for key, value in values.items()},
        },
        advice=advised(
            (
                Advice("red_kpis", T(N_("Red KPIs: %(count)s. Call those whom the policy names."), count=len(red)))
                if red and policy["enabled"]
                else None,
                POLICY_OFF if red and not policy["enabled"] else None,
                *(_told(one, TELL) for one in called[:CANDIDATES_MOST]),
                *(_told(one, WAIT) for one in waiting[:CANDIDATES_MOST]),
                Advice("owners_missing", T(N_("Some KPIs have no owner."))) if owned < len(kpis) else None,
            )
        ),
        no_data=tuple(key for key, value in values.items() if value is None),
        data_state=NO_DATA if all(value is None for value in values.values()) else OK,
    )


def policy_of(view: PolicyView, **more: Any) -> dict[str, Any]:
    """Return what a metric says of the policy that it judged by."""
    return {"policy_key": view.policy_key, "updated_at": view.updated_at, "enabled": view.values["enabled"], **more}


def _judged(kpi: Mapping[str, Any], value: float | None, rules: list[Mapping[str, Any]]) -> dict[str, Any]:
    light = judged(kpi["direction"], value, kpi["green_threshold"], kpi["yellow_threshold"])
    return {
        **_some(kpi, "kpi_key", "kpi_name", "owner_role", "direction", "target"),
        "actual_value": value,
        **_some(kpi, "green_threshold", "yellow_threshold"),
        "status": light,
        "source_api": kpi["source_api"],
        "escalation_rules": [dict(rule) for rule in rules if rule["kpi_key"] == kpi["kpi_key"]],
        "data_state": NO_DATA if value is None else OK,
        "red_days": int(light == RED),
    }


def _some(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names}


def _called(scope: Scope, red: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rules of the red KPIs whose condition holds, and those that still wait for it (D32).

    Each KPI learns for how many days in a row it is red, as far back as one of its rules asks.
    """
    called: list[dict[str, Any]] = []
    waiting: list[dict[str, Any]] = []
    for kpi in red:
        rules = kpi["escalation_rules"]
        longest = max((rule["hold_days"] for rule in rules), default=1)
        before = history.values(scope, kpi["kpi_key"], longest - 1)
        limits = kpi["green_threshold"], kpi["yellow_threshold"]
        kpi["red_days"] = red_days([RED, *(judged(kpi["direction"], value, *limits) for value in before)])
        for rule in rules:
            place = called if kpi["red_days"] >= rule["hold_days"] else waiting
            place.append(
                {
                    **_some(kpi, "kpi_key", "kpi_name", "actual_value"),
                    **_some(rule, "condition", "escalate_to", "sla_hours", "action", "hold_days"),
                    "red_days": kpi["red_days"],
                }
            )
    return called, waiting


TELL = N_("%(kpi)s: tell %(who)s within %(hours)s h. %(action)s")
WAIT = N_("%(kpi)s: red for %(days)s of %(hold)s days until %(who)s is told")


def _told(one: Mapping[str, Any], text: str) -> Advice:
    who = tuple(T(role.strip()) for role in one["escalate_to"].split("+"))
    told = {"who": who, "hours": one["sla_hours"], "days": one["red_days"], "hold": one["hold_days"]}
    name, action = one["kpi_name"], one["action"]
    names = {"kpi": (T(name),), "action": (T(action),)}
    return Advice("escalate" if text == TELL else "escalation_waits", T(text, **told, **names))
