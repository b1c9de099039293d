"""Jobs of work orders: what is late escalates."""

from __future__ import annotations

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import CRON, Outcome
from console.domain.text import N_
from console.inputs.facility_sla import SlaEscalationOptions
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
