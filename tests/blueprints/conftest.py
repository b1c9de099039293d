"""Somebody with a password, a browser in which nobody is signed in, jobs of a test, and ten items on the board."""

from __future__ import annotations

import pytest

from console.services.identity import passwords
from tests.blueprints.tracker.board_support import OTHER, SITE
from tests.factories import make_site, make_user
from tests.factories.tracker import HOUR, add_item
from tests.support.people import PASSWORD, BrowserClient
from tests.support.runs import register_job


@pytest.fixture
def person(session, clock, config):
    """Add somebody with a password; returns the user name."""

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
    """Return `register(job)`: let the product know a job until the end of the test."""
    return lambda job: register_job(monkeypatch, job)


@pytest.fixture
def items(session, clock):
    """Ten items in every state on two sites and the platform."""
    now = clock.now()
    for name in (SITE, OTHER):
        make_site(session, name, now=now)
    lee = make_user(session, now=now, username="lee", display_name="이정비")
    states = ("pending", "in_progress", "blocked", "done")
    rows = [
        add_item(
            session,
            now,
            number,
            status=states[number % 4],
            site=(None, SITE, OTHER)[number % 3],
            assignee="lee" if number % 2 else None,
            assignee_user_id=lee.id if number % 2 else None,
            due_at=now + (number - 4) * 6 * HOUR,
            item_name=f"할 일 {number}",
            required=number == 4,
            rule_status="fail" if number == 4 else "warning",
        )
        for number in range(1, 11)
    ]
    session.commit()
    return [row.id for row in rows]
