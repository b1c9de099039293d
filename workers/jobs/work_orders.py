"""Jobs of work orders: what is late escalates."""

from __future__ import annotations

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import CRON, Outcome
from console.domain.text import N_
from console.inputs.facility_sla import SlaEscalationOptions, SlaReplayOptions
from console.services.facility_sla import replays
from console.services.jobs.registry import job
from console.services.jobs.runs import Run
from console.services.work_orders import escalation


@job(
    job_names.SLA_ESCALATION,
    title=N_("Escalate late work orders"),
    sentence=N_("Tells once about each work order that is past its due date and the grace of its site."),
    options=SlaEscalationOptions,
    permission=escalation.ESCALATE,
)
def sla_escalation(ctx: Context, options: SlaEscalationOptions) -> Outcome:
    """Escalate, as `POST …/escalations/run` does; a warning where nobody could be told."""
    made = escalation.escalate(ctx, site=options.site, limit=options.limit, dry_run=ctx.dry_run)

    def keep(own: Context, run: Run) -> None:
        # Published for callers; the scheduled runs would flood the trail.
        if run.trigger != CRON and not run.dry_run:
            escalation.record_run(own, made)

    return Outcome(made, "warning" if made.alert_error else "success", keep=keep)


@job(
    job_names.SLA_REPLAY,
    title=N_("Replay a proposed SLA policy"),
    sentence=N_(
        "Walks the recorded events once more under the proposed policy, and proves itself by the one in force."
    ),
    options=SlaReplayOptions,
    reads_first=True,
    permission="admins:manage",
)
def sla_replay(ctx: Context, options: SlaReplayOptions) -> Outcome:
    """Replay a proposal; a warning when the policies that were in force do not give what was recorded."""
    policy, made = replays.run_for_proposal(ctx, options.proposal_id, options.days)
    detail = {
        "proposal_id": options.proposal_id,
        "start_at": made.start_at,
        "end_at": made.end_at,
        "orders": made.orders,
        "events": made.events,
        "breaches_before": made.breaches_before,
        "breaches_after": made.breaches_after,
        "escalations_before": made.escalations_before,
        "escalations_after": made.escalations_after,
        "changed_count": made.changed_count,
        "recorded": made.recorded,
        "proven": made.proven,
    }

    def keep(own: Context, run: Run) -> None:
        if not run.dry_run:
            replays.keep(own, made, policy, options.proposal_id)

    return Outcome(detail, "success" if made.proven else "warning", keep=keep)
