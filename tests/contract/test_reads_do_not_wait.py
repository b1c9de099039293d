"""Reads never wait for writes: another process holds the database against all writers while everything is read."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from console.core.context import SYSTEM
from console.models.audit import AuditLog
from console.models.identity import Token, WebSession
from console.services.identity import passwords
from console.web.afterwards import PAUSE_SECONDS, Action, Afterwards
from tests.contract.routes import routes
from tests.factories import make_user
from tests.support.holder import writing_elsewhere
from tests.support.people import PASSWORD, BrowserClient

# Whoever waited would wait for ten seconds, and then a second time for the next request.
NO_WAIT_SECONDS = 5.0
# Their record must exist before the file does, as for the routes that say so themselves; they read a month before.
AUDITED_EXPORTS = (
    "/api/admin/audit-archive/monthly",
    "/api/admin/audit-archive/monthly/csv",
    "/audit/months/<month>.csv",
    "/audit/months/<month>.json",
    "/api/reports/monthly/pdf",
    "/reports/monthly/<month>/paper.pdf",
)


@pytest.fixture
def notes(app, monkeypatch):
    """The notes of the application; a failed attempt is followed by no pause."""
    monkeypatch.setattr("console.web.afterwards.PAUSE_SECONDS", 0.0)
    made: Afterwards = app.extensions["afterwards"]
    return made


@pytest.fixture
def person(app, session, clock, config):
    """Somebody signed in at a browser long enough ago that the next request is worth a note."""
    make_user(
        session, now=clock.now(), username="kim", role="owner", password_hash=passwords.make_hash(config, PASSWORD)
    )
    session.commit()
    browser = BrowserClient(app, app.response_class)
    assert browser.sign_in("kim").status_code == 303
    clock.advance(timedelta(minutes=2))
    return browser


def seconds_of(client, address):
    begin = time.monotonic()
    answer = client.get(address)
    # Files and lists are sent while they are read.
    assert answer.data is not None
    return time.monotonic() - begin


def test_no_address_that_is_read_waits_for_a_writer(app, api, person, notes, database, clock):
    read = [r for r in routes(app) if r.method == "GET" and not (r.access.writes or r.rule in AUDITED_EXPORTS)]
    assert set(AUDITED_EXPORTS) <= {route.rule for route in routes(app)}
    callers = {"person": person, "token": api("owner", username="lee")}
    refused = api("operator", username="park")
    clock.advance(timedelta(minutes=2))
    person.get("/openapi.json")  # made when it is asked for first, which takes its time

    with writing_elsewhere(database):
        slow = [
            (name, str(route))
            for route in read
            for name, caller in callers.items()
            if seconds_of(caller, route.address) > NO_WAIT_SECONDS
        ]
        assert seconds_of(refused, "/api/admin/users") < NO_WAIT_SECONDS

    assert slow == []


def test_the_note_of_the_last_use_comes_when_the_database_is_free(app, api, person, notes, session, database, clock):
    caller = api("owner", username="lee")
    clock.advance(timedelta(minutes=2))
    used_at = clock.now()

    with writing_elsewhere(database):
        assert person.get("/overview").status_code == 200
        assert caller.get("/api/auth/me").status_code == 200
        assert (notes.flush(), notes.waiting) == (0, 2)
        session.rollback()
        assert session.scalar(select(Token.last_used_at)) != used_at
        session.rollback()
    clock.advance(timedelta(seconds=30))

    assert (notes.flush(), notes.waiting) == (2, 0)
    assert session.scalar(select(Token.last_used_at)) == used_at
    assert session.scalar(select(WebSession.last_seen_at)) == used_at


def test_after_a_failure_the_notes_pause(app, api, database, monkeypatch):
    notes = app.extensions["afterwards"]
    now = [1000.0]
    monkeypatch.setattr("console.web.afterwards.time.monotonic", lambda: now[0])
    api("owner").get("/api/auth/me")

    with writing_elsewhere(database):
        assert notes.flush() == 0
    now[0] += PAUSE_SECONDS - 0.1
    assert notes.flush() == 0
    now[0] += 0.1
    assert notes.flush() == 1


def test_what_security_decides_does_not_wait_for_its_notes(app, api, notes, session, database, clock):
    """A token past its date is refused at once and every time; that it is switched off is written later."""
    caller = api("manager", username="lee")
    clock.advance(timedelta(days=60))

    with writing_elsewhere(database):
        answers = [caller.get("/api/auth/me") for _ in range(2)]
        assert {answer.status_code for answer in answers} == {401}
        if app.extensions["console_config"]["DATABASE_URL"].startswith("sqlite"):
            assert notes.flush() == 0
        session.rollback()
        assert session.scalar(select(Token.is_active)) is True
        session.rollback()

    notes.flush()
    assert session.scalar(select(Token.is_active)) is False
    actions = set(session.scalars(select(AuditLog.action)))
    assert {"admin_token_auto_disable", "auth_denied"} <= actions


def test_a_note_that_cannot_be_written_does_not_keep_the_others_waiting(app, api, notes, session):
    def spoilt(ctx, patience):
        ctx.begin_write(patience)
        # An entry without any of its values breaks the rules of the table, however often it is tried.
        ctx.session.execute(insert(AuditLog).values(action=None))

    notes.later("first", Action(SYSTEM, "request", spoilt))
    assert api("operator").get("/api/admin/users").status_code == 403
    notes.flush()

    assert notes.waiting == 0
    assert session.scalars(select(AuditLog.action)).all() == ["permission_denied"]


def test_notes_of_refusals_have_a_bound(app, api, monkeypatch):
    monkeypatch.setattr("console.web.afterwards.MOST_ACTIONS", 3)
    notes, caller = app.extensions["afterwards"], api("operator")
    for number in range(10):
        assert caller.get(f"/api/admin/users/{number}").status_code == 403

    # The caller's own use is the fourth.
    assert notes.waiting == 4
