"""From the schedule to runs: each instant at most once, silence noticed, one run to catch up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import Select, Table, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from console.core.context import Context
from console.domain.jobs import cron
from console.domain.jobs.runs import CRON, QUEUED
from console.domain.jobs.schedule import Due, ScheduleEntry, Standing, decide, look_back_to, standing
from console.models.jobs import JobRun, JobSchedule
from console.services.common.query_cache import cached_query
from console.services.jobs.job import Job, read_options, stored_options
from console.services.jobs.runs import READ, Run, changed, latest_per_job, open_runs

Find = Callable[[str], Job | None]

# The cursor moves at least this often, which shows that a scheduler lives.
SIGN_OF_LIFE = timedelta(seconds=30)
SILENT_AFTER = timedelta(minutes=2)


def tick(ctx: Context, lines: Sequence[ScheduleEntry], find: Find) -> list[int]:
    """Make the runs that are due and return their ids; `ctx` starts reading and turns to writing when needed.

    Any number of schedulers may do this at once: a line's cursor is moved by a conditional update, and an instant that
    has its run already is refused by the database.
    """
    now = ctx.now()
    known = _cursors(ctx, lines)
    work = [(line, *_look(line, known.get(line.key), now)) for line in lines if find(line.job) is not None]
    work = [(line, cursor, due) for line, cursor, due in work if due or _should_move(cursor, now)]
    if not work:
        return []
    ctx.begin_write()
    made = []
    for line, cursor, due in work:
        if not _move(ctx, line, cursor, due, now) or due is None:
            continue
        run_id = _insert(ctx, line, due, find, now)
        if run_id is not None:
            made.append(run_id)
    return made


def _cursors(ctx: Context, lines: Iterable[ScheduleEntry]) -> dict[str, datetime]:
    query = select(JobSchedule.key, JobSchedule.cursor_at).where(JobSchedule.key.in_([line.key for line in lines]))
    return dict(ctx.session.execute(query).all())


def _look(line: ScheduleEntry, cursor: datetime | None, now: datetime) -> tuple[datetime | None, Due | None]:
    if cursor is None:
        return None, None
    instants = cron.between(line.cron, line.zone, look_back_to(cursor, now), now)
    return cursor, decide(instants, now=now, tolerance=line.tolerance)


def _should_move(cursor: datetime | None, now: datetime) -> bool:
    return cursor is None or now - cursor >= SIGN_OF_LIFE or look_back_to(cursor, now) != cursor


def _move(ctx: Context, line: ScheduleEntry, cursor: datetime | None, due: Due | None, now: datetime) -> bool:
    """Move the line's cursor to `now`; False when another scheduler was faster."""
    if cursor is None:
        values = {"key": line.key, "job_name": line.job, "known_since": now, "cursor_at": now}
        return _insert_ignoring(ctx, cast("Table", JobSchedule.__table__), values) is not None
    values = {"cursor_at": now}
    if due is not None and due.missed:
        values |= {"missed_total": JobSchedule.missed_total + due.missed, "last_missed_at": now}
    statement = update(JobSchedule).where(JobSchedule.key == line.key, JobSchedule.cursor_at == cursor)
    return changed(ctx, statement.values(**values)) == 1


def _insert(ctx: Context, line: ScheduleEntry, due: Due, find: Find, now: datetime) -> int | None:
    job = find(line.job)
    if job is None:
        return None
    values = {
        "job_name": line.job,
        "trigger": CRON,
        "state": QUEUED,
        "options_json": stored_options(read_options(job, line.options)),
        "detail_json": {},
        "actor_json": {},
        "progress_json": {},
        "log_json": [],
        "requested_by": "scheduler",
        "requested_at": now,
        "request_id": ctx.request_id[:64],
        "scheduled_for": due.instant,
        "missed_count": due.missed,
        "catch_up": due.catch_up,
    }
    return _insert_ignoring(ctx, cast("Table", JobRun.__table__), values)


def _insert_ignoring(ctx: Context, table: Table, values: dict[str, Any]) -> Any:
    """Insert a row unless a constraint refuses it; returns its key, or None."""
    dialect = postgresql if ctx.session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing()
    return ctx.session.execute(statement.returning(*table.primary_key)).scalar_one_or_none()


@dataclass(frozen=True)
class ScheduleRow:
    """One line of the schedule as the jobs page shows it. Instants are aware UTC.

    `missed_total` counts instants that passed while no scheduler looked; `last_missed_at` is when that was noticed.
    """

    line: ScheduleEntry
    job: Job
    standing: Standing
    last: Run | None
    open: Run | None
    missed_total: int
    last_missed_at: datetime | None


@dataclass(frozen=True)
class ScheduleView:
    """The whole schedule; `seen_at` is when a scheduler last looked, `silent` that none does at the moment."""

    rows: tuple[ScheduleRow, ...]
    seen_at: datetime | None
    silent: bool
    computed_at: datetime

    @property
    def late_count(self) -> int:
        """Return how many lines are late."""
        return sum(row.standing.late for row in self.rows)


def overview(ctx: Context, lines: Sequence[ScheduleEntry], find: Find) -> ScheduleView:
    """Return every line with its last, next, late and missed, in four queries whatever the number of lines."""
    ctx.actor.require(*READ)
    now = ctx.now()
    names = [line.job for line in lines]
    marks = _marks(ctx, lines)
    served = _served(ctx, names)
    last = latest_per_job(ctx, names)
    waiting: dict[str, Run] = {}
    for run in open_runs(ctx):
        waiting.setdefault(run.job_name, run)
    rows = []
    for line in lines:
        job = find(line.job)
        if job is None:
            continue
        mark = marks.get(line.key)
        found = _standing(line, mark, served.get(line.job), now)
        missed, noticed = (mark.missed_total, mark.last_missed_at) if mark else (0, None)
        rows.append(ScheduleRow(line, job, found, last.get(line.job), waiting.get(line.job), missed, noticed))
    seen_at = _seen_at(marks)
    return ScheduleView(tuple(rows), seen_at, _silent(seen_at, now), now)


@dataclass(frozen=True)
class ScheduleHealth:
    """The schedule in three figures: how many lines there are, how many are late, whether nobody looks at them."""

    lines: int
    late_count: int
    silent: bool


def health(ctx: Context, lines: Sequence[ScheduleEntry], find: Find) -> ScheduleHealth:
    """Return what the overview page says of the schedule, in two queries."""
    ctx.actor.require(*READ)
    now = ctx.now()
    known = [line for line in lines if find(line.job) is not None]
    marks = _marks(ctx, known)
    served = _served(ctx, [line.job for line in known])
    late = sum(_standing(line, marks.get(line.key), served.get(line.job), now).late for line in known)
    return ScheduleHealth(len(known), late, _silent(_seen_at(marks), now))


def _marks(ctx: Context, lines: Iterable[ScheduleEntry]) -> dict[str, JobSchedule]:
    keys = [line.key for line in lines]
    return {row.key: row for row in ctx.session.scalars(select(JobSchedule).where(JobSchedule.key.in_(keys)))}


def _standing(line: ScheduleEntry, mark: JobSchedule | None, served_until: datetime | None, now: datetime) -> Standing:
    return standing(
        previous_at=cron.last_until(line.cron, line.zone, now),
        next_at=cron.next_after(line.cron, line.zone, now),
        known_since=mark.known_since if mark else None,
        served_until=served_until,
        tolerance=line.tolerance,
        now=now,
    )


def _seen_at(marks: Mapping[str, JobSchedule]) -> datetime | None:
    return max((mark.cursor_at for mark in marks.values()), default=None)


def _silent(seen_at: datetime | None, now: datetime) -> bool:
    return seen_at is None or now - seen_at > SILENT_AFTER


def _served(ctx: Context, names: Iterable[str]) -> dict[str, datetime]:
    """Return the newest instant of each job whose run has begun."""
    wanted = tuple(dict.fromkeys(names))

    def find() -> dict[str, datetime]:
        found = ctx.session.execute(_newest_begun(wanted)) if wanted else ()
        return {name: instant for name, instant in found if instant is not None}

    return cached_query(ctx, ("served", wanted), find)


@cache
def _newest_begun(names: tuple[str, ...]) -> Select[str, datetime | None]:
    # Made once for a schedule: putting it together costs more than running it.
    wanted = [
        JobRun.id
        == select(JobRun.id)
        .where(JobRun.job_name == name, JobRun.scheduled_for.is_not(None), JobRun.state != QUEUED)
        .order_by(JobRun.scheduled_for.desc())
        .limit(1)
        .scalar_subquery()
        for name in names
    ]
    return select(JobRun.job_name, JobRun.scheduled_for).where(or_(*wanted))
