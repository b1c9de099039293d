"""The autopilot before it acts: evaluation, guard and preview (API contract, sections 12.3 to 12.5).

The run in `run` decides by these very functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.core.context import Context
from console.domain.automation import autopilot as domain
from console.domain.automation.autopilot import AutopilotPolicy, Evaluation, Plan
from console.domain.automation.guard import Guard
from console.domain.automation.kpi import KpiMetrics
from console.domain.policies.policy import PolicyWarning
from console.domain.tracker.tracker import REMEDIATION
from console.services.audit import record as audit
from console.services.automation import guard as autopilot_guard
from console.services.automation import kpi
from console.services.automation import plan as autopilot_plan
from console.services.automation.kpi import Kpi
from console.services.policies import policies
from console.services.policies.automation import AUTOPILOT, READ, Effective, effective, typed
from console.services.tracker import summary as tracker
from console.services.tracker.summary import RunState


@dataclass(frozen=True)
class Assessment:
    """Everything that decides whether and how a run would act at one moment (aware UTC).

    `skip_reason` is why it would do nothing, or None.
    """

    checked_at: datetime
    force: bool
    effective: Effective
    kpi: Kpi
    evaluation: Evaluation
    guard: Guard
    skip_reason: str | None
    sync: RunState

    @property
    def policy(self) -> AutopilotPolicy:
        """Return the policy that was asked."""
        return self.effective.policy

    @property
    def metrics(self) -> KpiMetrics:
        """Return the figures before any action."""
        return self.kpi.metrics

    @property
    def planned(self) -> tuple[str, ...]:
        """Return the actions that the figures and the policy ask for."""
        return self.evaluation.planned_actions


def assess(ctx: Context, settings: Effective, *, force: bool = False, dry_run: bool = False) -> Assessment:
    """Measure, evaluate and ask the guard at this moment; writes nothing, permissions are the caller's business."""
    now = ctx.now()
    seen = kpi.snapshot(ctx, settings)
    evaluation = domain.evaluate(settings.policy, seen.metrics, force=force)
    guard = autopilot_guard.evaluate(ctx, now, settings.policy.cooldown_minutes, force=force, dry_run=dry_run)
    reason = domain.skip_reason(settings.policy, guard, evaluation)
    state = tracker.run_state(ctx, REMEDIATION, now)
    return Assessment(now, force, settings, seen, evaluation, guard, reason, state)


@dataclass(frozen=True)
class GuardReport(Guard):
    """The published guard, with what a run would really do and how fresh the tracker is."""

    would_run: bool = False
    would_skip_reason: str | None = None
    last_synced_at: datetime | None = None
    stale: bool = True


@dataclass(frozen=True)
class EvaluationReport:
    """The published evaluation of a policy at one moment."""

    checked_at: datetime
    force: bool
    policy: Mapping[str, Any]
    metrics: KpiMetrics
    should_run_auto_assign: bool
    should_run_escalation: bool
    planned_actions: tuple[str, ...]
    kpi_snapshot: Kpi


@dataclass(frozen=True)
class GuardView:
    """The published answer of the guard."""

    policy_key: str
    policy_updated_at: datetime
    policy: Mapping[str, Any]
    evaluation: EvaluationReport
    guard: GuardReport


@dataclass(frozen=True)
class Preview:
    """The published answer of the preview: guard, evaluation, and the plan with its fingerprint."""

    policy_key: str
    guard: GuardReport
    checked_at: datetime
    force: bool
    policy: Mapping[str, Any]
    metrics: KpiMetrics
    should_run_auto_assign: bool
    should_run_escalation: bool
    planned_actions: tuple[str, ...]
    kpi_snapshot: Kpi
    plan: Plan
    fingerprint: str
    policy_revision: int
    warnings: tuple[PolicyWarning, ...]


def guard_of(seen: Assessment) -> GuardReport:
    """Return the guard as it is answered and stored."""
    return GuardReport(
        **vars(seen.guard),
        would_run=seen.skip_reason is None,
        would_skip_reason=seen.skip_reason,
        last_synced_at=seen.sync.last_synced_at,
        stale=seen.sync.stale,
    )


def _evaluated(seen: Assessment) -> dict[str, Any]:
    return {
        "checked_at": seen.checked_at,
        "force": seen.force,
        "policy": dict(seen.effective.view.values),
        "metrics": seen.metrics,
        "should_run_auto_assign": seen.evaluation.should_run_auto_assign,
        "should_run_escalation": seen.evaluation.should_run_escalation,
        "planned_actions": seen.planned,
        "kpi_snapshot": seen.kpi,
    }


def guard(ctx: Context, *, force: bool = False, dry_run: bool = False) -> GuardView:
    """Return whether a run may act now; for callers who see all sites."""
    seen = _seen(ctx, effective(ctx), force=force, dry_run=dry_run)
    made = guard_of(seen)
    audit.viewed(
        ctx,
        f"{REMEDIATION.audit_prefix}_autopilot_guard_view",
        REMEDIATION.audit_prefix,
        AUTOPILOT.key,
        **{name: getattr(made, name) for name in ("force", "ready", "blocked", "reason")},
        planned_actions=list(seen.planned),
        **kpi.heads(seen.metrics),
    )
    view = seen.effective.view
    report = EvaluationReport(**_evaluated(seen))
    return GuardView(view.policy_key, view.updated_at, dict(view.values), report, made)


def preview(
    ctx: Context, *, force: bool = False, override: Mapping[str, Any] | None = None, dry_run: bool = False
) -> Preview:
    """Show what a run would do now, under the policy or what it would be with `override`; stores nothing.

    Raises Invalid for numbers in the override that are not finite.
    """
    merged = policies.merged(ctx, AUTOPILOT, override or {})
    seen = _seen(ctx, typed(merged), force=force, dry_run=dry_run)
    plan = autopilot_plan.plan(ctx, seen.effective, seen.planned, seen.metrics)
    made = guard_of(seen)
    audit.viewed(
        ctx,
        f"{REMEDIATION.audit_prefix}_autopilot_preview",
        REMEDIATION.audit_prefix,
        AUTOPILOT.key,
        force=force,
        planned_actions=list(seen.planned),
        guard=made.reason,
        **kpi.heads(seen.metrics),
    )
    return Preview(
        policy_key=AUTOPILOT.key,
        guard=made,
        **_evaluated(seen),
        plan=plan,
        fingerprint=plan.fingerprint,
        policy_revision=merged.revision,
        warnings=merged.warnings,
    )


def _seen(ctx: Context, settings: Effective, *, force: bool, dry_run: bool) -> Assessment:
    ctx.actor.require(*READ)
    # A plan names items and people of every site.
    ctx.actor.require_all_sites()
    return assess(ctx, settings, force=force, dry_run=dry_run)
