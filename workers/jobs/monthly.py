"""The job of the monthly reports: each site closes its month on the day that it chose."""

from __future__ import annotations

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome
from console.domain.text import N_
from console.inputs.base import BodyModel
from console.services.jobs.registry import job
from console.services.reports import month_closing


class FreezeOptions(BodyModel):
    """There is nothing to choose: the policies of the sites say when."""


@job(
    job_names.MONTHLY_FREEZE,
    title=N_("Close monthly reports"),
    sentence=N_("Closes the report of the month that is over at each site whose day has come."),
    options=FreezeOptions,
    reads_first=True,
    permission="reports:freeze",
)
def monthly_report_freeze(ctx: Context, _options: FreezeOptions) -> Outcome:
    """Close what is due; nothing to do where no site is."""
    closed, missed = month_closing.freeze_due(ctx)
    return Outcome({"closed": closed, "closed_by_others": missed}, skipped=not closed)
