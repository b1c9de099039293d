"""Jobs for tests of the engine, and what the database holds beside the runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field
from sqlalchemy import Engine, select

from console.core.context import Context
from console.core.revisions import TABLE
from console.inputs.base import BodyModel
from console.models.base import Base
from console.services.audit import record as audit
from console.services.jobs import requests as run_requests
from console.services.jobs.job import Job
from tests.factories import make_site


class Options(BodyModel):
    name: str = "A"
    times: int = Field(1, ge=1, le=50)


def open_sites(ctx: Context, options: Options) -> dict[str, Any]:
    """Write rows and an audit entry, as real work does."""
    for number in range(options.times):
        make_site(ctx.session, f"{options.name}{number}", now=ctx.now())
    audit.record(ctx, "site_create", "site", options.name)
    return {"opened": options.times}


def job_of(work: Callable[[Context, Any], Any] = open_sites, **values: Any) -> Job:
    return Job(**{"name": "open_sites", "work": work, "options": Options, **values})


def waiting(ctx: Context, job: Job, options: dict[str, Any] | None = None, **values: Any) -> int:
    """Ask for a run that nobody begins; returns its id."""
    run = run_requests.submit(ctx, job, options, hand_over=lambda _run_id: None, **values)
    ctx.commit()
    return run.id


def contents(engine: Engine, *, without: tuple[str, ...] = ("job_runs",)) -> dict[str, list[Any]]:
    """Return every row of every table but those of the runs."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
            # A run has a row, and that it was written is known by a token.
            if table.name not in (*without, TABLE)
        }
