"""Lost workers, waiting runs, old runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core import logs
from console.core.context import SYSTEM, unit_of_work
from console.models.jobs import JobRun
from console.services.jobs import upkeep as run_upkeep
from tests.support.runs import run_of

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def quiet():
    logs.configure("critical")


@pytest.fixture
def add(session, clock):
    """Return `add(name, state, **columns)`: a stored run."""

    def build(name="gate", state="running", **values) -> int:
        now = clock.now()
        times = {
            "queued": {},
            "running": {"started_at": now, "heartbeat_at": now, "claim_token": "t", "lease_seconds": 60},
            "finished": {"started_at": now, "finished_at": now, "status": "success", "executed": True},
        }[state]
        row = JobRun(**{"job_name": name, "trigger": "api", "state": state, "requested_at": now, **times, **values})
        session.add(row)
        session.commit()
        return row.id

    return build


class Ticks:
    """Seconds that nobody sets back."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def reap(engine, clock, config, ticks):
    """Return `reap(after=seconds of wall clock, felt=seconds of life)`: one look of the same reaper."""
    reaper = run_upkeep.Reaper(ticks)

    def look(after=0, felt=None) -> list[int]:
        clock.advance(after * SECOND)
        ticks.now += after if felt is None else felt
        with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config, write=False) as ctx:
            return reaper.reap(ctx)

    return look


def test_a_run_without_heartbeat_is_closed_as_lost(add, reap, session, clock):
    run_id = add()
    assert reap() == []
    assert reap(after=59) == []

    assert reap(after=2) == [run_id]

    row = run_of(session, run_id)
    assert (row.state, row.status, row.error_code, row.finished_at) == (
        "finished",
        "critical",
        "worker_lost",
        clock.now(),
    )
    assert reap(after=2) == []


def test_a_run_whose_heart_beats_lives_on(add, reap, session, clock):
    run_id = add()
    for _ in range(20):
        assert reap(after=20) == []
        run_of(session, run_id).heartbeat_at = clock.now()
        session.commit()


def test_a_clock_that_jumps_ahead_kills_no_living_run(add, reap, session, clock):
    run_id = add()
    reap()
    assert reap(after=3600, felt=1) == []
    run_of(session, run_id).heartbeat_at = clock.now()
    session.commit()
    assert reap(after=19) == []


def test_a_clock_set_back_does_not_hide_a_dead_worker(add, reap):
    run_id = add()
    assert reap() == []
    assert reap(after=-86400, felt=30) == []
    assert reap(after=30) == [run_id]


def test_a_run_lost_under_a_clock_set_back_does_not_end_before_it_began(add, reap, session):
    run_id = add()
    reap()
    reap(after=-86400, felt=61)

    row = run_of(session, run_id)
    assert row.finished_at == row.started_at


@pytest.mark.parametrize(
    ("columns", "again"),
    [
        ({"trigger": "cron", "scheduled_for": True}, True),
        ({"trigger": "cron", "scheduled_for": True, "retry_of": True}, False),
        ({"trigger": "manual"}, False),
    ],
)
def test_a_lost_run_of_the_schedule_is_tried_once_more(add, reap, session, clock, columns, again):
    first = add("other", "finished")
    values = {**columns, **{key: clock.now() for key in columns if key == "scheduled_for"}}
    if "retry_of" in values:
        values["retry_of"] = first
    run_id = add(options_json={"times": 2}, **values)
    reap()
    reap(after=61)

    session.rollback()
    waiting = session.scalars(select(JobRun).where(JobRun.state == "queued")).all()
    assert [(run.retry_of, run.options_json, run.scheduled_for) for run in waiting] == (
        [(run_id, {"times": 2}, None)] if again else []
    )


def test_of_each_job_that_does_not_run_the_oldest_waiting_run_is_next(add, ctx, session):
    ctx.rollback()
    add("busy", "running")
    add("busy", "queued")
    first = add("gate", "queued")
    add("gate", "queued")
    sync = add("sync", "queued")
    add("done", "finished")

    assert run_upkeep.next_in_line(ctx) == [first, sync]
    assert run_upkeep.next_in_line(ctx, name="sync") == [sync]
    assert run_upkeep.next_in_line(ctx, name="busy") == []


def test_old_runs_go_but_the_newest_of_each_job_stay(add, ctx, session, clock):
    ctx.rollback()
    for _ in range(5):
        add("gate", "finished")
        add("rare", "finished")
        clock.advance(timedelta(days=10))
    waiting = add("gate", "queued")
    clock.advance(timedelta(days=100))
    fresh = add("gate", "finished")

    found = run_upkeep.prune(ctx, keep_days=60, skipped_days=60, keep_per_job=2, limit=1000)
    ctx.commit()

    assert (found.deleted, found.by_job, found.more) == (7, {"gate": 4, "rare": 3}, False)
    left = session.execute(select(JobRun.job_name, func.count()).group_by(JobRun.job_name).order_by(JobRun.job_name))
    assert left.all() == [("gate", 3), ("rare", 2)]
    assert {waiting, fresh} <= set(session.scalars(select(JobRun.id)))


def test_what_is_removed_at_once_is_limited_and_starts_with_the_oldest(add, ctx, session, clock):
    ctx.rollback()
    ids = [add("gate", "finished") for _ in range(6)]
    retried = add("gate", "finished", retry_of=ids[0])
    clock.advance(timedelta(days=100))

    found = run_upkeep.prune(ctx, keep_days=60, skipped_days=60, keep_per_job=1, limit=4)
    ctx.commit()

    assert (found.deleted, found.more) == (4, True)
    assert list(session.scalars(select(JobRun.id).order_by(JobRun.id))) == [*ids[4:], retried]
    assert run_of(session, retried).retry_of is None


def test_runs_that_found_nothing_to_do_go_sooner(add, ctx, session, clock):
    ctx.rollback()
    idle, did, failed = add("gate", "finished", executed=False), add("gate", "finished"), add("gate", "finished")
    session.get_one(JobRun, failed).status, session.get_one(JobRun, failed).executed = "critical", False
    session.commit()
    clock.advance(timedelta(days=10))
    newest = add("gate", "finished", executed=False)
    clock.advance(timedelta(days=10))

    run_upkeep.prune(ctx, keep_days=60, skipped_days=7, keep_per_job=1, limit=100)
    ctx.commit()

    assert list(session.scalars(select(JobRun.id).order_by(JobRun.id))) == [did, failed, newest]
    assert idle not in set(session.scalars(select(JobRun.id)))
