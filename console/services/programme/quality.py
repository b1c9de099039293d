"""W07: how fast orders are answered, how many promises break, and whether alerts arrive (API contract, W07)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select

from console.core.config import Config
from console.domain.alerts.alerts import DROPPED
from console.domain.jobs import names as job_names
from console.domain.programme.judge import NO_DATA, OK, improvement, known_rate, rate
from console.domain.programme.measures import WINDOW
from console.domain.programme.snapshot import Advice, RowsOf, Snapshot, advised
from console.domain.text import N_, T
from console.domain.work_orders.waiting import Waited, together
from console.models.alerts import AlertDelivery
from console.models.jobs import JobRun
from console.models.work_orders import WorkOrder
from console.services.programme import orders
from console.services.programme.orders import ACK, REPAIR, Created, Open, Took
from console.services.programme.scope import Scope
from console.services.work_orders import waiting

TARGET_IMPROVEMENT, QUALITY_ISSUES = 10.0, 5.0
SLOW_P90, MANY_VIOLATIONS = 120.0, 20.0
SITES_MOST = 5
# Entries that contradict themselves.
CRITICAL_CHECKS = (
    *("completed_without_completed_at_count", "ack_before_created_count", "completion_before_created_count"),
    "due_before_created_count",
)
PRIORITIES = ("low", "medium", "high", "critical", "unknown")


@dataclass(frozen=True)
class Thresholds:
    """What the installation takes for bad, in percent."""

    escalation_rate_percent: float
    alert_success_rate_percent: float
    data_quality_issue_rate_percent: float = QUALITY_ISSUES


def thresholds(config: Config) -> Thresholds:
    """Return the thresholds of the settings."""
    return Thresholds(
        config["W07_QUALITY_ALERT_ESCALATION_RATE_THRESHOLD"], config["W07_QUALITY_ALERT_SUCCESS_RATE_THRESHOLD"]
    )


def snapshot(scope: Scope) -> Snapshot:
    """Return the quality of the window beside the one before it: ten queries."""
    limits = thresholds(scope.ctx.config)
    by_site = orders.created_by_site(scope)
    made = orders.total(by_site)
    open_now = orders.open_by_site(scope)
    opened = orders.open_total(open_now)
    ack_by_site = orders.took(scope, ACK, WorkOrder.site) if scope.site is None else {}
    ack = orders.took(scope, ACK).get(None, Took())
    before = orders.took(scope.ending(scope.start), ACK).get(None, Took())
    repair = orders.took(scope, REPAIR).get(None, Took())
    priorities = orders.took(scope, REPAIR, WorkOrder.priority)
    waited = waiting.of_completed(scope.ctx, *scope.orders(), by=WorkOrder.priority)
    sent, arrived = _alerts(scope)
    runs = _runs(scope)
    better = improvement(before.median, ack.median)
    checks = _checks(made)
    issues, critical = sum(checks.values()), sum(checks[name] for name in CRITICAL_CHECKS)
    issue_rate = rate(issues, made.created)
    passes = not critical and issue_rate <= QUALITY_ISSUES
    metrics = {
        "created_work_orders": made.created,
        "acked_work_orders": made.acked,
        "completed_work_orders": made.completed,
        "median_ack_minutes": ack.median,
        "p90_ack_minutes": ack.p90,
        "baseline_median_ack_minutes": before.median,
        "response_time_improvement_percent": better,
        "target_met": better is not None and better >= TARGET_IMPROVEMENT,
        "median_mttr_minutes": repair.median,
        "mttr_waiting_share_percent": together(waited.values()).percent,
        "priority_mttr_minutes": {word: priorities.get(word, Took()).median for word in PRIORITIES},
        "priority_waiting_share_percent": {word: waited.get(word, Waited()).percent for word in PRIORITIES},
        "sla_violation_count": made.violated,
        "sla_violation_rate_percent": rate(made.violated, made.created),
        "open_work_orders": opened.open,
        "overdue_open_work_orders": opened.overdue,
        "escalated_open_work_orders": opened.escalated,
        "escalated_work_orders": made.escalated,
        "escalation_rate_percent": rate(made.escalated, made.created),
        "alert_total": sent,
        "alert_success_count": arrived,
        "alert_success_rate_percent": known_rate(arrived, sent),
        "sla_run_count": runs,
        "data_quality_gate_pass": passes,
        "data_quality_issue_count": issues,
        "data_quality_critical_issue_count": critical,
        "data_quality_issue_rate_percent": issue_rate,
    }
    quality = {
        "gate_pass": passes,
        "issue_count": issues,
        "critical_issue_count": critical,
        "issue_rate_percent": issue_rate,
        "checks": checks,
    }
    rates = ("sla_violation_rate_percent", "escalation_rate_percent", "data_quality_issue_rate_percent")
    nothing = (
        *("median_ack_minutes", "p90_ack_minutes", "response_time_improvement_percent", "median_mttr_minutes"),
        "mttr_waiting_share_percent",
    )
    return Snapshot(
        generated_at=scope.end,
        site=scope.site,
        window_days=scope.days,
        head={
            "baseline_days": scope.days,
            "target_response_improvement_percent": TARGET_IMPROVEMENT,
            "thresholds": vars(limits),
        },
        metrics=metrics,
        parts={"data_quality": quality, "top_risk_sites": _riskiest(by_site, open_now, ack_by_site, ack)},
        advice=_advice(metrics, limits, scope.days),
        no_data=(
            *(() if made.created else rates),
            *(() if sent else ("alert_success_rate_percent",)),
            *(key for key in nothing if metrics[key] is None),
        ),
        data_state=OK if made.created or opened.open or sent else NO_DATA,
    )


def _checks(made: Created) -> dict[str, int]:
    """Return what was found wrong in the entries."""
    return {
        "missing_due_at_count": made.missing_due,
        "missing_priority_count": made.missing_priority,
        "invalid_status_count": made.invalid_status,
        "completed_without_completed_at_count": made.completed_without_time,
        "ack_before_created_count": made.ack_before_created,
        "completion_before_created_count": made.completion_before_created,
        "due_before_created_count": made.due_before_created,
    }


def _alerts(scope: Scope) -> tuple[int, int]:
    """Return how many alerts of the window were needed and how many of them arrived; all sites know those of none."""
    wanted = select(func.count(), func.count().filter(AlertDelivery.status == "success"))
    within = (*scope.within(AlertDelivery.created_at), AlertDelivery.status != DROPPED)
    wanted = wanted.where(*within, scope.on(AlertDelivery.site))
    sent, arrived = scope.ctx.session.execute(wanted).one()
    return sent, arrived


def _runs(scope: Scope) -> int:
    """Return how often late orders were escalated: runs of all sites, and of those that are looked at."""
    of = JobRun.options_json["site"].as_string()
    wanted = select(func.count()).where(
        JobRun.job_name == job_names.SLA_ESCALATION,
        *scope.within(JobRun.finished_at),
        JobRun.dry_run.is_(False),
        or_(of.is_(None), scope.on(of)),
    )
    return scope.ctx.session.scalar(wanted) or 0


def _riskiest(
    by_site: Mapping[str, Created], open_now: Mapping[str, Open], acks: Mapping[str, Took], own: Took
) -> list[dict[str, Any]]:
    found = []
    for site in {*by_site, *open_now}:
        made, opened = by_site.get(site, Created()), open_now.get(site, Open())
        ack = acks.get(site, Took()) if acks or len({*by_site, *open_now}) > 1 else own
        found.append(
            {
                "site": site,
                "open_work_orders": opened.open,
                "overdue_open_work_orders": opened.overdue,
                "escalated_open_work_orders": opened.escalated,
                "escalation_rate_percent": rate(made.escalated, made.created),
                "sla_violation_rate_percent": rate(made.violated, made.created),
                "median_ack_minutes": ack.median,
                "p90_ack_minutes": ack.p90,
            }
        )
    return sorted(found, key=_risk)[:SITES_MOST]


def _risk(row: Mapping[str, Any]) -> tuple[Any, ...]:
    worst = ("sla_violation_rate_percent", "escalation_rate_percent", "overdue_open_work_orders", "open_work_orders")
    return (*(-row[key] for key in worst), row["site"])


def _advice(metrics: Mapping[str, Any], limits: Thresholds, days: int) -> tuple[Advice, ...]:
    better, p90, alerts = (
        metrics[key] for key in ("response_time_improvement_percent", "p90_ack_minutes", "alert_success_rate_percent")
    )
    late, among = RowsOf("work_orders", {"due": "late"}), {WINDOW: "1", "state": "all"}

    def due(code: str, text: str, condition: bool, rows: RowsOf | None = None, **values: Any) -> Advice | None:
        return Advice(code, T(text, **values), rows) if condition else None

    return advised(
        (
            due("no_comparison", N_("There is no earlier window to compare with yet."), better is None),
            due(
                "slow_improvement",
                N_("Orders are not answered 10 % faster than before: look at who answers first in each shift."),
                better is not None and better < TARGET_IMPROVEMENT,
            ),
            due(
                "slow_answers",
                N_("One order in ten waits longer than two hours for an answer."),
                p90 is not None and p90 > SLOW_P90,
                RowsOf("work_orders", among),
            ),
            due(
                "violations",
                N_("More than 20 % of the orders broke their SLA."),
                metrics["sla_violation_rate_percent"] > MANY_VIOLATIONS,
                RowsOf("work_orders", {**among, "violated": "1"}),
            ),
            due(
                "overdue",
                N_("Orders past their due date: %(count)s."),
                metrics["overdue_open_work_orders"] > 0,
                late,
                count=metrics["overdue_open_work_orders"],
            ),
            due(
                "escalations",
                N_("The escalation rate is above its limit."),
                metrics["created_work_orders"] > 0
                and metrics["escalation_rate_percent"] >= limits.escalation_rate_percent,
                RowsOf("work_orders", {**among, "escalated": "1"}),
            ),
            due(
                "alerts_lost",
                N_("Too many alerts do not arrive: test the channels."),
                alerts is not None and alerts < limits.alert_success_rate_percent,
                RowsOf("channels"),
            ),
            due(
                "few_escalation_runs",
                N_("Late orders are looked for too seldom: the job of the escalation does not run."),
                metrics["sla_run_count"] < max(1, days // 7),
                RowsOf("jobs"),
            ),
            due(
                "data_quality",
                N_("Entries contradict themselves: times before the order was made."),
                not metrics["data_quality_gate_pass"],
            ),
        )
    )
