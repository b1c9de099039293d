"""Runs travel through a real Redis by their id; what Redis loses is brought again.

The short form empties Redis three times between requests, deliveries and work; SOAK=1 two hundred times.
"""

from __future__ import annotations

import os
import subprocess
from random import Random

import pytest
from redis import Redis
from sqlalchemy import select

from console.adapters import queue
from console.adapters.queue import Courier
from console.models.jobs import JobRun
from tests.services.jobs.run_support import job_of, open_sites
from tests.support.runs import opened
from workers.scheduler import Scheduler

FLUSHES = 200 if os.environ.get("SOAK") == "1" else 3


def states(session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(JobRun.state).order_by(JobRun.id)))


@pytest.fixture
def scheduler(place):
    return Scheduler(place, lines=())


def test_a_run_asked_for_on_a_page_reaches_a_worker_by_its_id_alone(place, register, ask, work, session):
    run_id = ask(register(job_of()), {"name": "HQ", "times": 3}, deliver=True)
    with Redis.from_url(place.config["REDIS_URL"]) as client:
        stored = client.hgetall(f"rq:job:run-{run_id}")
    assert b"HQ" not in b"".join(stored.values())

    work(place)

    assert states(session) == ["finished"]
    assert opened(session) == 3


def test_a_run_that_is_delivered_twice_is_carried_out_once(place, register, ask, work, session):
    run_id = ask(register(job_of()), deliver=True)
    Courier(place.config).bring(run_id)

    work(place)

    assert opened(session) == 1


def test_what_waits_in_the_queue_is_not_brought_again(place, register, ask):
    run_id = ask(register(job_of()), deliver=True)

    assert Courier(place.config).bring_missing([run_id]) == []
    assert queue.queue_of(queue.connect(place.config)).count == 1


def test_a_run_that_nobody_brought_is_brought_by_the_scheduler(place, register, ask, work, session, scheduler):
    ask(register(job_of()))
    work(place)
    assert states(session) == ["queued"]

    scheduler.step()
    work(place)

    assert states(session) == ["finished"]


def test_runs_of_one_job_follow_one_another(place, register, ask, work, session):
    job = register(job_of())
    for name in ("a", "b", "c"):
        ask(job, {"name": name}, deliver=name == "a")

    work(place)

    assert states(session) == ["finished"] * 3
    assert opened(session) == 3


def test_a_run_taken_by_a_worker_that_vanished_before_claiming_it_is_brought_again(
    place, register, ask, session, monkeypatch
):
    run_id = ask(register(job_of()), deliver=True)
    connection = queue.connect(place.config)
    delivery = queue.queue_of(connection).fetch_job(queue.delivery_id(run_id))
    queue.queue_of(connection).remove(delivery)
    delivery.set_status("started")
    courier = Courier(place.config)

    assert courier.bring_missing([run_id]) == []
    monkeypatch.setattr(queue, "PATIENCE", 0.0)
    assert courier.bring_missing([run_id]) == [run_id]


def test_redis_may_be_stopped_and_emptied_while_runs_wait(place_on, own_redis, register, ask, work, session):
    place = place_on(own_redis.url)
    scheduler = Scheduler(place, lines=())
    jobs = [register(job_of(name=name)) for name in ("first", "second", "third")]
    for job in jobs[:2]:
        ask(job, {"name": job.name}, deliver=True, on=place)
    own_redis.stop()
    ask(jobs[2], {"name": "third"}, deliver=True, on=place)
    assert not queue.state(place.config).available
    scheduler.step()
    assert states(session) == ["queued"] * 3

    own_redis.start(output=subprocess.DEVNULL)
    assert queue.state(place.config).waiting == 0
    scheduler.step()
    scheduler.step()
    assert queue.state(place.config).waiting == 3
    work(place)

    assert states(session) == ["finished"] * 3
    assert opened(session) == 3


def test_a_redis_that_is_emptied_again_and_again_loses_and_doubles_nothing(
    place, scheduler, register, ask, work, session, monkeypatch
):
    monkeypatch.setattr(queue, "PATIENCE", 0.0)
    chance, job = Random(7), register(job_of())
    with Redis.from_url(place.config["REDIS_URL"]) as redis:
        for turn in range(FLUSHES):
            ask(job, {"name": f"first {turn}"}, deliver=chance.random() < 0.7)
            if chance.random() < 0.5:
                scheduler.step()
            redis.flushall()
            ask(job, {"name": f"second {turn}"}, deliver=chance.random() < 0.7)
            scheduler.step()
            scheduler.step()
            if chance.random() < 0.3:
                # What was carried out already may be brought again: it is not done a second time.
                work(place)
                redis.flushall()
                scheduler.step()
            work(place)

    assert states(session) == ["finished"] * 2 * FLUSHES
    assert opened(session) == 2 * FLUSHES


def test_a_failing_run_is_a_failure_for_the_queue_too(place, register, ask, work, session):
    def fail(ctx, options):
        open_sites(ctx, options)
        raise RuntimeError("no")

    run_id = ask(register(job_of(fail)), deliver=True)

    work(place)

    assert states(session) == ["finished"]
    assert opened(session) == 0
    assert queue.queue_of(queue.connect(place.config)).failed_job_registry.get_job_ids() == [f"run-{run_id}"]


def test_without_any_queue_everything_waits_and_says_so(place_on, register, ask, session):
    place = place_on("")
    ask(register(job_of()), deliver=True, on=place)
    Scheduler(place, lines=()).step()

    assert states(session) == ["queued"]
    assert queue.state(place.config) == queue.QueueState(False)


def test_the_queue_tells_what_waits(place, register, ask):
    ask(register(job_of(name="a")), deliver=True)
    ask(register(job_of(name="b")), deliver=True)

    found = queue.state(place.config)

    assert (found.available, found.waiting, found.working, found.workers) == (True, 2, 0, ())
