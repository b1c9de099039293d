"""Jobs of the quality reports: the week and the month that are over, with their papers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from console.core.context import Context
from console.domain.audit.archive import month_of
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome
from console.domain.reports.periods import MONTHLY, WEEKLY, Period
from console.domain.text import N_
from console.inputs.audit import MonthText
from console.inputs.base import BodyModel
from console.services.jobs.registry import job
from console.services.reports import quality

# `finished` is the last week or month of the business zone that is over; `recent` is what the API reports by default:
# the last seven days, or the UTC month that is under way.
Range = Literal["finished", "recent"]


class WeeklyOptions(BodyModel):
    """Which week, and whether it is drawn as a paper too."""

    period: Range = Field("finished", title=N_("Period"))
    papers: bool = Field(True, title=N_("Also as PDF"))


class MonthlyOptions(WeeklyOptions):
    """Which month, where it is named."""

    # What is no month is refused before there is a run of it.
    month: Annotated[MonthText, AfterValidator(lambda text: month_of(text).text)] | None = Field(
        None, title=N_("Month")
    )


def _period(ctx: Context, window: str, options: WeeklyOptions, month: str | None = None) -> Period:
    chosen = quality.finished if options.period == "finished" else quality.recent
    return chosen(ctx, window, month)


def _produced(ctx: Context, period: Period, options: WeeklyOptions) -> Outcome:
    made = quality.produce(ctx, period, papers=options.papers)
    return Outcome(made.detail, "warning" if made.status == "warning" else "success")


@job(
    job_names.QUALITY_WEEKLY,
    title=N_("Write the weekly quality report"),
    sentence=N_("Counts the week that is over and keeps the report as JSON, CSV and PDF."),
    options=WeeklyOptions,
    reads_first=True,
    permission="jobs:run",
)
def quality_report_weekly(ctx: Context, options: WeeklyOptions) -> Outcome:
    """Report a week; a warning tells of critical findings of the daily check."""
    return _produced(ctx, _period(ctx, WEEKLY, options), options)


@job(
    job_names.QUALITY_MONTHLY,
    title=N_("Write the monthly quality report"),
    sentence=N_("Counts the month that is over and keeps the report as JSON, CSV and PDF."),
    options=MonthlyOptions,
    reads_first=True,
    permission="jobs:run",
)
def quality_report_monthly(ctx: Context, options: MonthlyOptions) -> Outcome:
    """Report a month; a warning tells of critical findings of the daily check."""
    return _produced(ctx, _period(ctx, MONTHLY, options, options.month), options)
