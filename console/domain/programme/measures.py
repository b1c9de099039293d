"""The metrics of the weeks W04 to W15: addresses, bounds, what their values mean. One more entry is one more metric.

How a value is counted stands beside it as a sentence; the counting itself is in the services, by `key`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.programme.judge import HIGHER, LOWER
from console.domain.programme.repeats import REPEATS
from console.domain.programme.snapshot import RowsOf
from console.domain.text import N_
from console.domain.work_orders import waiting

PERCENT, MINUTES, COUNT, SCORE = "percent", "minutes", "count", "score"
# What was created, inspected or raised in the window, whatever became of it.
WINDOW = "window"
ORDERS, INSPECTIONS = "work_orders", "inspections"
LATE = RowsOf(ORDERS, {"due": "late"})


@dataclass(frozen=True)
class Measure:
    """One value of a metric as people read it. `name` and `formula` are message ids; `inputs` are tables.

    `threshold` is the goal or limit: a number, or the place of one in the answer (`thresholds.…`). `rows` are the rows
    behind the number; with the filter `window` those of the window alone.
    """

    key: str
    name: str
    unit: str
    formula: str
    inputs: tuple[str, ...]
    direction: str = HIGHER
    threshold: float | str | None = None
    rows: RowsOf | None = None


@dataclass(frozen=True)
class Metric:
    """One published metric: its week, the end of its address, the word of its audit entry and its window in days."""

    code: str
    path: str
    action: str
    least: int
    most: int
    default: int
    name: str
    measures: tuple[Measure, ...] = ()

    @property
    def key(self) -> str:
        """Return `w07/sla-quality`."""
        return f"{self.code}/{self.path}"


def _orders(**filters: str) -> RowsOf:
    return RowsOf(ORDERS, {WINDOW: "1", "state": "all", **filters})


_FUNNEL = (
    Measure(
        *("median_ttv_minutes", N_("Time to the first success"), MINUTES),
        N_("Median of the minutes from the first sign-in to the first completed order"),
        ("admin_audit_logs", "work_order_events"),
        LOWER,
        15.0,
        RowsOf(ORDERS, {"state": "closed"}),
    ),
    Measure(
        *("inspection_conversion_rate_percent", N_("People who inspected"), PERCENT),
        N_("People with an inspection of all who signed in or worked"),
        ("inspections", "admin_audit_logs"),
        HIGHER,
        70.0,
        RowsOf(INSPECTIONS, {WINDOW: "1"}),
    ),
    Measure(
        *("work_order_completion_rate_percent", N_("People who completed an order"), PERCENT),
        N_("People with a completed order of all who signed in or worked"),
        ("work_order_events", "admin_audit_logs"),
        HIGHER,
        50.0,
        RowsOf(ORDERS, {"state": "closed"}),
    ),
)
_CONSISTENCY = (
    Measure(
        *("two_week_retention_percent", N_("Two-week retention"), PERCENT),
        N_("People active in both halves of the window of those active in the first"),
        ("work_order_events", "inspections"),
        HIGHER,
        65.0,
    ),
    Measure(
        *("overdue_ratio_percent", N_("Late among the open orders"), PERCENT),
        N_("Open orders past their due date of all open ones"),
        ("work_orders",),
        LOWER,
        25.0,
        LATE,
    ),
    Measure(
        *("inspection_activity_users", N_("People who inspect"), COUNT),
        N_("Inspectors named in inspections of the window"),
        ("inspections",),
        HIGHER,
        3.0,
        RowsOf(INSPECTIONS, {WINDOW: "1"}),
    ),
)
_RHYTHM = (
    Measure(
        *("weekly_active_rate_percent", N_("Weekly active rate"), PERCENT),
        N_("People who did something on three of the last seven days of all who should"),
        ("admin_users", "work_order_events", "inspections"),
        HIGHER,
        75.0,
    ),
    Measure(
        *("cadence_adherence_percent", N_("Handover brief looked at"), PERCENT),
        N_("Days with a handover brief of the working days of the window"),
        ("admin_audit_logs",),
        HIGHER,
        80.0,
    ),
    Measure(
        *("users_without_active_token", N_("People without a live token"), COUNT),
        N_("People of the sites who have no live API token"),
        ("admin_users", "admin_tokens"),
        LOWER,
        None,
        RowsOf("tokens"),
    ),
    Measure(
        *("overdue_open_work_orders", N_("Late orders"), COUNT),
        N_("Open orders past their due date"),
        ("work_orders",),
        LOWER,
        0.0,
        LATE,
    ),
)
_QUALITY = (
    Measure(
        *("median_ack_minutes", N_("Median of the first answer"), MINUTES),
        N_("Median of the minutes from creation to the first answer, of orders created in the window"),
        ("work_orders",),
        LOWER,
        None,
        _orders(),
    ),
    Measure(
        *("mttr_waiting_share_percent", N_("Waiting in the time to completion"), PERCENT),
        waiting.DEFINITION,
        ("work_orders", "work_order_holds"),
        LOWER,
        None,
        _orders(status="completed"),
    ),
    Measure(
        *("sla_violation_rate_percent", N_("SLA violation rate"), PERCENT),
        N_("Orders completed late or still open past their due date of all created in the window; canceled ones never"),
        ("work_orders",),
        LOWER,
        20.0,
        _orders(violated="1"),
    ),
    Measure(
        *("escalation_rate_percent", N_("Escalation rate"), PERCENT),
        N_("Escalated orders of all created in the window"),
        ("work_orders",),
        LOWER,
        "thresholds.escalation_rate_percent",
        _orders(escalated="1"),
    ),
    Measure(
        *("alert_success_rate_percent", N_("Alerts that arrived"), PERCENT),
        N_("Delivered alerts of all raised in the window"),
        ("alert_deliveries",),
        HIGHER,
        "thresholds.alert_success_rate_percent",
        RowsOf("alerts", {WINDOW: "1", "needed": "1"}),
    ),
)
_DISCIPLINE = (
    Measure(
        *("discipline_score", N_("Report discipline score"), SCORE),
        N_("100 less the risk of incomplete, late and broken orders, and up to 15 points for exported reports"),
        ("work_orders", "admin_audit_logs"),
        HIGHER,
        85.0,
        _orders(),
    ),
    Measure(
        *("overdue_rate_percent", N_("Late among the orders of the window"), PERCENT),
        N_("Orders of the window that are open past their due date of all created in it"),
        ("work_orders",),
        LOWER,
        10.0,
        _orders(due="late"),
    ),
    Measure(
        *("sla_violation_rate_percent", N_("SLA violation rate"), PERCENT),
        N_("Orders completed late or still open past their due date of all created in the window; canceled ones never"),
        ("work_orders",),
        LOWER,
        10.0,
        _orders(violated="1"),
    ),
    Measure(
        *("report_export_coverage_percent", N_("Exported monthly reports"), PERCENT),
        N_("Exports of the monthly report of two expected every 30 days at each site"),
        ("admin_audit_logs",),
        HIGHER,
        "thresholds.report_export_coverage_percent",
        None,
    ),
)

METRICS: Mapping[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric("w04", "funnel", "w04_funnel_view", 1, 90, 30, N_("First success"), _FUNNEL),
        Metric("w04", "blockers", "w04_blockers_view", 1, 90, 30, N_("What stands in the way")),
        Metric("w05", "consistency", "w05_usage_consistency_view", 14, 90, 28, N_("Consistency"), _CONSISTENCY),
        Metric("w06", "rhythm", "w06_operational_rhythm_view", 7, 90, 14, N_("Rhythm"), _RHYTHM),
        Metric("w07", "sla-quality", "w07_sla_quality_view", 7, 90, 14, N_("SLA quality"), _QUALITY),
        Metric(
            *("w08", "report-discipline", "w08_report_discipline_view", 14, 120, 30),
            *(N_("Report discipline"), _DISCIPLINE),
        ),
        Metric("w08", "site-benchmark", "w08_site_benchmark_view", 14, 120, 30, N_("Benchmark of the sites")),
        Metric("w09", "kpi-operation", "w09_kpi_operation_view", 14, 120, 30, N_("KPIs")),
        *(
            Metric(code, one.path, f"{code}_{one.path.replace('-', '_')}_view", 14, 120, 30, N_("Readiness"))
            for code, one in REPEATS.items()
        ),
    )
}
# The metric that the page of a week shows.
OF_WEEK: Mapping[str, Metric] = {
    metric.code: metric for metric in METRICS.values() if metric.path not in ("blockers", "site-benchmark")
}
