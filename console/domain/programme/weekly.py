"""The weekly figures of W07: when they are degraded, and as points of a trend (API contract, W07 weekly automation)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from console.domain.jobs import names as job_names

JOB = job_names.W07_WEEKLY
CRON = "30 23 * * 5"
# A run of this age still counts as recent.
RECENT = timedelta(days=8)
LEAST_VIOLATIONS = 10.0
SIGNALS = (
    *("escalation_rate_percent", "alert_success_rate_percent", "sla_violation_rate_percent"),
    *("data_quality_gate_pass", "response_time_improvement_percent"),
)


@dataclass(frozen=True)
class Point:
    """One weekly run; figures that the run does not know are None."""

    run_id: int
    finished_at: datetime | None
    site: str | None
    status: str
    window_days: int | None
    degraded: bool | None
    escalation_rate_percent: float | None
    alert_success_rate_percent: float | None
    sla_violation_rate_percent: float | None
    median_ack_minutes: float | None
    p90_ack_minutes: float | None
    median_mttr_minutes: float | None
    data_quality_gate_pass: bool | None


POINT_FIELDS = tuple(item.name for item in fields(Point))
_FIGURES = POINT_FIELDS[6:]


def point_of(run_id: int, finished_at: datetime | None, status: str, detail: Mapping[str, Any]) -> Point:
    """Read a point from the detail of a run, as the job writes it."""
    metrics = (detail.get("snapshot") or {}).get("metrics") or {}
    return Point(
        run_id=run_id,
        finished_at=finished_at,
        site=detail.get("site"),
        status=status,
        window_days=detail.get("window_days"),
        degraded=(detail.get("degradation") or {}).get("degraded"),
        **{name: metrics.get(name) for name in _FIGURES},
    )


@dataclass(frozen=True)
class Degradation:
    """Whether the quality is worse than is borne, why, and by which values and limits (percent)."""

    degraded: bool
    reasons: tuple[str, ...]
    signals: Mapping[str, Any]
    thresholds: Mapping[str, float]


def degradation(metrics: Mapping[str, Any], *, escalation: float, alert_success: float) -> Degradation:
    """Judge the figures of a window. What nobody knows is no degradation: without orders or alerts nothing is worse."""
    limits = {
        "escalation_rate_percent": escalation,
        "alert_success_rate_percent": alert_success,
        "sla_violation_rate_percent": max(LEAST_VIOLATIONS, escalation),
    }
    signals = {name: metrics[name] for name in SIGNALS}
    arrived, better = signals["alert_success_rate_percent"], signals["response_time_improvement_percent"]
    any_orders = metrics["created_work_orders"] > 0
    found = {
        "escalation_rate": any_orders and signals["escalation_rate_percent"] >= limits["escalation_rate_percent"],
        "alert_success_rate": arrived is not None and arrived < limits["alert_success_rate_percent"],
        "sla_violation_rate": any_orders
        and signals["sla_violation_rate_percent"] >= limits["sla_violation_rate_percent"],
        "data_quality_gate": not signals["data_quality_gate_pass"],
        "response_time_worse": better is not None and better < 0,
    }
    reasons = tuple(name for name, bad in found.items() if bad)
    return Degradation(bool(reasons), reasons, signals, limits)


def remaining_minutes(last_at: datetime | None, now: datetime, cooldown_minutes: int) -> int:
    """Return how long no further alert is sent, in whole minutes that are not over; 0 when one may be sent."""
    if last_at is None:
        return 0
    left = last_at + timedelta(minutes=cooldown_minutes) - now
    return max(0, -int(-left.total_seconds() // 60))


def status_of(found: Degradation, *, attempted: bool, dispatched: bool) -> str:
    """Return the status of a run: a degradation is a warning, and critical when nobody could be told."""
    if not found.degraded:
        return "success"
    return "critical" if attempted and not dispatched else "warning"
