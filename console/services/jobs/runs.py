"""Job runs as the rest of the console reads them: one, the latest, a history, what is open.

Asking for a run is `requests`, carrying it out `engine`; schedule and reaper are `schedule` and `upkeep`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import ge, le
from typing import Annotated, Any, cast

from sqlalchemy import ColumnElement, CursorResult, Delete, ScalarSelect, Update, and_, literal, or_, select
from sqlalchemy.orm import undefer

from console.core.context import Context
from console.core.filters import exact, instant
from console.core.listing import Filter, ListQuery, ListSpec, Order, asked
from console.core.records import Fact, JsonObject, view_of
from console.core.revisions import ALWAYS
from console.domain.errors import NotFound
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import FINISHED, QUEUED, REASONS, RUNNING
from console.domain.text import T, Text
from console.inputs.jobs import ProgressOut
from console.models.jobs import JobRun
from console.services.common.lists import slice_of

READ = ("admins:manage", "jobs:read")
# Jobs that look at all sites: what they list is not for readers of one.
OF_ALL_SITES = frozenset(
    {
        *(f"ops_governance_remediation_{word}" for word in ("sync", "escalation", "auto_assign", "kpi", "autopilot")),
        "ops_evidence_archive_integrity",
        "adoption_w07_sla_quality_weekly",
        job_names.SLA_ESCALATION,
    }
)


@dataclass(frozen=True)
class Run:
    """One run of a job; the first seven fields are those of the API contract.

    All instants are aware UTC. `status`, `started_at` and `finished_at` are None until there is something to tell.
    `progress` has `done`, `total` (None: unknown) and `message` as `{msgid, params}`; `log` is filled by `get` only.
    """

    id: int
    job_name: str
    trigger: str
    status: str | None
    started_at: datetime | None
    finished_at: datetime | None
    detail: JsonObject
    state: str
    dry_run: bool
    executed: bool
    options: JsonObject
    requested_by: str
    requested_at: datetime
    scheduled_for: datetime | None
    missed_count: int
    catch_up: bool
    claimed_by: str | None
    heartbeat_at: datetime | None
    cancel_requested: bool
    cancelled_by: str | None
    progress: Annotated[dict[str, Any], Fact(answer=ProgressOut)]
    error_code: str | None
    error_id: str | None
    retry_of: int | None
    request_id: str
    version: int
    log: Annotated[tuple[dict[str, Any], ...], Fact(answer=list[dict[str, Any]], published=False)] = ()

    @property
    def duration(self) -> timedelta | None:
        """Return how long a finished run took."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at

    @property
    def skipped(self) -> bool:
        """Return whether the run ended well because there was nothing to do."""
        return self.status == "success" and not self.executed

    @property
    def queued_at(self) -> datetime:
        """Return when the run was asked for."""
        return self.requested_at

    @property
    def progress_done(self) -> int:
        """Return how many steps are done."""
        return int(self.progress["done"])

    @property
    def progress_total(self) -> int | None:
        """Return how many steps there are, if that is known."""
        total: int | None = self.progress["total"]
        return total

    @property
    def progress_note(self) -> Text | None:
        """Return the last words about the progress."""
        message = self.progress["message"]
        return Text(message["msgid"], message["params"]) if message else None

    @property
    def error(self) -> Text | None:
        """Return why the run ended without its work, for people."""
        return Text(REASONS.get(self.error_code, self.error_code)) if self.error_code else None

    @property
    def summary(self) -> Text | None:
        """Return the run in one sentence; pages of a job that has one say it themselves."""
        return None

    def header(self) -> dict[str, Any]:
        """Return the fields that lead every published answer about a run (API contract, job runs)."""
        return {
            "run_id": self.id,
            "job_name": self.job_name,
            "trigger": self.trigger,
            "status": self.status,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
        }


def view(row: JobRun, *, log: bool = False) -> Run:
    """Return a row as the rest of the console sees it."""
    return view_of(
        Run,
        row,
        detail=row.detail_json,
        options=row.options_json,
        progress={"done": row.progress_done, "total": row.progress_total, "message": row.progress_json},
        log=tuple(row.log_json) if log else (),
    )


def state_is(state: str, table: type[JobRun] = JobRun) -> ColumnElement[bool]:
    """Return the condition for waiting or running rows, written so that the small partial indexes serve it.

    Databases compare it with the condition of the index before they know the values of parameters.
    """
    word = literal(state, literal_execute=True)
    finished = literal(FINISHED, literal_execute=True)
    return and_(table.state == word, table.state != finished)


def skipped(table: Any = JobRun) -> ColumnElement[bool]:
    """Return the condition for finished runs that found nothing to do; `table` is the mapped class or its columns."""
    nothing: ColumnElement[bool] = and_(
        table.status == "success", table.executed.is_(False), table.error_code.is_(None), table.dry_run.is_(False)
    )
    return nothing


def changed(ctx: Context, statement: Update | Delete, values: Sequence[Mapping[str, Any]] | None = None) -> int:
    """Carry out an UPDATE or DELETE, for each of the `values` if given; tells how many rows met its conditions."""
    result = ctx.session.execute(statement, values, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


def get(ctx: Context, run_id: int) -> Run:
    """Return one run with its log; raises NotFound."""
    ctx.actor.require(*READ)
    return _within(ctx, view(row_of(ctx, run_id, log=True), log=True))


def _within(ctx: Context, run: Run) -> Run:
    """Leave the figures of a run that looked at all sites to those who see one: its lists name other sites' items."""
    if ctx.actor.all_sites or run.job_name not in OF_ALL_SITES:
        return run
    # A run for some sites tells nothing of others.
    site, sites = run.detail.get("site"), run.detail.get("allowed_sites")
    looked_at = [site] if site is not None else sites if isinstance(sites, list) else []
    if looked_at and all(ctx.actor.sees(one) for one in looked_at):
        return run
    plain = {name: value for name, value in run.detail.items() if not isinstance(value, (dict, list))}
    return replace(run, detail=plain)


def row_of(ctx: Context, run_id: int, *, log: bool = False) -> JobRun:
    """Return the row of a run as it stands in the database now; raises NotFound."""
    query = select(JobRun).where(JobRun.id == run_id)
    if log:
        query = query.options(undefer(JobRun.log_json))
    row = ctx.session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise NotFound(T("There is no such run"))
    return row


def _state(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    # A run has an end exactly when it is finished, and the ends are what the indexes are made for.
    return JobRun.finished_at.is_not(None) if words == [FINISHED] else state_is(words[0])


def _order(spec: ListSpec, query: ListQuery) -> Order:
    return (JobRun.finished_at.desc(),) if spec.effective(query)["state"] == (FINISHED,) else ()


# Without `state` only finished runs are listed (API contract: a run has a status and an end); instants bound that end.
_LIST = ListSpec(
    name="job_runs",
    base=lambda _ctx: select(JobRun),
    row=lambda row: view(row[0]),
    key=JobRun.id,
    columns=(),
    filters=(
        *exact(JobRun, "job_name", "status", "trigger"),
        Filter("state", "", "text", _state),
        Filter("dry_run", "", "text", lambda _ctx, words, _now: JobRun.dry_run == (words == ["1"])),
        instant("since", ge, JobRun.finished_at),
        instant("until", le, JobRun.finished_at),
    ),
    order=_order,
    implied={"state": (FINISHED,)},
    until=lambda *_: ALWAYS,
)


def listed(ctx: Context, query: ListQuery, *, limit: int = 50, offset: int = 0) -> tuple[list[Run], int]:
    """Return a page of runs, newest first, and how many there are: two queries."""
    ctx.actor.require(*READ)
    found = slice_of(ctx, _LIST, query, limit=limit, offset=offset)
    return [_within(ctx, run) for run in found.items], found.total


def _newest(name: str, *more: ColumnElement[bool]) -> ScalarSelect[int]:
    return (
        select(JobRun.id)
        .where(JobRun.job_name == name, JobRun.finished_at.is_not(None), *more)
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def latest_per_job(
    ctx: Context,
    names: Iterable[str],
    *,
    dry_run: bool | None = False,
    executed: bool | None = None,
    executed_of: Collection[str] = (),
) -> dict[str, Run]:
    """Return the newest finished run of each job that has one, in one query (order: `finished_at`, then id).

    Dry runs are left out unless `dry_run` says otherwise (None: both kinds); `executed` asks for runs whose work ran
    to its end without deciding to skip, which is what cooldowns count from; `executed_of` are jobs of which that is
    asked where `executed` leaves it open.
    """
    more: list[ColumnElement[bool]] = []
    if dry_run is not None:
        more.append(JobRun.dry_run == dry_run)
    if executed is not None:
        more.append(JobRun.executed == executed)
    done = () if executed is not None else (JobRun.executed.is_(True),)
    wanted = [
        JobRun.id == _newest(name, *more, *(done if name in executed_of else ())) for name in dict.fromkeys(names)
    ]
    if not wanted:
        return {}
    return {row.job_name: view(row) for row in ctx.session.scalars(select(JobRun).where(or_(*wanted)))}


def latest(ctx: Context, name: str, *, dry_run: bool | None = False) -> Run | None:
    """Return the newest finished run of a job, or None (API contract: newest `finished_at`, then highest id)."""
    return latest_per_job(ctx, [name], dry_run=dry_run).get(name)


def last_executed(ctx: Context, name: str, *, dry_run: bool | None = False) -> Run | None:
    """Return the newest run of a job that really did its work: neither failed, nor stopped, nor skipped."""
    return latest_per_job(ctx, [name], dry_run=dry_run, executed=True).get(name)


def history(
    ctx: Context,
    name: str,
    *,
    limit: int,
    offset: int = 0,
    status: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    dry_run: bool | None = False,
) -> tuple[list[Run], int]:
    """Return the finished runs of one job, newest first, and how many there are; `since` and `until` bound their end.

    For services that show the history of their own job; the permission is theirs to check.
    """
    query = asked(job_name=name, status=status, since=since, until=until, dry_run=dry_run)
    found = slice_of(ctx, _LIST, query, limit=limit, offset=offset)
    return list(found.items), found.total


def of_job(ctx: Context, run_id: int, name: str) -> Run:
    """Return a run of this job; raises NotFound, for other jobs' runs too. The permission is the caller's to check."""
    found = view(row_of(ctx, run_id))
    if found.job_name != name:
        raise NotFound(T("There is no such run"))
    return found


def current(ctx: Context, name: str, *, dry_run: bool | None = False) -> Run | None:
    """Return the newest run of a job that waits or is under way, else its last finished one as `latest` finds it.

    For services that show their own job; the permission is theirs to check.
    """
    # By the missing end, not by the state: the index of a job's history has them side by side.
    under_way = select(JobRun).where(JobRun.job_name == name, JobRun.finished_at.is_(None))
    row = ctx.session.scalars(under_way.order_by(JobRun.id.desc()).limit(1)).one_or_none()
    return view(row) if row is not None else latest(ctx, name, dry_run=dry_run)


def open_runs(ctx: Context) -> list[Run]:
    """Return everything that waits or runs, running ones first, oldest first, at most 200."""
    ctx.actor.require(*READ)
    query = (
        select(JobRun)
        .where(or_(state_is(RUNNING), state_is(QUEUED)))
        .order_by((JobRun.state == RUNNING).desc(), JobRun.id)
        .limit(200)
    )
    return [view(row) for row in ctx.session.scalars(query)]
