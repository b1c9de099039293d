"""The worker as a process: it works, it comes back, it ends politely, and its child may die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.adapters import queue
from console.core.clock import SystemClock
from tests.services.jobs.run_support import Options, job_of
from tests.support.runs import opened, run_of
from tests.support.wait import until
from workers.launch import children
from workers.scheduler import Scheduler

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def start(tmp_path, database):
    """Return `start(redis address)`: a worker process that has reached its queue."""
    started = []

    def launch(address: str) -> subprocess.Popen:
        environ = {
            **os.environ,
            "ENV": "test",
            "DATABASE_URL": database,
            "REDIS_URL": address,
            "DATA_DIR": str(tmp_path / "data"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        process = children.spawn(
            [sys.executable, "-m", "tests.workers.worker_main"], cwd=ROOT, environ=environ, output=subprocess.DEVNULL
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        children.stop(process, 5)


def state_is(session, run_id, state):
    return lambda: run_of(session, run_id).state == state


@pytest.fixture
def clock():
    return SystemClock()


def test_a_worker_works_survives_its_child_and_ends_after_the_run_it_is_on(place, start, ask, session):
    quick, slow = job_of(name="quick_job", options=Options), job_of(name="slow_job", options=Options)
    worker = start(place.config["REDIS_URL"])
    first = ask(quick, {"name": "a"}, deliver=True)
    until(state_is(session, first, "finished"))
    assert opened(session) == 1
    until(lambda: [(found.pid, found.done) for found in queue.state(place.config).workers] == [(worker.pid, 1)])

    doomed = ask(slow, {"name": "b"}, deliver=True)
    until(state_is(session, doomed, "running"))
    until(lambda: queue.state(place.config).workers[0].run_id == doomed)
    os.kill(int(run_of(session, doomed).claimed_by.rpartition(":")[2]), signal.SIGKILL)
    until(state_is(session, doomed, "finished"))
    assert (run_of(session, doomed).status, run_of(session, doomed).error_code) == ("critical", "worker_lost")
    assert opened(session) == 1

    last = ask(slow, {"name": "c"}, deliver=True)
    until(state_is(session, last, "running"))
    worker.terminate()
    assert worker.wait(20) == 0
    assert (run_of(session, last).state, run_of(session, last).status) == ("finished", "success")
    assert opened(session) == 2


def test_a_worker_comes_back_when_redis_does(place_on, own_redis, start, ask, session):
    place = place_on(own_redis.url)
    quick = job_of(name="quick_job", options=Options)
    worker = start(own_redis.url)
    until(lambda: queue.state(place.config).workers)
    own_redis.stop()
    time.sleep(0.5)
    own_redis.start(output=subprocess.DEVNULL)

    run_id = ask(quick, deliver=True, on=place)

    until(state_is(session, run_id, "finished"))
    assert worker.poll() is None


def test_a_worker_that_is_gone_with_its_child_loses_nothing_for_good(place, start, ask, session):
    slow = job_of(name="slow_job", options=Options)
    scheduler = Scheduler(place, lines=())
    doomed, waiting = ask(slow, {"name": "a"}, deliver=True), ask(slow, {"name": "b"}, deliver=True)
    worker = start(place.config["REDIS_URL"])
    until(state_is(session, doomed, "running"))
    children.kill_session(worker.pid)

    def closed() -> bool:
        scheduler.step()
        return run_of(session, doomed).state == "finished"

    until(closed)
    assert run_of(session, doomed).error_code == "worker_lost"
    assert opened(session) == 0

    start(place.config["REDIS_URL"])
    until(lambda: scheduler.step() or run_of(session, waiting).state == "finished")
    assert opened(session) == 1
