"""Jobs of handovers: what nobody confirmed in time is told."""

from __future__ import annotations

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome
from console.domain.text import N_
from console.services.handover import escalate
from console.services.handover.shifts import WRITE
from console.services.jobs.job import NoOptions
from console.services.jobs.registry import job


@job(
    job_names.HANDOVER_ESCALATION,
    title=N_("Tell about handovers that nobody confirmed"),
    sentence=N_("Tells once about each handover that is past its deadline with lines that nobody confirmed."),
    permission=WRITE,
)
def handover_escalation(ctx: Context, _options: NoOptions) -> Outcome:
    """Escalate; a warning where nobody could be told."""
    made = escalate.escalate(ctx, dry_run=ctx.dry_run)
    return Outcome(made, "warning" if made.alert_error else "success", skipped=not made.late_count)
