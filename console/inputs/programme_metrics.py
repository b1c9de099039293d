"""Types and bounds of the metrics of the weeks (API contract, metric APIs)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, create_model

from console.domain.programme.measures import Metric
from console.inputs.base import BodyModel, Instant, OutModel, QueryModel, SiteFilter


class MetricQuery(QueryModel):
    """One site, or all that the caller sees."""

    site: SiteFilter = None
    days: int


def query_of(metric: Metric) -> type[MetricQuery]:
    """Return the query of a metric with its bounds."""
    days: Any = (int, Field(metric.default, ge=metric.least, le=metric.most))
    more: dict[str, Any] = {
        "blockers": {"max_items": (int, Field(3, ge=1, le=10))},
        "site-benchmark": {"limit": (int, Field(10, ge=1, le=30))},
    }.get(metric.path, {})
    name = f"{metric.code.upper()}{metric.path.title().replace('-', '')}Query"
    return create_model(name, __base__=MetricQuery, __doc__=f"{metric.key}.", days=days, **more)


class _Answer(OutModel):
    model_config = ConfigDict(from_attributes=True, extra="allow")

    generated_at: Instant
    site: str | None
    window_days: int


class MetricOut(_Answer):
    """A metric: its values by their published names, then the further keys of its week.

    `no_data` names values that have nothing behind them.
    """

    metrics: dict[str, Any]
    data_state: Literal["ok", "no_data"]
    no_data: list[str]


class BlockerOut(OutModel):
    """One thing that stands in the way; `count` is of `unit`."""

    blocker_key: str
    title: str
    count: int
    unit: Literal["count", "minutes", "percent_points"]
    source: str
    recommendation: str


class BlockersOut(_Answer):
    """What stands in the way of the first success."""

    top: list[BlockerOut]
    counts: dict[str, int]


class BenchmarkOut(_Answer):
    """The sites by their discipline, the best first."""

    count: int
    items: list[dict[str, Any]]
    thresholds: dict[str, float]


class WeeklyOptions(BodyModel):
    """One weekly run of W07: a site or all, the window in days, and whether the cooldown is passed over."""

    site: SiteFilter = None
    days: int = Field(14, ge=7, le=90)
    force_notify: bool = False
    write_archive: bool | None = None


class WeeklyRunQuery(QueryModel):
    """The same, as the address says it."""

    site: SiteFilter = None
    days: int = Field(14, ge=7, le=90)
    force_notify: bool = False
    write_archive: bool | None = None


class WeeklySiteQuery(QueryModel):
    """One site, or all together."""

    site: SiteFilter = None


class TrendsQuery(WeeklySiteQuery):
    """The newest points; `include_sites` puts runs of single sites beside those of all."""

    limit: int = Field(26, ge=1, le=104)
    include_sites: bool = False


class ArchiveQuery(WeeklySiteQuery):
    """The newest points as CSV."""

    limit: int = Field(52, ge=1, le=104)


class LatestWeeklyOut(OutModel):
    """The newest weekly run; its keys are those of the run that stored it."""

    model_config = ConfigDict(from_attributes=True, extra="allow")

    run_id: int
    job_name: str
    trigger: str
    status: Literal["success", "warning", "critical"]
    started_at: Instant
    finished_at: Instant


class AutomationOut(OutModel):
    """Whether the weekly run works by itself; the name of a channel is masked."""

    generated_at: Instant
    site: str | None
    overall_status: Literal["ok", "warning", "critical"]
    checks: list[dict[str, Any]]
    runtime: dict[str, Any]
    policy: dict[str, Any]
    integration: dict[str, Any]
