"""Jobs of the remediation automation: escalate, assign, measure, and the autopilot around them."""

from __future__ import annotations

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome
from console.domain.text import N_
from console.inputs.automation import AutoAssignOptions, AutopilotOptions, EscalationOptions, KpiOptions
from console.services.automation import assignment, escalation, kpi
from console.services.automation import facts as run_facts
from console.services.automation import run as autopilot_run
from console.services.automation.escalation import EscalationWish
from console.services.automation.facts import Facts
from console.services.jobs.registry import job
from console.services.jobs.runs import Run
from console.services.policies.automation import effective

MANAGE = "governance:manage"


@job(
    job_names.ESCALATION,
    title=N_("Escalate late items"),
    sentence=N_("Tells about items that became due soon, late or critical, and repeats it after an interval."),
    options=EscalationOptions,
    permission=MANAGE,
)
def remediation_escalation(ctx: Context, options: EscalationOptions) -> Outcome:
    """Escalate, as `POST …/escalate/run` does."""
    ctx.actor.require_all_sites()
    wish = EscalationWish(options.include_due_soon_hours, options.notify)
    made = escalation.escalate(ctx, effective(ctx), wish, dry_run=ctx.dry_run)
    facts = run_facts.of_escalation(made)
    return Outcome(made, made.status, made.skipped, lambda ctx, run: run_facts.keep(ctx, run, facts))


@job(
    job_names.AUTO_ASSIGN,
    title=N_("Assign unassigned items"),
    sentence=N_("Gives open items without assignee to the people with the least load who may work on them."),
    options=AutoAssignOptions,
    permission=MANAGE,
)
def remediation_auto_assign(ctx: Context, options: AutoAssignOptions) -> Outcome:
    """Assign, as `POST …/auto-assign/run` does."""
    ctx.actor.require_all_sites()
    made = assignment.auto_assign(ctx, effective(ctx), options.limit, dry_run=ctx.dry_run)
    facts = run_facts.of_assignment(made)
    return Outcome(made, made.status, made.skipped, lambda ctx, run: run_facts.keep(ctx, run, facts))


@job(
    job_names.KPI,
    title=N_("Measure the remediation"),
    sentence=N_("Measures the backlog, its ages and the throughput, and keeps the size of the backlog."),
    options=KpiOptions,
    reads_first=True,
    permission=MANAGE,
)
def remediation_kpi(ctx: Context, options: KpiOptions) -> Outcome:
    """Measure, as `POST …/kpi/run` does."""
    ctx.actor.require_all_sites()
    made = kpi.snapshot(ctx, effective(ctx), window_days=options.window_days, due_soon_hours=options.due_soon_hours)
    dry_run, facts = ctx.dry_run, Facts(before=made.metrics)

    def keep(ctx: Context, run: Run) -> None:
        run_facts.keep(ctx, run, facts)
        if not dry_run:
            kpi.keep_sample(ctx, run, made.metrics)

    return Outcome(kpi.detail_of(made), made.status, keep=keep)


@job(
    job_names.AUTOPILOT,
    title=N_("Run the autopilot"),
    sentence=N_("Syncs the board, assigns and escalates as far as the policy and the guard allow."),
    options=AutopilotOptions,
    lease_seconds=120,
    permission=MANAGE,
)
def remediation_autopilot(ctx: Context, options: AutopilotOptions) -> Outcome:
    """Run the autopilot, as `POST …/autopilot/run` does."""
    return autopilot_run.run(ctx, force=options.force, expected=options.fingerprint)
