"""Somebody with a password, a browser in which nobody is signed in, and jobs of a test."""

from __future__ import annotations

import pytest

from console.services import passwords
from tests.factories import make_user
from tests.support.people import PASSWORD, BrowserClient
from tests.support.runs import register_job


@pytest.fixture
def person(session, clock, config):
    """Add somebody with a password; gives the user name."""

    def build(username="kim", password=PASSWORD, **values):
        session.rollback()
        hashed = passwords.make_hash(config, password)
        make_user(session, now=clock.now(), username=username, password_hash=hashed, **values)
        session.commit()
        return username

    return build


@pytest.fixture
def browser(app):
    """A browser in which nobody is signed in."""
    return BrowserClient(app, app.response_class)


@pytest.fixture
def register(monkeypatch):
    """Give `register(job)`: let the product know a job until the end of the test."""
    return lambda job: register_job(monkeypatch, job)
