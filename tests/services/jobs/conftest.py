"""Two contexts that run jobs: of somebody who asks, and of another process."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import sessionmaker

from console.core.context import SYSTEM, Context


@pytest.fixture
def ctx(make_ctx):
    """The context of an owner who has not begun to write: a run begins its own transactions."""
    return make_ctx()


@pytest.fixture
def other(engine, clock, config):
    """A context on a session of its own, as another process has."""
    with sessionmaker(engine)() as session:
        yield Context(session, clock, SYSTEM, config)
