"""The strip of a job's last days: of each day the last run that did its work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, select

from console.core.context import Context
from console.domain import days as calendar_days
from console.domain.jobs.runs import FINISHED
from console.models.jobs import JobRun
from console.models.types import UtcDateTime
from console.services.common.query_cache import cached_query
from console.services.common.sql import rows_parameter, rows_value

DAYS = 30


@dataclass(frozen=True)
class StripDay:
    """One day: the last run of that day in the business zone with a word of its result, or none."""

    day: date
    run_id: int | None = None
    word: str | None = None
    status: str | None = None


def kept(job_name: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the runs of a job that did their work and were kept."""
    return (
        JobRun.job_name == job_name,
        JobRun.state == FINISHED,
        JobRun.executed.is_(True),
        JobRun.dry_run.is_(False),
    )


def bounded(status: str | None, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """Return the conditions of runs with a status, and with an end from `since` to `until`, where these are given."""
    found = [] if status is None else [JobRun.status == status]
    found += [] if since is None else [JobRun.finished_at >= since]
    return found if until is None else [*found, JobRun.finished_at <= until]


def last_days(ctx: Context, job_name: str, field: str, days: int = DAYS) -> tuple[StripDay, ...]:
    """Return the last run of each of the last `days` days in the business zone, oldest first: one statement.

    `field` of its detail is the word. The permission is the caller's to check.
    """
    zone = ctx.zone
    every_day = calendar_days.last_days(ctx.now(), zone, days)
    key = ("job_days", job_name, zone.key, every_day[0], days)
    return cached_query(ctx, key, lambda: _last_of(ctx, job_name, field, every_day, zone))


def _last_of(
    ctx: Context, job_name: str, field: str, every_day: Sequence[date], zone: ZoneInfo
) -> tuple[StripDay, ...]:
    dialect = ctx.session.get_bind().dialect.name
    spans = pairwise(calendar_days.begins(every_day, zone))
    given = rows_value(dialect, [{"start": start, "until": until} for start, until in spans])
    found = {
        finished_at.astimezone(zone).date(): (run_id, word, status)
        for run_id, finished_at, status, word in ctx.session.execute(_newest(dialect, job_name, field), {"days": given})
        if finished_at is not None
    }
    return tuple(StripDay(day, *found.get(day, ())) for day in every_day)


@cache
def _newest(dialect: str, job_name: str, field: str) -> Select[int, datetime | None, str | None, str]:
    # A step into the index for each day: jobs run often, and their details are large.
    day = rows_parameter(dialect, "days", start=UtcDateTime(), until=UtcDateTime())
    newest = (
        select(JobRun.id)
        .where(*kept(job_name), JobRun.finished_at >= day.c.start, JobRun.finished_at < day.c.until)
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(1)
        .correlate(day)
        .scalar_subquery()
    )
    read = select(JobRun.id, JobRun.finished_at, JobRun.status, JobRun.detail_json[field].as_string())
    return read.where(JobRun.id.in_(select(newest).select_from(day)))
