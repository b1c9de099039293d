"""A dry run of any job decides and reports, and leaves every table but its own run as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.models.jobs import JobRun
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from tests.services.jobs.run_support import contents
from tests.workers.test_kill import OPTIONS

# A run's row, the columns that some jobs keep of it beside, and the tokens that tell of both.
RUN_TABLES = ("job_runs", "run_facts", "revisions")


@pytest.fixture
def history(session, clock):
    old = clock.now() - timedelta(days=900)
    columns = {"state": "finished", "status": "success", "requested_at": old, "started_at": old}
    for number in range(230):
        ended = old + timedelta(minutes=number)
        session.add(JobRun(job_name="old", trigger="cron", finished_at=ended, **columns))
    session.commit()


@pytest.mark.parametrize("name", [job.name for job in registry.all_jobs()])
def test_a_dry_run_writes_nothing_but_its_own_row(place, engine, session, history, clock, name):
    with place.by_hand() as ctx:
        run_engine.execute(ctx, registry.get("ops_governance_remediation_sync"))
    clock.advance(timedelta(hours=1))
    before = contents(engine, without=())

    with place.by_hand() as ctx:
        told = run_engine.execute(ctx, registry.get(name), OPTIONS.get(name), dry_run=True)

    after = contents(engine, without=())
    known = {row[0] for row in before["job_runs"]}
    assert [row for row in after["job_runs"] if row[0] in known] == before["job_runs"]
    assert {name: rows for name, rows in after.items() if name not in RUN_TABLES} == {
        name: rows for name, rows in before.items() if name not in RUN_TABLES
    }
    session.rollback()
    added = session.scalars(select(JobRun).where(JobRun.id.not_in(known))).all()
    assert told.run.id in {run.id for run in added}
    assert {run.dry_run for run in added} == {True}
