"""The figures of a period, counted by the database: no run, delivery or finding is loaded."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, case, func, not_, select

from console.core.context import Context
from console.domain.alerts.alerts import DROPPED
from console.domain.reports.periods import Period
from console.domain.reports.quality import SUCCESS, Counted, Summary, summary_of
from console.models.alerts import AlertDelivery
from console.models.jobs import JobRun
from console.models.types import UtcDateTime
from console.services.common.sql import rows_parameter, rows_value
from console.services.gate import gate
from console.services.jobs import runs


def summary(ctx: Context, period: Period) -> Summary:
    """Count runs of jobs by their end, findings of the daily check, and alerts by when they were raised.

    Dry runs count nowhere. Runs that found nothing to do count neither: they are removed after a week already, so
    that the same month would read otherwise later.
    """
    connection = ctx.session.connection()
    dialect = ctx.session.get_bind().dialect.name
    days = [(day, start, until) for day, start, until in period.pieces()]
    given = [{"place": place, "start": start, "until": until} for place, (_day, start, until) in enumerate(days)]
    rows = connection.execute(_runs(dialect), {"days": rows_value(dialect, given)})
    counted = [Counted(days[place][0], name, status, count) for place, name, status, count in rows]
    bounds = {"start": period.start, "until": period.end}
    findings, checks = connection.execute(_findings(), bounds).one()
    sent, delivered = connection.execute(_deliveries(), bounds).one()
    return summary_of(
        counted,
        [day for day, _start, _until in days],
        findings=findings or 0,
        checks=checks,
        sent=sent,
        delivered=delivered or 0,
    )


@cache
def _runs(dialect: str) -> Select[*tuple[Any, ...]]:
    # Every day is a range of the index of ends, so that days are those of the period's zone on both databases.
    day = rows_parameter(dialect, "days", place=Integer(), start=UtcDateTime(), until=UtcDateTime())
    return (
        select(day.c.place, JobRun.job_name, JobRun.status, func.count())
        .select_from(day)
        .join(JobRun, (JobRun.finished_at >= day.c.start) & (JobRun.finished_at < day.c.until))
        .where(JobRun.dry_run.is_(False), not_(runs.skipped()))
        .group_by(day.c.place, JobRun.job_name, JobRun.status)
    )


@cache
def _findings() -> Select[*tuple[Any, ...]]:
    count = JobRun.detail_json["critical_count"].as_integer()
    return select(func.sum(count), func.count()).where(
        JobRun.job_name == gate.DAILY_CHECK,
        JobRun.finished_at >= bindparam("start", type_=UtcDateTime()),
        JobRun.finished_at < bindparam("until", type_=UtcDateTime()),
        JobRun.dry_run.is_(False),
    )


@cache
def _deliveries() -> Select[*tuple[Any, ...]]:
    return select(func.count(), func.sum(case((AlertDelivery.status == SUCCESS, 1), else_=0))).where(
        AlertDelivery.created_at >= bindparam("start", type_=UtcDateTime()),
        AlertDelivery.created_at < bindparam("until", type_=UtcDateTime()),
        # What was dropped because it was handled meanwhile did not fail to arrive.
        AlertDelivery.status != DROPPED,
    )
