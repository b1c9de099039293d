"""A place on the test's database and a real Redis, with jobs that leave countable marks."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest
from redis import Redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy.orm import sessionmaker

from console.adapters import queue
from console.core import logs
from console.core.config import Config
from console.core.context import SYSTEM, Context, start_writing
from console.core.process import ProcessRuntime
from console.services.jobs import requests as run_requests
from tests.support.redis import redis_url
from tests.support.runs import register_job
from workers import tasks


@pytest.fixture(autouse=True)
def quiet():
    logs.configure("critical")


@pytest.fixture
def redis_address(worker_id):
    """Address of an empty Redis."""
    address = redis_url(worker_id)
    with Redis.from_url(address) as client:
        client.flushall()
    return address


@pytest.fixture
def place_on(database, engine, clock, tmp_path, monkeypatch):
    """Return `place_on(redis address)`: the place that workers of this process stand on."""

    def build(address: str, **settings) -> ProcessRuntime:
        values = {"DATABASE_URL": database, "REDIS_URL": address, "DATA_DIR": str(tmp_path / "data"), **settings}
        place = ProcessRuntime(Config.for_tests(**values), clock, engine, sessionmaker(engine))
        monkeypatch.setattr(tasks, "here", lambda: place)
        return place

    yield build
    queue.disconnect()


@pytest.fixture
def place(place_on, redis_address) -> ProcessRuntime:
    return place_on(redis_address)


@pytest.fixture
def register(monkeypatch):
    """Return `register(job)`: let the product know a job until the end of the test."""
    return lambda job: register_job(monkeypatch, job)


@pytest.fixture
def ask(place):
    """Return `ask(job, options)`: ask for a run and return its id, without bringing it to the queue."""

    def submit(job, options=None, *, deliver=False, on=None, **values) -> int:
        chosen = on or place

        def hand_over(run_id: int) -> None:
            if deliver:
                queue.hand_over(chosen.config, run_id)

        with chosen.sessions() as session:
            start_writing(session)
            ctx = Context(session, chosen.clock, SYSTEM, chosen.config)
            run = run_requests.submit(ctx, job, options, hand_over=hand_over, **values)
            ctx.commit()
            return run.id

    return submit


@pytest.fixture
def work():
    """Return `work(place)`: let a worker in this process empty the queue."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def empty(place: ProcessRuntime) -> None:
        connection = Redis.from_url(place.config["REDIS_URL"])
        worker = SimpleWorker([queue.queue_of(connection)], connection=connection, serializer=JSONSerializer)
        worker.work(burst=True, logging_level="CRITICAL")
        connection.close()

    yield empty
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def later(clock):
    """Return `later(seconds)`: move the clock."""
    return lambda seconds: clock.advance(timedelta(seconds=seconds))
