"""Jobs of recovery: the drill that proves that a backup comes back."""

from __future__ import annotations

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome
from console.domain.text import N_
from console.inputs.recovery import DrillOptions
from console.services.jobs.registry import job
from console.services.recovery import drill


@job(
    job_names.DR_REHEARSAL,
    title=N_("Rehearse the recovery"),
    sentence=N_("Makes a sealed backup, restores it into an empty database and compares every table."),
    options=DrillOptions,
    reads_first=True,
    permission="admins:manage",
)
def dr_rehearsal(ctx: Context, options: DrillOptions) -> Outcome:
    """Make a backup and prove it; a warning when the copy differs, critical when it could not be made or read."""
    return drill.rehearse(ctx, restore_check=options.restore_check)
