"""Whether the place that a backup shall be put into is in use: processes that gave a sign of life a moment ago."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, inspect, select

from console.domain.jobs.runs import RUNNING
from console.models.jobs import JobRun
from console.models.runbook import PreflightSnapshot

# A process writes every minute and takes its row away when it is stopped; a run beats at least every twelve seconds.
PROCESS_ALIVE, RUN_ALIVE = timedelta(minutes=3), timedelta(minutes=2)


def signs_of_life(engine: Engine, now: datetime) -> tuple[str, ...]:
    """Return what seems to be running on this database, each in a few English words; nothing on an empty one."""
    known = set(inspect(engine).get_table_names())
    found = []
    with engine.connect() as connection:
        if PreflightSnapshot.__tablename__ in known:
            alive = PreflightSnapshot.computed_at > now - PROCESS_ALIVE
            found += [f"the process {name}" for name in connection.scalars(select(PreflightSnapshot.name).where(alive))]
        if JobRun.__tablename__ in known:
            beating = select(JobRun.id).where(JobRun.state == RUNNING, JobRun.heartbeat_at > now - RUN_ALIVE)
            found += [f"the run {run_id} of a job" for run_id in connection.scalars(beating)]
    return tuple(sorted(found))
