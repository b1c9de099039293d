"""What RQ calls: one function that turns the id of a run into the run."""

from __future__ import annotations

from redis import RedisError

from console.adapters.queue import Courier
from console.core.context import Context
from console.core.process import here, worker_name
from console.domain.errors import StoreUnavailable
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.jobs import upkeep as run_upkeep


def run(run_id: int) -> str:
    """Carry out a waiting run and return its status; `waiting` when it is not to be had at the moment.

    An error of the work goes on to RQ after the run was closed.
    """
    place = here()
    with place.by_hand() as ctx:
        found = run_engine.perform(ctx, registry.find, run_id, worker_name())
        if found is None:
            return "waiting"
        _bring_next(ctx, found.run.job_name)
        return found.run.status or ""


def _bring_next(ctx: Context, name: str) -> None:
    """Bring the run of the same job that waited for this one; without queue the scheduler does it."""
    waiting = run_upkeep.next_in_line(ctx, name=name)
    ctx.rollback()
    try:
        Courier(ctx.config).bring_missing(waiting)
    except (RedisError, StoreUnavailable):
        return
