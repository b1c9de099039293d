"""The registry of jobs: `@job("name")` on a function makes it runnable by schedule, page, API and command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeVar

from pydantic import BaseModel

from console.core.context import Context
from console.core.discovery import import_submodules
from console.domain.errors import NotFound
from console.domain.jobs import names as job_names
from console.domain.jobs.schedule import ScheduleEntry
from console.domain.text import N_, T
from console.services.jobs.job import Job, NoOptions

Work = TypeVar("Work", bound=Callable[[Context, Any], Any])

# Loaded by name: nothing in console imports workers.
JOBS_PACKAGE = "workers.jobs"
SCHEDULE_MODULE = "workers.schedule"

# What is kept as a run and is no job: nothing here carries it out.
RECORDS = {job_names.DEPLOY_SMOKE: N_("Deploy smoke test")}

_jobs: dict[str, Job] = {}


def job(
    name: str,
    *,
    title: str,
    sentence: str = "",
    options: type[BaseModel] = NoOptions,
    lease_seconds: int | None = None,
    reads_first: bool = False,
    permission: str = "jobs:run",
    fails_on: str | None = None,
) -> Callable[[Work], Work]:
    """Register `f(ctx, options)` under a job name of the API contract.

    The function stays callable as it is, which is how tests call it. It runs in one transaction: the effect and the
    closing of its run are committed together. See `console.services.jobs.job.Job` for the arguments.
    """

    def register(work: Work) -> Work:
        known = _jobs.get(name)
        if known is not None and known.work is not work:
            raise ValueError(f"two jobs are called {name}")
        _jobs[name] = Job(name, work, options, title, sentence, lease_seconds, reads_first, permission, fails_on)
        return work

    return register


@lru_cache(maxsize=1)
def _load() -> None:
    import_submodules(JOBS_PACKAGE, import_module(JOBS_PACKAGE).__path__)


def find(name: str) -> Job | None:
    """Return the job of that name, or None."""
    _load()
    return _jobs.get(name)


def get(name: str) -> Job:
    """Return the job of that name; raises NotFound."""
    found = find(name)
    if found is None:
        raise NotFound(T("There is no job “%(name)s”", name=name[:80]))
    return found


def title_of(name: str) -> str:
    """Return the message id of what runs of that name are called; what nobody knows stands for itself."""
    found = find(name)
    return found.title if found is not None and found.title else RECORDS.get(name, name)


def all_jobs() -> Iterator[Job]:
    """Return every job in the order of the names."""
    _load()
    yield from (_jobs[name] for name in sorted(_jobs))


def schedule() -> tuple[ScheduleEntry, ...]:
    """Return the schedule: which job runs at which times."""
    lines: tuple[ScheduleEntry, ...] = import_module(SCHEDULE_MODULE).ENTRIES
    return lines
