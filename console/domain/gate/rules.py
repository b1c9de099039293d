"""The seven rules of the governance gate, the facts they read and the policy they are held against.

Source: API contract, governance gate, rules and deploy binding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import floor
from typing import Any, Generic, NamedTuple, TypeVar

from console.domain.gate.streak import Streak
from console.domain.identity.risk import highest_score, rank
from console.domain.text import T, Text


@dataclass(frozen=True)
class GatePolicy:
    """What is required and where the limits are; the `policy` block of every answer, in its published order."""

    allow_warning: bool = True
    max_security_risk_level: str = "high"
    require_preflight_no_error: bool = True
    require_runbook_no_critical: bool = True
    require_daily_check_recent: bool = False
    daily_check_max_age_hours: int = 36
    require_dr_restore_valid_recent: bool = False
    dr_max_age_days: int = 35
    require_deploy_smoke_binding_recent: bool = False
    deploy_smoke_max_age_hours: int = 72
    require_weekly_streak_target_met: bool = False
    security_dashboard_days: int = 30
    dr_weight: float = 2.0
    min_weighted_score_percent: float = 75.0


@dataclass(frozen=True)
class PreflightFacts:
    """The preflight of the web processes: what it found, which process says so and how old that is.

    Its fields are those of the rule's published detail, in their order; so are those of `RunbookFacts`.
    """

    overall_status: str
    error_count: int
    warning_count: int
    source: str
    computed_at: datetime | None = None
    age_seconds: int | None = None
    is_stale: bool = False
    error_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunbookFacts:
    """A fresh look at the runbook checks."""

    overall_status: str
    critical_count: int
    check_count: int
    critical_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class SecurityFacts:
    """The security risk of the last `window_days` days."""

    risk_level: str
    risk_score: int
    window_days: int


@dataclass(frozen=True)
class LatestRun:
    """The newest finished run of a job."""

    run_id: int
    status: str
    finished_at: datetime
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GateFacts:
    """Everything the rules read; a run is None when its job never finished one."""

    preflight: PreflightFacts
    runbook: RunbookFacts
    security: SecurityFacts
    streak: Streak
    daily_check: LatestRun | None = None
    dr_enabled: bool = True
    dr_rehearsal: LatestRun | None = None
    deploy_smoke: LatestRun | None = None
    require_runbook_gate: bool = True
    checklist_version: str | None = None


@dataclass(frozen=True)
class Rule:
    """One judged rule; `status` is pass, fail (required) or warning (optional)."""

    id: str
    required: bool
    status: str
    passed: bool
    weight: float
    message: Text
    detail: Mapping[str, Any]


class Finding(NamedTuple):
    """What a rule says about the facts, before anybody asks whether it is required."""

    passed: bool
    message: Text
    detail: dict[str, Any]


Facts = TypeVar("Facts")
Policy = TypeVar("Policy")


@dataclass(frozen=True)
class RuleSpec(Generic[Facts, Policy]):
    """A rule: its id, how it looks at the facts, whether it is required and what it weighs."""

    id: str
    look: Callable[[Facts, Policy, datetime], Finding]
    required: Callable[[Policy], bool]
    weight: Callable[[Policy], float]


def evaluate(facts: GateFacts, policy: GatePolicy, now: datetime) -> tuple[Rule, ...]:
    """Judge all rules of the platform in their published order."""
    return judge_all(RULES, facts, policy, now)


def judge_all(
    specs: Iterable[RuleSpec[Facts, Policy]], facts: Facts, policy: Policy, now: datetime
) -> tuple[Rule, ...]:
    """Judge rules in their order at `now` (aware UTC)."""
    return tuple(_judge(spec, facts, policy, now) for spec in specs)


def _judge(spec: RuleSpec[Facts, Policy], facts: Facts, policy: Policy, now: datetime) -> Rule:
    passed, message, detail = spec.look(facts, policy, now)
    required = spec.required(policy)
    status = "pass" if passed else "fail" if required else "warning"
    return Rule(spec.id, required, status, passed, spec.weight(policy), message, detail)


def _preflight(facts: GateFacts, _policy: GatePolicy, _now: datetime) -> Finding:
    seen = facts.preflight
    message = (
        T("Preflight errors: %(count)s (%(ids)s).", count=seen.error_count, ids=", ".join(seen.error_ids))
        if seen.error_count
        else T("Preflight found no errors.")
    )
    return Finding(
        not seen.error_count,
        message,
        {**vars(seen), "computed_at": _iso(seen.computed_at), "error_ids": list(seen.error_ids)},
    )


def _runbook(facts: GateFacts, _policy: GatePolicy, _now: datetime) -> Finding:
    seen = facts.runbook
    message = (
        T("Critical runbook checks: %(count)s (%(ids)s).", count=seen.critical_count, ids=", ".join(seen.critical_ids))
        if seen.critical_count
        else T("No runbook check is critical.")
    )
    return Finding(
        not seen.critical_count,
        message,
        {**vars(seen), "critical_ids": list(seen.critical_ids)},
    )


def _security(facts: GateFacts, policy: GatePolicy, _now: datetime) -> Finding:
    seen, limit = facts.security, policy.max_security_risk_level
    passed = rank(seen.risk_level) <= rank(limit)
    most = highest_score(limit)
    message = (
        T("The security risk score of %(score)s is within the accepted %(most)s.", score=seen.risk_score, most=most)
        if passed
        else T("The security risk score of %(score)s is above the accepted %(most)s.", score=seen.risk_score, most=most)
    )
    return Finding(
        passed,
        message,
        {
            "risk_level": seen.risk_level,
            "risk_score": seen.risk_score,
            "max_risk_level": limit,
            "window_days": seen.window_days,
        },
    )


def _daily_check(facts: GateFacts, policy: GatePolicy, now: datetime) -> Finding:
    run, limit = facts.daily_check, policy.daily_check_max_age_hours
    detail = {"max_age_hours": limit, **_latest(run)}
    if run is None:
        return Finding(False, T("No daily check has run yet."), detail)
    hours = floor(_age(run, now) / timedelta(hours=1))
    if _age(run, now) > timedelta(hours=limit):
        message = T("The last daily check is %(hours)s h old; the limit is %(limit)s h.", hours=hours, limit=limit)
        return Finding(False, message, detail)
    if run.status == "critical":
        return Finding(True, T("The last daily check is %(hours)s h old and ended critical.", hours=hours), detail)
    return Finding(True, T("The last daily check is %(hours)s h old.", hours=hours), detail)


def _dr_restore(facts: GateFacts, policy: GatePolicy, now: datetime) -> Finding:
    run, limit = facts.dr_rehearsal, policy.dr_max_age_days
    valid = run is not None and run.detail.get("restore_valid") is True
    detail = {
        "enabled": facts.dr_enabled,
        "max_age_days": limit,
        **_latest(run),
        "latest_restore_valid": valid if run is not None else None,
    }
    if not facts.dr_enabled:
        passed = not policy.require_dr_restore_valid_recent
        return Finding(passed, T("Recovery rehearsals are switched off."), detail)
    if run is None:
        return Finding(False, T("No recovery rehearsal has run yet."), detail)
    days = floor(_age(run, now) / timedelta(days=1))
    if _age(run, now) > timedelta(days=limit):
        message = T("The last recovery rehearsal is %(days)s d old; the limit is %(limit)s d.", days=days, limit=limit)
        return Finding(False, message, detail)
    if not valid:
        return Finding(False, T("The last recovery rehearsal could not prove a restore."), detail)
    return Finding(True, T("A restore was proven %(days)s d ago.", days=days), detail)


def _deploy_binding(facts: GateFacts, policy: GatePolicy, now: datetime) -> Finding:
    run, limit = facts.deploy_smoke, policy.deploy_smoke_max_age_hours
    stored = run.detail if run is not None else {}
    version = stored.get("checklist_version")
    version_match = None if run is None or facts.checklist_version is None else version == facts.checklist_version
    wanted = {
        "rollback_ready": stored.get("rollback_ready") is True,
        "rollback_reference_match": stored.get("rollback_reference_match") is True,
        "rollback_reference_sha256_match": stored.get("rollback_reference_sha256_match") is True,
        "runbook_gate_passed": not facts.require_runbook_gate or stored.get("runbook_gate_passed") is True,
        "checklist_version_match": version_match is True,
        "ui_main_shell_checked": stored.get("ui_main_shell_checked") is True,
        "ui_main_shell_status": stored.get("ui_main_shell_status") == "ok",
    }
    detail = {
        "max_age_hours": limit,
        **_latest(run),
        "rollback_ready": wanted["rollback_ready"],
        "runbook_gate_passed": stored.get("runbook_gate_passed") is True,
        "rollback_reference_match": wanted["rollback_reference_match"],
        "rollback_reference_sha256_match": stored.get("rollback_reference_sha256_match"),
        "current_checklist_version": facts.checklist_version,
        "latest_checklist_version": version,
        "checklist_version_match": version_match,
        "ui_main_shell_checked": wanted["ui_main_shell_checked"],
        "ui_main_shell_status": stored.get("ui_main_shell_status", "missing"),
    }
    if run is None:
        return Finding(False, T("No deploy smoke test has been recorded yet."), detail)
    if _age(run, now) > timedelta(hours=limit):
        hours = floor(_age(run, now) / timedelta(hours=1))
        message = T(
            "The last deploy smoke test is %(hours)s h old; the limit is %(limit)s h.", hours=hours, limit=limit
        )
        return Finding(False, message, detail)
    missing = [name for name, met in wanted.items() if not met]
    if missing:
        return Finding(
            False, T("The last deploy smoke test does not prove: %(names)s.", names=", ".join(missing)), detail
        )
    return Finding(True, T("The last deploy smoke test matches the rollback guide and the checklist."), detail)


def _weekly_streak(facts: GateFacts, _policy: GatePolicy, _now: datetime) -> Finding:
    seen = facts.streak
    message = T(
        "Weekly quality reports in a row: %(weeks)s of %(target)s.",
        weeks=seen.current_streak_weeks,
        target=seen.target_weeks,
    )
    return Finding(
        seen.target_met,
        message,
        {
            "current_streak_weeks": seen.current_streak_weeks,
            "target_weeks": seen.target_weeks,
            "configured_target_weeks": seen.configured_target_weeks,
            "latest_success_at": _iso(seen.latest_success_at),
        },
    )


def _latest(run: LatestRun | None) -> dict[str, Any]:
    return {
        "latest_run_at": _iso(run.finished_at if run is not None else None),
        "latest_status": run.status if run is not None else "missing",
        "latest_run_id": run.run_id if run is not None else None,
    }


def _iso(at: datetime | None) -> str | None:
    # Details are stored as they are, so they hold nothing that JSON does not know.
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")


def _age(run: LatestRun, now: datetime) -> timedelta:
    return max(now - run.finished_at, timedelta(0))


RULES: tuple[RuleSpec[GateFacts, GatePolicy], ...] = (
    RuleSpec("preflight_no_error", _preflight, lambda p: p.require_preflight_no_error, lambda _: 1.5),
    RuleSpec("runbook_no_critical", _runbook, lambda p: p.require_runbook_no_critical, lambda _: 2.0),
    RuleSpec("security_risk_within_max", _security, lambda _: True, lambda _: 1.25),
    RuleSpec("daily_check_recent", _daily_check, lambda p: p.require_daily_check_recent, lambda _: 1.0),
    RuleSpec(
        "dr_restore_valid_recent", _dr_restore, lambda p: p.require_dr_restore_valid_recent, lambda p: p.dr_weight
    ),
    RuleSpec(
        "deploy_smoke_binding_recent", _deploy_binding, lambda p: p.require_deploy_smoke_binding_recent, lambda _: 1.5
    ),
    RuleSpec("weekly_streak_target_met", _weekly_streak, lambda p: p.require_weekly_streak_target_met, lambda _: 0.75),
)
