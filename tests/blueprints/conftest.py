"""Somebody with a password, and a browser in which nobody is signed in."""

from __future__ import annotations

import pytest

from console.services import passwords
from tests.factories import make_user
from tests.support.people import PASSWORD, BrowserClient


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
