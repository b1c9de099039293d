"""Nothing that stands in Redis ends a scheduler or a worker: it is put aside, and the run is handed over again.

The short form breaks each key that workers meet once; SOAK=1 twenty times.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select

from console.adapters import queue, queue_keys
from console.models.jobs import JobRun
from tests.services.jobs.run_support import job_of
from tests.support.poisons import POISONS
from workers.launch import children
from workers.scheduler import Scheduler

TIMES = 20 if os.environ.get("SOAK") == "1" else 1
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def redis(place):
    with Redis.from_url(place.config["REDIS_URL"]) as client:
        yield client


# Those that a worker process meets before it can take the delivery.
MET_BY_WORKERS = ("all workers of another kind", "intermediate rubbish", "failed ones of another kind")


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS.keys())
def test_a_broken_key_stops_no_scheduler_and_no_page(place, register, ask, redis, poison, monkeypatch):
    monkeypatch.setattr(queue, "PATIENCE", 0.0)
    run_id = ask(register(job_of()), {"name": "a"}, deliver=True)
    poison(redis, run_id)
    scheduler = Scheduler(place, lines=())

    scheduler.step()
    assert queue.state(place.config).available
    queue_keys.put_aside(redis)
    scheduler.step()

    assert scheduler._troubles == {}
    assert queue.state(place.config).available
    assert queue.queue_of(redis).get_job_position(f"run-{run_id}") is not None
    assert all(queue_keys._readable(redis, key) for key in redis.keys("rq:*"))


def test_broken_keys_end_no_worker_and_the_runs_are_carried_out(place, register, ask, session, redis, start_worker):
    register(job_of(name="quick_job"))
    worker = start_worker(place.config["REDIS_URL"])
    scheduler = Scheduler(place, lines=())
    for name, turn in product(MET_BY_WORKERS, range(TIMES)):
        run_id = ask(job_of(name="quick_job"), {"name": f"{name} {turn}"}, deliver=True)
        POISONS[name](redis, run_id)
        deadline = time.monotonic() + 90
        while session.scalar(select(JobRun.state).where(JobRun.id == run_id)) != "finished":
            session.rollback()
            assert time.monotonic() < deadline, name
            assert worker.poll() is None, name
            scheduler.step()
            time.sleep(0.05)
        assert session.get_one(JobRun, run_id).status == "success"
    assert scheduler._troubles == {}


def test_a_duty_that_fails_for_a_reason_that_nobody_thought_of_keeps_no_other_from_being_done(place, monkeypatch):
    scheduler = Scheduler(place, lines=())
    monkeypatch.setattr(scheduler, "_reap", lambda: {}["nothing"])

    scheduler.step()

    assert scheduler._troubles == {"reaper": "duty_failed"}


def test_what_was_put_aside_can_be_looked_at_for_a_day(place, register, ask, redis):
    run_id = ask(register(job_of()), deliver=True)
    POISONS["half a delivery"](redis, run_id)

    assert queue.Courier(place.config).bring_missing([run_id]) == [run_id]

    assert redis.hget(f"{queue_keys.ASIDE}rq:job:run-{run_id}", "started_at") == b"x"
    assert 0 < redis.ttl(f"{queue_keys.ASIDE}rq:job:run-{run_id}") <= 24 * 3600


def test_keys_of_others_stay_where_they_are(place, register, ask, redis):
    run_id = ask(register(job_of()), deliver=True)
    redis.set("something else", "x")
    before = set(redis.keys())

    assert queue_keys.put_aside(redis) == []
    POISONS["half a delivery"](redis, run_id)
    assert queue_keys.put_aside(redis) == [f"rq:job:run-{run_id}"]
    assert before - set(redis.keys()) == {f"rq:job:run-{run_id}".encode()}


def test_an_error_that_no_key_explains_empties_the_queue_once(place, register, ask, redis):
    ask(register(job_of()), deliver=True)
    tries = []

    def read():
        tries.append(len(redis.keys("rq:*")))
        if tries[-1]:
            raise KeyError("something new")
        return "read"

    assert queue_keys.tended(redis, read) == "read"
    assert len(tries) == 2


@pytest.fixture
def start_worker(tmp_path, database):
    """Return `start_worker(redis address)`: a worker process."""
    started = []

    def launch(address: str) -> subprocess.Popen:
        environ = {**os.environ, "ENV": "test", "DATABASE_URL": database, "REDIS_URL": address}
        environ |= {"DATA_DIR": str(tmp_path / "data"), "PYTHONDONTWRITEBYTECODE": "1"}
        arguments = [sys.executable, "-m", "tests.workers.worker_main"]
        started.append(children.spawn(arguments, cwd=ROOT, environ=environ, output=subprocess.DEVNULL))
        return started[-1]

    yield launch
    for process in started:
        children.stop(process, 5)
