"""Inputs and answers of gate and plan (API contract, governance gate and remediation plan)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from console.domain.ids import MAX_ID
from console.inputs.base import Instant, OutModel, QueryModel, SiteFilter
from console.inputs.jobs import RunHistoryQuery


class HistoryQuery(RunHistoryQuery):
    """A page of the history."""

    limit: int = Field(20, ge=1, le=100)
    decision: Literal["go", "no_go"] | None = None


class SitesQuery(QueryModel):
    """Of which site; without one of all that the caller may see."""

    site: SiteFilter = None


class PlanQuery(QueryModel):
    """What the plan holds at most."""

    include_warnings: bool = True
    max_items: int = Field(30, ge=1, le=200)
    offset: int = Field(0, ge=0, le=MAX_ID)


class PlanCsvQuery(PlanQuery):
    """The same for the download; `bom` adds the mark that Korean Excel needs."""

    bom: bool = False


class TextOut(OutModel):
    """A sentence as message id and values, for translation."""

    msgid: str
    params: dict[str, Any]


class ReasonOut(OutModel):
    """One reason for the decision."""

    code: str
    rule_ids: list[str]
    message: str
    message_text: TextOut


class SummaryOut(OutModel):
    """Counts and weights of the rules."""

    total_rules: int
    required_rules: int
    passed_rules: int
    failure_count: int
    warning_count: int
    weighted_total: float
    weighted_passed: float
    weighted_score_percent: float


class RuleOut(OutModel):
    """One judged rule."""

    id: str
    required: bool
    status: Literal["pass", "warning", "fail"]
    passed: bool
    weight: float
    message: str
    detail: dict[str, Any]
    message_text: TextOut


class PolicyOut(OutModel):
    """What is required and where the limits are."""

    allow_warning: bool
    max_security_risk_level: str
    require_preflight_no_error: bool
    require_runbook_no_critical: bool
    require_daily_check_recent: bool
    daily_check_max_age_hours: int
    require_dr_restore_valid_recent: bool
    dr_max_age_days: int
    require_deploy_smoke_binding_recent: bool
    deploy_smoke_max_age_hours: int
    require_weekly_streak_target_met: bool
    security_dashboard_days: int
    dr_weight: float
    min_weighted_score_percent: float


class GateOut(OutModel):
    """A verdict."""

    generated_at: Instant
    decision: Literal["go", "no_go"]
    summary: SummaryOut
    rules: list[RuleOut]
    policy: PolicyOut
    reasons: list[ReasonOut]
    failure_count: int
    warning_count: int


class SiteGateOut(OutModel):
    """The verdict of a site."""

    site: str
    generated_at: Instant
    decision: Literal["go", "no_go"]
    reasons: list[ReasonOut]
    summary: SummaryOut
    rules: list[RuleOut]
    failure_count: int
    warning_count: int


class GateRunHead(OutModel):
    """The run of a stored verdict."""

    run_id: int | None
    job_name: str
    trigger: str
    status: str
    started_at: Instant
    finished_at: Instant


class GateRunOut(GateOut, GateRunHead):
    """A stored verdict: the run, then the verdict; `run` and `latest` have the same keys."""


class PlanItemOut(OutModel):
    """One thing to do; `action` is Korean, `reason` English, both translatable beside."""

    item_id: str
    rule_id: str
    rule_status: str
    required: bool
    priority: int
    owner_role: str
    sla_hours: int
    due_at: Instant
    action: str
    reason: str
    detail: dict[str, Any]
    action_text: TextOut
    reason_text: TextOut


class PlanSummaryOut(OutModel):
    """Counts before and after the cut."""

    total_candidates: int
    fail_count: int
    warning_count: int
    item_count: int
    critical_path_count: int


class PlanOut(OutModel):
    """The plan of a fresh verdict."""

    generated_at: Instant
    gate_generated_at: Instant
    decision: str
    include_warnings: bool
    max_items: int
    summary: PlanSummaryOut
    items: list[PlanItemOut]
    plan_source: str
