"""Inputs and answers of the daily check and the monthly review (API contract, daily check and runbook review)."""

from __future__ import annotations

from typing import Any

from pydantic import Field, create_model

from console.inputs.audit import MonthText
from console.inputs.base import Instant, QueryModel
from console.inputs.jobs import RunHistoryQuery
from console.inputs.response_models import RunModel


class LatestQuery(QueryModel):
    """Whether the single checks are wanted."""

    include_checks: bool = True


class CsvQuery(QueryModel):
    """`bom` adds the mark that Korean Excel needs."""

    bom: bool = False


class ArchiveQuery(RunHistoryQuery):
    """How many of the newest checks."""

    limit: int = Field(30, ge=1, le=365)


class ArchiveCsvQuery(RunHistoryQuery, CsvQuery):
    """The same for the download."""

    limit: int = Field(90, ge=1, le=365)


class ReviewQuery(QueryModel):
    """Which month, by default the newest review of all."""

    month: MonthText | None = None


_HEAD: dict[str, Any] = {
    "run_id": (int | None, None),
    "job_name": (str, ...),
    "trigger": (str, ...),
    "status": (str | None, None),
    "started_at": (Instant | None, None),
    "finished_at": (Instant | None, None),
}
_RESULT: dict[str, Any] = {
    "overall_status": (str | None, None),
    "check_count": (int | None, None),
    "warning_count": (int | None, None),
    "critical_count": (int | None, None),
    "alert_level": (str | None, None),
    "alert_attempted": (bool | None, None),
    "alert_dispatched": (bool | None, None),
    "alert_error": (str | None, None),
    "alert_channels": (list[dict[str, Any]] | None, None),
    "security_posture": (dict[str, Any] | None, None),
    "mttr_slo_check": (dict[str, Any] | None, None),
    "summary": (dict[str, Any] | None, None),
    "archive": (dict[str, Any] | None, None),
    "checked_at": (Instant | None, None),
}
# Without `include_checks` the key of the checks is absent, so it is none of the named ones.
LatestOut = create_model("DailyCheckOut", __base__=RunModel, __doc__="A stored daily check.", **_HEAD, **_RESULT)
RunOut = create_model(
    "DailyCheckRunOut",
    __base__=LatestOut,
    __doc__="A daily check as it was just made.",
    checks=(list[dict[str, Any]] | None, None),
)
SummaryOut = create_model(
    "DailyCheckSummaryOut",
    __base__=RunModel,
    __doc__="The newest daily check in short.",
    generated_at=(Instant, ...),
    job_name=(str, ...),
    summary=(dict[str, Any], ...),
    archive=(dict[str, Any] | None, None),
)
ReviewOut = create_model(
    "RunbookReviewOut",
    __base__=RunModel,
    __doc__="A review of a month's deploys.",
    run_id=(int | None, None),
    job_name=(str, ...),
    status=(str | None, None),
    started_at=(Instant | None, None),
    finished_at=(Instant | None, None),
)
