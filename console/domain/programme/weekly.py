"""The weekly figures of W07 as points of a trend (API contract, W07 weekly automation)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

JOB = "adoption_w07_sla_quality_weekly"


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
