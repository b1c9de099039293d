"""Jobs of the programme: the weekly figures of W07."""

from __future__ import annotations

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome
from console.domain.text import N_
from console.inputs.programme_metrics import WeeklyOptions
from console.services.jobs.registry import job
from console.services.programme import weekly


@job(
    job_names.W07_WEEKLY,
    title=N_("Make the weekly figures of W07"),
    sentence=N_("Counts the quality of the last two weeks, keeps the figures, and tells when it is degraded."),
    options=WeeklyOptions,
    reads_first=True,
    permission=weekly.WRITE,
)
def adoption_w07_weekly(ctx: Context, options: WeeklyOptions) -> Outcome:
    """Make the weekly figures; a warning tells of a degradation, critical that nobody could be told."""
    made, status = weekly.produce(
        ctx,
        site=options.site,
        days=options.days,
        force_notify=options.force_notify,
        write_archive=options.write_archive,
    )
    return Outcome(made, "critical" if status == "critical" else "warning" if status == "warning" else "success")
