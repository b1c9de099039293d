"""Jobs of the runbook: the daily check and the monthly review of the runbook gate."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from console.core.context import Context
from console.domain.audit.archive import month_of
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome
from console.domain.text import N_
from console.inputs.audit import MonthText
from console.inputs.base import BodyModel
from console.services.jobs.registry import job
from console.services.remediation import checks
from console.services.runbook import daily, review


@job(
    job_names.DAILY_CHECK,
    title=N_("Run the daily check"),
    sentence=N_("Judges every runbook check, tells whoever has to know, and keeps the result as JSON and CSV."),
    reads_first=True,
    permission="jobs:run",
)
def daily_check(ctx: Context, _options: Any) -> Outcome:
    """Judge, tell, keep and open the work; the run has the status of the worst check."""
    return daily.check(ctx, checks.follow)


class ReviewOptions(BodyModel):
    """Which month, by default the current UTC one, and what the reviewer noted."""

    # What is no month is refused before there is a run of it.
    month: Annotated[MonthText, AfterValidator(lambda text: month_of(text).text)] | None = Field(
        None, title=N_("Month")
    )
    notes: str = Field("", max_length=2000, title=N_("Note"))


@job(
    job_names.RUNBOOK_REVIEW,
    title=N_("Review the runbook gate"),
    sentence=N_("Puts on record that somebody looked at a month's deploys for misses and false alarms of the gate."),
    options=ReviewOptions,
    reads_first=True,
    permission="admins:manage",
)
def runbook_review(ctx: Context, options: ReviewOptions) -> dict[str, Any]:
    """Keep the review with its candidates."""
    return review.make(ctx, month=options.month, notes=options.notes)
