"""The list of finished runs on the jobs page, read through the list engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, not_, select

from console.core.context import Context
from console.core.listing import Column, Filter, ListSpec, day_filters
from console.domain.jobs.runs import TRIGGERS
from console.domain.text import N_
from console.services.jobs.progress import RUNS
from console.services.jobs.runs import READ, skipped

# Counting stops here: the page says "more than", and nobody leafs through so many runs.
COUNTED = 2_000


@dataclass(frozen=True)
class RunRow:
    """One finished run in the list: everything but its detail."""

    id: int
    job_name: str
    trigger: str
    status: str
    started_at: datetime
    finished_at: datetime
    dry_run: bool
    requested_by: str
    scheduled_for: datetime | None
    missed_count: int
    catch_up: bool
    error_code: str | None
    executed: bool

    @property
    def skipped(self) -> bool:
        """Return whether the run ended well because there was nothing to do."""
        return self.status == "success" and not self.executed

    @property
    def seconds(self) -> float:
        """Return how long the run took."""
        return (self.finished_at - self.started_at).total_seconds()


_FIELDS = (
    RUNS.c.id,
    RUNS.c.job_name,
    RUNS.c.trigger,
    RUNS.c.status,
    RUNS.c.started_at,
    RUNS.c.finished_at,
    RUNS.c.dry_run,
    RUNS.c.requested_by,
    RUNS.c.scheduled_for,
    RUNS.c.missed_count,
    RUNS.c.catch_up,
    RUNS.c.error_code,
    RUNS.c.executed,
)


def _base(ctx: Context) -> Select[Any]:
    ctx.actor.require(*READ)
    statement: Select[Any] = select(*_FIELDS)
    return statement.where(RUNS.c.finished_at.is_not(None))


def _search(names: Sequence[tuple[str, str]]) -> Callable[[str], ColumnElement[bool]]:
    """Return the quick search: the number of a run, or a part of a job's name, which the index of the jobs serves."""

    def where(text: str) -> ColumnElement[bool]:
        number = text.strip().removeprefix("#")
        if number.isascii() and number.isdigit() and len(number) < 10:
            return RUNS.c.id == int(number)
        wanted = text.strip().casefold()
        return RUNS.c.job_name.in_([name for name, title in names if wanted in f"{name} {title}".casefold()])

    return where


RESULTS = (("success", N_("Success")), ("warning", N_("Warning")), ("critical", N_("Critical")))


# Runs that found nothing to do are left out unless somebody asks: a job that looks every minute would bury the rest.
IDLE = (("hidden", N_("Left out")), ("only", N_("Nothing else")))


def _idle(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    return skipped(RUNS.c) if words[0] == "only" else not_(skipped(RUNS.c))


def spec(names: Sequence[tuple[str, str]]) -> ListSpec:
    """Return the declaration of the list; `names` are the jobs that can be chosen, as (name, title)."""
    return ListSpec(
        name="runs",
        base=_base,
        row=lambda row: RunRow(*row),
        key=RUNS.c.id,
        columns=(
            Column("id", N_("Run"), numeric=False),
            Column("job_name", N_("Job")),
            Column("status", N_("Result")),
            Column("trigger", N_("Started by")),
            Column("finished_at", N_("Ended"), RUNS.c.finished_at),
            Column("seconds", N_("Took"), numeric=True),
            Column("requested_by", N_("Who"), shown=False),
            Column("started_at", N_("Began"), shown=False),
            Column("scheduled_for", N_("Planned for"), shown=False),
            Column("missed_count", N_("Missed before"), numeric=True, shown=False),
            Column("dry_run", N_("Dry run"), shown=False),
            Column("error_code", N_("Reason"), shown=False),
        ),
        filters=(
            Filter("job", N_("Job"), "choice", lambda _ctx, words, _now: RUNS.c.job_name.in_(words), choices=names),
            Filter("status", N_("Result"), "choice", lambda _ctx, words, _now: RUNS.c.status.in_(words), RESULTS),
            Filter(
                "trigger",
                N_("Started by"),
                "choice",
                lambda _c, words, _now: RUNS.c.trigger.in_(words),
                tuple(TRIGGERS.items()),
            ),
            Filter("who", N_("Who"), "text", lambda _ctx, words, _now: RUNS.c.requested_by.in_(words)),
            Filter("idle", N_("Without work"), "choice", _idle, choices=IDLE, multiple=False),
            *day_filters(RUNS.c.finished_at),
            Filter(
                "dry_run", N_("Dry run"), "flag", lambda *_: RUNS.c.dry_run.is_(True), choices=(("1", N_("Dry run")),)
            ),
            Filter(
                "missed",
                N_("Caught up"),
                "flag",
                lambda *_: RUNS.c.catch_up.is_(True),
                choices=(("1", N_("Caught up")),),
            ),
        ),
        search=_search(names),
        default_filters={"idle": ("hidden",)},
        order=(RUNS.c.finished_at.desc(),),
        count_cap=COUNTED,
    )
