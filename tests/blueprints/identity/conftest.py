"""Who signs in in these tests, and what of it is on record."""

from __future__ import annotations

import pytest

from tests.conftest import BrowserClient
from tests.support import trail


@pytest.fixture
def kim(browser_client):
    return browser_client("manager", username="kim")


@pytest.fixture
def stranger(app):
    """A browser in which nobody is signed in."""
    return BrowserClient(app, app.response_class)


@pytest.fixture
def actions(session):
    """Return a function that tells the actions on record, oldest first."""
    return lambda: trail.actions(session)
