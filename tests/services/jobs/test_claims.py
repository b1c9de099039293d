"""A run belongs to one worker at a time, and is carried out once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import sessionmaker

from console.core.context import SYSTEM, Context
from console.domain.errors import Conflict
from console.domain.jobs.runs import LeaseLost
from console.models.jobs import JobRun
from console.services.jobs import claims as run_claims
from console.services.jobs import engine as run_engine
from tests.services.jobs.run_support import contents, job_of, open_sites, waiting
from tests.support.runs import opened, run_of

NOW_OR_NEVER = timedelta(0)


def test_a_run_is_carried_out_once_however_often_it_is_delivered(ctx, other, session):
    job = job_of()
    run_id = waiting(ctx, job)

    first = run_engine.perform(other, {job.name: job}.get, run_id, "worker-1")
    second = run_engine.perform(other, {job.name: job}.get, run_id, "worker-2")

    assert first is not None
    assert second is None
    assert opened(session) == 1


def test_a_job_runs_once_at_a_time_and_the_second_caller_learns_which_run_it_is(ctx, other, session):
    job = job_of()
    refused = []

    def work(ctx, options):
        with pytest.raises(Conflict) as caught:
            run_engine.execute(other, job, patience=NOW_OR_NEVER)
        refused.append(caught.value.detail)
        return {}

    run_engine.execute(ctx, job_of(work, reads_first=True))

    assert refused[0]["run_id"] == 1
    assert session.scalar(select(func.count()).select_from(JobRun)) == 1


def test_a_waiting_run_goes_on_waiting_while_its_job_runs(ctx, other, session):
    job = job_of()
    run_id = waiting(ctx, job)
    found = []

    def work(ctx, options):
        found.append(run_engine.perform(other, {job.name: job}.get, run_id, "worker-2"))
        return {}

    run_engine.execute(ctx, job_of(work, reads_first=True))

    assert found == [None]
    assert run_of(session, run_id).state == "queued"
    assert run_engine.perform(other, {job.name: job}.get, run_id, "worker-2").run.status == "success"


def test_many_workers_that_claim_at_once_get_one_run(ctx, engine, clock, config, session):
    job = job_of()
    run_ids = [waiting(ctx, job, {"name": name}) for name in ("a", "b", "c")]
    start = threading.Barrier(8)
    won = []

    def grab(number):
        with sessionmaker(engine)() as own:
            mine = Context(own, clock, SYSTEM, config)
            start.wait()
            won.append(run_claims.claim(mine, job, run_ids[number % 3], f"worker-{number}"))

    threads = [threading.Thread(target=grab, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    claims = [claim for claim in won if claim]
    assert len(won) == 8
    assert len(claims) == 1
    assert run_of(session, claims[0].run_id).claim_token == claims[0].token
    session.rollback()
    assert session.scalar(select(func.count()).where(JobRun.state == "running")) == 1


def test_a_run_that_does_not_exist_is_nothing_to_do(other):
    assert run_engine.perform(other, {}.get, 4711, "worker-1") is None


def test_a_run_that_was_closed_meanwhile_is_not_closed_again(ctx, other, session):
    def work(ctx, options):
        other.session.execute(update(JobRun).values(state="finished", status="critical", finished_at=ctx.now()))
        other.session.commit()
        ctx.begin_write()
        return open_sites(ctx, options)

    with pytest.raises(LeaseLost):
        run_engine.execute(ctx, job_of(work, reads_first=True))

    assert opened(session) == 0
    assert run_of(session, 1).detail_json == {}


def test_a_lost_lease_rolls_the_work_back(ctx, other, engine, session):
    before = contents(engine)

    def work(ctx, options):
        open_sites(ctx, options)
        ctx.session.flush()
        # The reaper closes the run behind the worker's back; SQLite lets it in only after the work let go.
        if engine.dialect.name == "sqlite":
            ctx.session.execute(update(JobRun).values(claim_token="somebody else"))
        else:
            other.session.execute(update(JobRun).values(claim_token="somebody else"))
            other.session.commit()
        return {}

    with pytest.raises(LeaseLost):
        run_engine.execute(ctx, job_of(work))

    assert contents(engine) == before
