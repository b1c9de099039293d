"""Who signs in in these tests, and what of it is on record."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from console.models.audit import AuditLog
from tests.conftest import BrowserClient


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

    def told():
        session.rollback()
        return session.scalars(select(AuditLog.action).order_by(AuditLog.id)).all()

    return told
