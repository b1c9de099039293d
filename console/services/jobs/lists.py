"""The list of finished runs on the jobs page, read through the list engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, Select, not_, select

from console.core.context import Context
from console.core.filters import day_filters, one_of
from console.core.listing import Filter, ListSpec
from console.core.records import Fact, columns_of
from console.domain.jobs.runs import TRIGGERS
from console.domain.text import N_
from console.services.jobs.progress import RUNS
from console.services.jobs.runs import READ, skipped

# Counting stops here: the page says "more than", and nobody leafs through so many runs.
COUNTED = 2_000


@dataclass(frozen=True)
class RunRow:
    """One finished run in the list: everything but its detail."""

    id: Annotated[int, Fact(N_("Run"))]
    job_name: Annotated[str, Fact(N_("Job"))]
    trigger: Annotated[str, Fact(N_("Started by"))]
    status: Annotated[str, Fact(N_("Result"))]
    started_at: Annotated[datetime, Fact(N_("Began"), shown=False)]
    finished_at: Annotated[datetime, Fact(N_("Ended"), sort=True)]
    dry_run: Annotated[bool, Fact(N_("Dry run"), shown=False)]
    requested_by: Annotated[str, Fact(N_("Who"), shown=False)]
    scheduled_for: Annotated[datetime | None, Fact(N_("Planned for"), shown=False)]
    missed_count: Annotated[int, Fact(N_("Missed before"), numeric=True, shown=False)]
    catch_up: bool
    error_code: Annotated[str | None, Fact(N_("Reason"), shown=False)]
    executed: bool

    @property
    def skipped(self) -> bool:
        """Return whether the run ended well because there was nothing to do."""
        return self.status == "success" and not self.executed

    @property
    def seconds(self) -> Annotated[float, Fact(N_("Took"), numeric=True)]:
        """Return how long the run took."""
        return (self.finished_at - self.started_at).total_seconds()


_FIELDS = [RUNS.c[name] for name in RunRow.__dataclass_fields__]


def _base(_ctx: Context) -> Select[Any]:
    statement: Select[Any] = select(*_FIELDS)
    return statement.where(RUNS.c.finished_at.is_not(None))


def _search(names: Sequence[tuple[str, str]]) -> Callable[[Context, str], ColumnElement[bool]]:
    """Return the quick search: the number of a run, or a part of a job's name, which the index of the jobs serves."""

    def where(_ctx: Context, text: str) -> ColumnElement[bool]:
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
        read=READ,
        base=_base,
        row=lambda row: RunRow(*row),
        key=RUNS.c.id,
        columns=columns_of(
            RunRow,
            RUNS.c,
            *("id", "job_name", "status", "trigger", "finished_at", "seconds", "requested_by", "started_at"),
            *("scheduled_for", "missed_count", "dry_run", "error_code"),
        ),
        filters=(
            Filter("job", N_("Job"), "choice", one_of(RUNS.c.job_name), choices=names),
            Filter("status", N_("Result"), "choice", one_of(RUNS.c.status), RESULTS),
            Filter(
                "trigger",
                N_("Started by"),
                "choice",
                one_of(RUNS.c.trigger),
                tuple(TRIGGERS.items()),
            ),
            Filter("who", N_("Who"), "text", one_of(RUNS.c.requested_by)),
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
