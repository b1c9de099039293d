"""Inputs and answers of the quality reports (API contract, quality reports)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import create_model

from console.domain.gate.streak import Streak
from console.domain.reports.quality import Summary
from console.inputs.audit import MonthText
from console.inputs.base import Instant, OutModel, QueryModel
from console.inputs.response_models import RunModel, shape

Window = Literal["weekly", "monthly"]
StreakOut = shape(Streak, "WeeklyStreakOut")


class MonthQuery(QueryModel):
    """Which month; without one it is the UTC month under way."""

    month: MonthText | None = None


class CsvQuery(QueryModel):
    """`bom` adds the mark that Korean Excel needs."""

    bom: bool = False


class MonthCsvQuery(MonthQuery, CsvQuery):
    """The same for the CSV."""


class RunQuery(MonthQuery):
    """Which report is made and kept; `month` counts for the monthly one alone."""

    window: Window = "weekly"


class PeriodOut(OutModel):
    """Start and end, which is exclusive, the zone of its days, and whether it was over."""

    start: Instant
    end: Instant
    time_zone: str
    finished: bool


class PreflightOut(OutModel):
    """The preflight of the moment, which process says so and how old that is."""

    overall_status: str
    error_count: int
    warning_count: int
    source: str
    age_seconds: int | None


class ActorOut(OutModel):
    """How many actions somebody has on record."""

    actor: str
    action_count: int


class SecurityOut(OutModel):
    """The security dashboard over as many days as the period has, ending at the moment of the report."""

    overall_status: str
    anomaly_count: int
    top_actors: list[ActorOut]
    window_days: int
    window_end: Instant


class NoisePolicyOut(OutModel):
    """How much alert noise is borne."""

    review_window_days: int
    false_positive_threshold_percent: float
    false_negative_threshold_percent: float


class OfNowOut(OutModel):
    """Which parts of the report are of the moment and not of the period."""

    at: Instant
    fields: list[str]


QualityReportOut = create_model(
    "QualityReportOut",
    __base__=OutModel,
    __doc__="One quality report.",
    template_version=(str, ...),
    generated_at=(Instant, ...),
    window=(Window, ...),
    label=(str, ...),
    period=(PeriodOut, ...),
    summary=(shape(Summary, "QualitySummaryOut"), ...),
    preflight=(PreflightOut, ...),
    admin_security=(SecurityOut, ...),
    weekly_streak=(StreakOut, ...),
    alert_noise_policy=(NoisePolicyOut, ...),
    recommendations=(list[str], ...),
    recommendation_ids=(list[str], ...),
    of_now=(OfNowOut, ...),
)


class ArchiveOut(OutModel):
    """What became of the files of a run."""

    enabled: bool
    path: str
    retention_days: int
    json_file: str | None
    csv_file: str | None
    pruned_files: int
    error: str | None
    pdf_file: str | None
    pdf_file_english: str | None


class QualityRunOut(RunModel):
    """A run that made a report, its archive and the streak after it."""

    run_id: int
    job_name: str
    trigger: str
    status: Literal["success", "warning", "critical"]
    window: str | None = None
    label: str | None = None
    started_at: Instant
    finished_at: Instant
    archive: ArchiveOut | None = None
    streak: dict[str, Any] | None = None
    report: dict[str, Any] | None = None
