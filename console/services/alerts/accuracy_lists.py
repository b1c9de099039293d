"""What the newest comparison found, as pages and programs read it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from sqlalchemy import ColumnElement, ScalarSelect, or_, select

from console.core.context import Context
from console.core.filters import one_of
from console.core.listing import AnySelect, Choices, Filter, ListQuery, ListSpec
from console.core.records import Fact, JsonObject, columns_of, view_of
from console.domain.alerts import accuracy as domain
from console.domain.errors import NotFound
from console.domain.jobs import names as job_names
from console.domain.runbook.accuracy_check import NoiseFacts
from console.domain.text import N_, T
from console.models.alerts import AlertFinding
from console.models.jobs import JobRun
from console.services.alerts.outbox import READ
from console.services.common.lists import Slice, slice_of
from console.services.jobs import runs as job_runs
from console.services.jobs.runs import Run

HISTORY_DAYS = 60
LABELS: Choices = (
    (domain.LOST_ESCALATION, N_("Escalation lost")),
    (domain.LATE_ESCALATION, N_("Escalation late")),
    (domain.LOST_REPEAT, N_("Repeat lost")),
    (domain.MISSED_ASSIGNMENT, N_("Not assigned")),
    (domain.NO_CHANNEL, N_("No channel to tell")),
    (domain.MISSED_ALERT, N_("Alert reached nobody")),
    (domain.RECORDED_MISSED, N_("Recorded as missed")),
    (domain.DOUBLED_ALERT, N_("Alert twice")),
    (domain.WITHOUT_CAUSE, N_("Alert without cause")),
    (domain.MARKED_FALSE, N_("Marked as false")),
    (domain.DEAD_CHANNEL, N_("Channel dead")),
    (domain.DELETED_DELIVERY, N_("Delivery deleted")),
    (domain.LATE_JOB, N_("Job late")),
    (domain.LOST_JOB, N_("Job lost")),
    (domain.DOUBLED_JOB, N_("Job twice")),
    (domain.CLOCK_JUMP, N_("Clock was set")),
)
FIGURES: Choices = (
    (domain.MISSED, N_("Missed alerts")),
    (domain.FALSE, N_("False alarms")),
    (domain.ESCALATIONS, N_("Lost escalations")),
    (domain.JOBS, N_("Late scheduled jobs")),
)


@dataclass(frozen=True)
class FindingView:
    """One thing that was not as it should have been; `found_run_id` is the run that it is about."""

    id: int
    label: Annotated[str, Fact(N_("Finding"), sort=True)]
    at: Annotated[datetime, Fact(N_("When"), sort=True)]
    until: datetime | None
    count: Annotated[int, Fact(N_("Count"), sort=True, numeric=True)]
    site: Annotated[str | None, Fact(N_("Site"), sort=True, shown=False)]
    item_id: int | None
    delivery_id: int | None
    found_run_id: int | None
    job_name: Annotated[str | None, Fact(N_("Job"), sort=True, shown=False)]
    channel: str | None
    detail: JsonObject


def _newest() -> ScalarSelect[int]:
    return (
        select(JobRun.id)
        .where(JobRun.job_name == job_names.ALERT_ACCURACY, JobRun.executed.is_(True), JobRun.dry_run.is_(False))
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _base(ctx: Context) -> AnySelect:
    ctx.actor.require(*READ)
    mine: list[ColumnElement[bool]] = []
    if not ctx.actor.all_sites:
        mine = [or_(AlertFinding.site.is_(None), AlertFinding.site.in_(ctx.actor.site_scope))]
    return select(AlertFinding).where(AlertFinding.run_id == _newest(), *mine)


def _figure(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    return AlertFinding.label.in_([label for word in words for label in domain.FIGURES.get(word, ())])


FINDINGS = ListSpec(
    name="alert_findings",
    base=_base,
    row=lambda row: view_of(FindingView, row[0]),
    key=AlertFinding.id,
    columns=columns_of(FindingView, AlertFinding, "label", "at", "count", "site", "job_name"),
    filters=(
        Filter("figure", N_("Figure"), "choice", _figure, FIGURES, multiple=False),
        Filter("label", N_("Finding"), "choice", one_of(AlertFinding.label), LABELS),
    ),
    order=(AlertFinding.at.desc(),),
)


def listed(ctx: Context, query: ListQuery, *, limit: int = 100, offset: int = 0) -> Slice:
    """Return findings of the newest comparison, newest first; a label that is none finds nothing."""
    free = Filter("label", "", "text", one_of(AlertFinding.label))
    spec = replace(FINDINGS, name="alert_findings_api", filters=(FINDINGS.filters[0], free))
    return slice_of(ctx, spec, query, limit=limit, offset=offset)


def latest(ctx: Context) -> Run | None:
    """Return the newest comparison that ran to its end, or None; its detail has the numbers."""
    ctx.actor.require(*READ)
    return job_runs.last_executed(ctx, job_names.ALERT_ACCURACY)


def latest_answer(ctx: Context) -> dict[str, Any]:
    """Return the newest comparison as its run answers; raises NotFound when there is none."""
    run = latest(ctx)
    if run is None:
        raise NotFound(T("The accuracy of alerts was not checked yet"))
    return {**run.header(), **run.detail}


def history(ctx: Context) -> list[Run]:
    """Return the comparisons of the last sixty days, oldest first; dry runs and those that broke off are left out."""
    ctx.actor.require(*READ)
    since = ctx.now() - timedelta(days=HISTORY_DAYS)
    found, _total = job_runs.history(ctx, job_names.ALERT_ACCURACY, limit=HISTORY_DAYS, since=since)
    return [run for run in reversed(found) if run.executed]


def noise_facts(ctx: Context) -> NoiseFacts:
    """Return what is known of the newest comparison: one query."""
    return noise_of(ctx, job_runs.last_executed(ctx, job_names.ALERT_ACCURACY))


def noise_of(ctx: Context, run: Run | None) -> NoiseFacts:
    """Return what the newest comparison that came to its end found."""
    if run is None or run.finished_at is None:
        return NoiseFacts(ctx.now())
    seen = run.detail
    return NoiseFacts(
        ctx.now(),
        run.id,
        run.finished_at,
        standing=seen["standing"],
        weeks_above=seen["weeks_above"],
        false_percent=seen["false_percent"],
        missed_percent=seen["missed_percent"],
        false_limit_percent=seen["false_limit_percent"],
        missed_limit_percent=seen["missed_limit_percent"],
    )
