"""Inputs and answers of preflight, latency, runbook, posture and security dashboard (API contract, operations)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, create_model

from console.domain.reliability.latency import LatencySnapshot
from console.domain.text import Text
from console.inputs.base import Instant, OutModel, QueryModel
from console.inputs.response_models import shape

Sentence = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, Text) else value)]


class PreflightQuery(QueryModel):
    """Whether to look around anew."""

    refresh: bool = False


class DashboardQuery(QueryModel):
    """How far the security dashboard looks back, in days."""

    days: int = Field(30, ge=1, le=180)


class PreflightCheckOut(OutModel):
    """One check."""

    id: str
    severity: str
    status: str
    message: str
    message_text: dict[str, Any]


class PreflightInstanceOut(OutModel):
    """What one process said last."""

    name: str
    kind: str
    started_at: Instant
    computed_at: Instant
    age_seconds: int
    is_live: bool
    overall_status: str
    error_count: int
    warning_count: int


class PreflightOut(OutModel):
    """The preflight that counts, which process says so, its age, and all processes."""

    generated_at: Instant
    env: str
    fail_on_error: bool
    overall_status: str
    has_error: bool
    error_count: int
    warning_count: int
    check_count: int
    checks: list[PreflightCheckOut]
    source: str
    age_seconds: int
    instances: list[PreflightInstanceOut]


LatencyOut = shape(LatencySnapshot, "LatencyOut")


class OpenModel(OutModel):
    """Base of an answer with further keys."""

    model_config = ConfigDict(from_attributes=True, extra="allow")


class RunbookCheckOut(OpenModel):
    """One check; fields of its own stand beside these."""

    id: str
    status: str
    message: str


class RunbookOut(OutModel):
    """All checks; the worst one is the overall status."""

    generated_at: Instant
    overall_status: str
    checks: list[RunbookCheckOut]


PostureOut = create_model(
    "PostureOut",
    __base__=OpenModel,
    __doc__="Settings and stored facts; None is unknown.",
    generated_at=(Instant, ...),
    env=(str, ...),
    rate_limit=(dict[str, Any], ...),
    audit_archive_signing=(dict[str, Any], ...),
    api_latency=(LatencyOut, ...),
    deploy_smoke_policy=(dict[str, Any], ...),
    evidence_archive_integrity_policy=(dict[str, Any], ...),
    preflight=(dict[str, Any], ...),
    ops_quality_reports=(dict[str, Any], ...),
    dr_rehearsal=(dict[str, Any], ...),
    alerting=(dict[str, Any], ...),
    evidence_storage_backend=(str, ...),
    token_policy=(dict[str, Any], ...),
)


class NoisePolicyOut(OutModel):
    """How much alert noise is borne, and how much the newest comparison measured (null: nothing yet)."""

    version: str
    generated_at: Instant
    review_window_days: int
    false_positive_threshold_percent: float
    false_negative_threshold_percent: float
    policy_doc_path: str
    evaluation: dict[str, str]
    false_positive_rate_percent: float | None
    false_negative_rate_percent: float | None
    measured_at: Instant | None
    measured_run_id: int | None
    weeks_above: int


class AnomalyOut(OutModel):
    """Something that stands out."""

    id: str
    status: str
    metric: int
    threshold: int
    message: Sentence


class RiskOut(OutModel):
    """Score 0 to 100 and level."""

    score: int
    level: str


class DashboardOut(OutModel):
    """The security dashboard; `recommendations` are Korean sentences."""

    generated_at: Instant
    window_days: int
    window_start: Instant
    window_end: Instant
    overall_status: str
    risk: RiskOut
    users: dict[str, int]
    tokens: dict[str, int]
    coverage: dict[str, int]
    actions: dict[str, int]
    anomalies: list[AnomalyOut]
    recommendations: list[str]
    top_actors: list[dict[str, Any]]
    recent_sensitive_events: list[dict[str, Any]]
    risk_points: dict[str, int]
    business_time_zone: str
