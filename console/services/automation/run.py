"""One run of the autopilot: sync, evaluate, guard, assign, escalate, facts (API contract, sections 12.6 and 21).

The job engine holds the lock and the transaction: all of a run is kept, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import structlog

from console.core.context import Context
from console.domain.automation import autopilot as domain
from console.domain.automation.autopilot import AUTO_ASSIGN, ESCALATION, PLAN_CHANGED, POLICY_DISABLED, SYNC
from console.domain.automation.kpi import KpiMetrics
from console.domain.errors import DomainError
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Cancelled, LeaseLost, Outcome
from console.domain.text import T
from console.services.automation import assignment, escalation, kpi_sql, shadow
from console.services.automation import facts as run_facts
from console.services.automation import plan as autopilot_plan
from console.services.automation import preview as autopilot
from console.services.automation.assignment import AutoAssigned
from console.services.automation.escalation import Escalated, EscalationWish
from console.services.automation.facts import Facts, Nested
from console.services.automation.preview import Assessment, GuardReport
from console.services.jobs.progress import progress
from console.services.policies.automation import effective
from console.services.remediation import sync as tracker_sync

log = structlog.get_logger("automation")


@dataclass(frozen=True)
class ActionResult:
    """What became of one action: its status, how many items it changed, and what broke."""

    action: str
    status: str
    changed: int = 0
    error_code: str | None = None


@dataclass(frozen=True)
class AutopilotRun:
    """What a run of the autopilot found and did (API contract, section 12.6).

    The two nested results are runs of their own and stand here in answers only. `metrics` are the figures before the
    actions, `metrics_after` those after them (null when nothing was done).
    """

    enabled: bool
    dry_run: bool
    force: bool
    policy_key: str
    policy_updated_at: datetime
    policy: Mapping[str, Any]
    metrics: KpiMetrics
    guard: GuardReport
    skipped: bool
    skip_reason: str | None
    planned_actions: tuple[str, ...]
    actions: tuple[str, ...]
    should_run_auto_assign: bool
    should_run_escalation: bool
    auto_assign: Mapping[str, Any] | None
    escalation: Mapping[str, Any] | None
    errors: tuple[str, ...]
    metrics_after: KpiMetrics | None
    action_results: tuple[ActionResult, ...]
    fingerprint: str
    policy_revision: int


@dataclass
class _Steps:
    """What a run has done so far."""

    results: list[ActionResult] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    nested: list[Nested] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)


def run(ctx: Context, *, force: bool = False, expected: str | None = None) -> Outcome:
    """Carry one run out, for all sites, as the policy and the guard say.

    `expected` is the fingerprint of the plan that somebody agreed to: when the plan is another one by now, nothing is
    done and the run is closed as skipped with the reason `plan_changed`.
    """
    ctx.actor.require_all_sites()
    dry_run = ctx.dry_run
    settings = effective(ctx)
    steps = _Steps()
    progress(ctx, 0, 4, T("Looking at the figures"))
    if settings.policy.acts and settings.policy.sync_before_run and not dry_run:
        _try(ctx, SYNC, steps, lambda: _sync(ctx))
    seen = autopilot.assess(ctx, settings, force=force, dry_run=dry_run)
    drawn = autopilot_plan.draw(ctx, settings, seen.planned)
    mark = autopilot_plan.fingerprint_of(settings, seen.planned, drawn)
    reason = seen.skip_reason
    if reason is None and expected is not None and expected != mark:
        reason = PLAN_CHANGED
    if not dry_run:
        shadow.observe(ctx, seen, drawn, reason)
    after: KpiMetrics | None = None
    if reason is None:
        _act(ctx, seen, steps, dry_run=dry_run)
        after = None if dry_run else _measured(ctx, seen)
    progress(ctx, 4, 4, T("Done"))
    return _outcome(seen, steps, reason=reason, after=after, mark=mark, dry_run=dry_run)


def refused(ctx: Context, *, force: bool, dry_run: bool, reason: str) -> Outcome:
    """Return the outcome of a run that may not even begin, with everything that a run tells."""
    seen = autopilot.assess(ctx, effective(ctx), force=force, dry_run=dry_run)
    mark = autopilot_plan.fingerprint_of(
        seen.effective, seen.planned, autopilot_plan.draw(ctx, seen.effective, seen.planned)
    )
    return _outcome(seen, _Steps(), reason=reason, after=None, mark=mark, dry_run=dry_run)


def _sync(ctx: Context) -> ActionResult:
    made = tracker_sync.sync(ctx)
    changed = made.created_count + made.reopened_count + made.resolved_count + made.raised_count
    return ActionResult(SYNC, "success", changed)


def _act(ctx: Context, seen: Assessment, steps: _Steps, *, dry_run: bool) -> None:
    """Carry out the planned actions; what breaks is told and the next one still runs."""
    works: dict[str, Callable[[], ActionResult]] = {
        AUTO_ASSIGN: lambda: _auto_assign(ctx, seen, steps, dry_run=dry_run),
        ESCALATION: lambda: _escalate(ctx, seen, steps, dry_run=dry_run),
    }
    for number, action in enumerate(seen.planned, start=1):
        # The kill switch is looked at before every action, not only at the start.
        if not effective(ctx).policy.acts:
            steps.results.append(ActionResult(action, "skipped", error_code=POLICY_DISABLED))
            continue
        progress(ctx, number, 4, T("Assigning items") if action == AUTO_ASSIGN else T("Escalating late items"))
        steps.actions.append(action)
        _try(ctx, action, steps, works[action])


def _try(ctx: Context, action: str, steps: _Steps, work: Callable[[], ActionResult]) -> None:
    """Do one thing in a savepoint; a failure undoes it alone, and what may be read of it is told."""
    attempt = ctx.session.begin_nested()
    kept = len(steps.nested)
    try:
        result = work()
        ctx.session.flush()
        attempt.commit()
    except (Cancelled, LeaseLost):
        raise
    except Exception as error:
        attempt.rollback()
        del steps.nested[kept:]
        error_id = uuid4().hex
        log.exception("autopilot_action_failed", action=action, error_id=error_id)
        known = isinstance(error, DomainError)
        told = str(error) if known else f"internal error {error_id}"
        steps.errors.append(f"{action} failed: {told}")
        code = error.code if isinstance(error, DomainError) else "internal"
        steps.results.append(ActionResult(action, "critical", error_code=code))
    else:
        steps.results.append(result)


def _auto_assign(ctx: Context, seen: Assessment, steps: _Steps, *, dry_run: bool) -> ActionResult:
    started = ctx.now()
    made: AutoAssigned = assignment.auto_assign(ctx, seen.effective, None, dry_run=dry_run)
    steps.nested.append(
        Nested(job_names.AUTO_ASSIGN, made.status, started, ctx.now(), made, dry_run, run_facts.of_assignment(made))
    )
    return ActionResult(AUTO_ASSIGN, made.status, made.assigned_count)


def _escalate(ctx: Context, seen: Assessment, steps: _Steps, *, dry_run: bool) -> ActionResult:
    started = ctx.now()
    made: Escalated = escalation.escalate(ctx, seen.effective, EscalationWish(), dry_run=dry_run)
    steps.nested.append(
        Nested(job_names.ESCALATION, made.status, started, ctx.now(), made, dry_run, run_facts.of_escalation(made))
    )
    changed = 0 if dry_run else made.notified_count
    return ActionResult(ESCALATION, made.status, changed, made.notify_error)


def _measured(ctx: Context, seen: Assessment) -> KpiMetrics:
    policy = seen.policy
    return kpi_sql.metrics(ctx, ctx.now(), window_days=policy.kpi_window_days, due_soon_hours=policy.kpi_due_soon_hours)


def _outcome(
    seen: Assessment, steps: _Steps, *, reason: str | None, after: KpiMetrics | None, mark: str, dry_run: bool
) -> Outcome:
    status = domain.run_status(seen.metrics, seen.planned, errors=len(steps.errors), disabled=reason == POLICY_DISABLED)
    view = seen.effective.view
    detail = AutopilotRun(
        enabled=seen.policy.acts,
        dry_run=dry_run,
        force=seen.force,
        policy_key=view.policy_key,
        policy_updated_at=view.updated_at,
        policy=dict(view.values),
        metrics=seen.metrics,
        guard=autopilot.guard_of(seen),
        skipped=reason is not None,
        skip_reason=reason,
        planned_actions=seen.planned,
        actions=tuple(steps.actions),
        should_run_auto_assign=seen.evaluation.should_run_auto_assign,
        should_run_escalation=seen.evaluation.should_run_escalation,
        auto_assign=None,
        escalation=None,
        errors=tuple(steps.errors),
        metrics_after=after,
        action_results=tuple(steps.results),
        fingerprint=mark,
        policy_revision=view.revision,
    )
    facts = Facts(
        force=seen.force,
        skipped=reason is not None,
        skip_reason=reason,
        planned=seen.planned,
        actions=tuple(steps.actions),
        errors_count=len(steps.errors),
        before=seen.metrics,
        after=after,
        assigned_count=sum(one.facts.assigned_count for one in steps.nested),
        notified_count=sum(one.facts.notified_count for one in steps.nested),
        suppressed_count=sum(one.facts.suppressed_count for one in steps.nested),
        policy_revision=view.revision,
        fingerprint=mark,
    )
    nested = tuple(steps.nested)
    return Outcome(
        detail,
        "warning" if reason == PLAN_CHANGED else status,
        skipped=reason is not None,
        keep=lambda ctx, run: run_facts.keep(ctx, run, facts, nested),
    )
