"""Inputs and answers of alert deliveries (API contract, alerts)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from console.domain.ids import MAX_ID
from console.inputs.base import (
    BodyModel,
    Instant,
    InstantIn,
    OutModel,
    PathModel,
    QueryModel,
    RowId,
    SiteName,
    WrittenBody,
)

TRIED_AGAIN = ("failed", "warning")


def _statuses(words: list[str]) -> list[str]:
    # Published rule: lower-cased, each once, sorted; an empty list means the default.
    return sorted({word.strip().lower() for word in words if word.strip()}) or list(TRIED_AGAIN)


Statuses = Annotated[list[Annotated[str, Field(max_length=20)]], AfterValidator(_statuses)]


class DeliveryPath(PathModel):
    """A delivery by id."""

    delivery_id: RowId


class DeliveriesQuery(QueryModel):
    """Which deliveries, newest attempt first."""

    event_type: str | None = Field(None, max_length=80)
    status: str | None = Field(None, max_length=20)
    limit: int = Field(100, ge=1, le=300)
    offset: int = Field(0, ge=0, le=2**31 - 1)


class RetriesIn(WrittenBody):
    """Which failed deliveries are tried again at once."""

    event_type: str | None = Field(None, max_length=80)
    only_status: Statuses = Field(default_factory=lambda: list(TRIED_AGAIN), max_length=20)
    limit: int = Field(200, ge=1, le=5000)
    max_attempt_count: int = Field(10, ge=1, le=1000)
    min_last_attempt_age_sec: int = Field(30, ge=0, le=86400)


class RetriesOut(OutModel):
    """What a batch retry did (API contract, retries)."""

    checked_at: Instant
    event_type: str | None
    limit: int
    processed_count: int
    success_count: int
    warning_count: int
    failed_count: int
    delivery_ids: list[int]
    run_id: int | None


class MarkPath(PathModel):
    """A mark by id."""

    mark_id: RowId


_Reason = Annotated[str, Field(min_length=1, max_length=500)]


class FalseAlertIn(BodyModel):
    """Why an alert was false."""

    reason: _Reason


class MissedAlertIn(BodyModel):
    """An incident that nobody was alerted about; without `site` it is one of the platform."""

    what: str = Field(min_length=1, max_length=300)
    happened_at: InstantIn
    reason: _Reason
    site: SiteName | None = None


class WithdrawMarkIn(BodyModel):
    """The mark as the caller saw it, and why it is taken back."""

    version: int = Field(ge=1, le=MAX_ID)
    reason: _Reason


class MarksQuery(QueryModel):
    """Which marks, newest first."""

    kind: Literal["false", "missed"] | None = None
    limit: int = Field(100, ge=1, le=200)


class FindingsQuery(QueryModel):
    """Which findings of the newest comparison, newest first; `figure` names those that one figure counts."""

    figure: Literal["missed", "false", "escalations", "jobs"] | None = None
    label: str | None = Field(None, max_length=40)
    limit: int = Field(100, ge=1, le=300)
    offset: int = Field(0, ge=0, le=2**31 - 1)


class WeekOut(OutModel):
    """The rates of seven days; `above` names the limits that they are above."""

    start: Instant
    end: Instant
    alert_count: int
    false_count: int
    false_percent: float | None
    incident_count: int
    missed_count: int
    missed_percent: float | None
    above: list[Literal["missed", "false"]]


class AccuracyOut(OutModel):
    """A comparison of who should have been told with what happened; rates are null where there was nothing to judge."""

    run_id: int
    job_name: str
    trigger: str
    status: str
    started_at: Instant
    finished_at: Instant
    generated_at: Instant
    window_days: int
    window_start: Instant
    schedule_since: Instant
    standing: Literal["ok", "warning", "critical"]
    weeks_above: int
    false_limit_percent: float
    missed_limit_percent: float
    alert_count: int
    false_count: int
    false_percent: float | None
    incident_count: int
    missed_count: int
    missed_percent: float | None
    escalation_count: int
    instant_count: int
    item_count: int
    event_count: int
    labels: dict[str, int]
    weeks: list[WeekOut]
    kept_count: int
