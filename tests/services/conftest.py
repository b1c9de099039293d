"""Several processes at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import sessionmaker

from console.core.context import unit_of_work
from tests.conftest import actor_of


@pytest.fixture
def at_once(engine, clock, config):
    """Return `at_once(f, g, …)`: each in a thread and a transaction of its own, all started together."""

    def run(*actions):
        barrier = threading.Barrier(len(actions))

        def work(action):
            barrier.wait(timeout=10)
            with unit_of_work(sessionmaker(engine), actor=actor_of(), clock=clock, config=config) as ctx:
                return action(ctx)

        with ThreadPoolExecutor(len(actions)) as pool:
            futures = [pool.submit(work, action) for action in actions]
            return [future.exception(timeout=60) or future.result() for future in futures]

    return run
