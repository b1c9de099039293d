"""The second factor below the doors: what is stored, that each code counts once, what ends and what stays."""

from __future__ import annotations

import threading
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from console.core.context import SYSTEM, unit_of_work
from console.domain.errors import Conflict, Invalid
from console.models.audit import AuditLog
from console.models.identity import RecoveryCode, Token, User, WebSession
from console.services.identity import second_factor, sessions, users
from tests.factories import make_token, make_user
from tests.support.people import PASSWORD


@pytest.fixture
def person(person):
    """A person and a context of theirs."""
    return person()


@pytest.fixture
def on(person, clock):
    """The person with the second factor on: user, context, app, recovery codes."""
    user, ctx = person
    second_factor.begin(ctx, password=PASSWORD)
    app = pyotp.TOTP(second_factor.own(ctx).secret)
    codes = second_factor.confirm(ctx, code=app.at(clock.now()))
    ctx.commit()
    clock.advance(timedelta(seconds=30))
    return user, ctx, app, codes


def actions(ctx):
    ctx.commit()
    return ctx.session.scalars(select(AuditLog.action).order_by(AuditLog.id)).all()


def test_it_begins_with_the_password_and_counts_only_after_a_first_code(person, clock, session):
    _user, ctx = person
    with pytest.raises(Invalid) as wrong:
        second_factor.begin(ctx, password="not the password")
    assert wrong.value.code == "wrong_password"
    with pytest.raises(Conflict):
        second_factor.confirm(ctx, code="123456")
    second_factor.begin(ctx, password=PASSWORD)
    assert sessions.check(ctx, "kim", PASSWORD).second_factor is False
    right = pyotp.TOTP(second_factor.own(ctx).secret).at(clock.now())
    with pytest.raises(Invalid) as wrong:
        second_factor.confirm(ctx, code=f"{(int(right) + 1) % 10**6:06}")
    assert wrong.value.code == "second_factor_wrong"

    assert len(set(second_factor.confirm(ctx, code=right))) == 10
    assert sessions.check(ctx, "kim", PASSWORD).second_factor is True
    assert second_factor.own(ctx).secret is None
    assert actions(ctx) == ["auth_second_factor_on"]
    with pytest.raises(Conflict):
        second_factor.begin(ctx, password=PASSWORD)


def test_neither_secret_nor_recovery_codes_stand_in_the_database(on, session):
    user, _ctx, app, codes = on
    stored = session.scalars(select(RecoveryCode.code_hash)).all()

    assert app.secret not in (user.second_factor_seed or "")
    assert bytes.fromhex(user.second_factor_seed) not in app.byte_secret()
    assert len(stored) == 10
    assert not set(stored) & set(codes)


def test_other_sessions_and_tokens_got_by_password_end(person, clock, session):
    user, ctx = person
    made = {"user_id": user.id, "created_at": clock.now(), "last_seen_at": clock.now()}
    session.add(WebSession(token_hash="x" * 64, expires_at=clock.now() + timedelta(days=1), **made))
    make_token(session, user, now=clock.now())
    make_token(session, user, now=clock.now(), by_password=True)
    second_factor.begin(ctx, password=PASSWORD)
    second_factor.confirm(ctx, code=pyotp.TOTP(second_factor.own(ctx).secret).at(clock.now()))

    assert session.scalar(select(WebSession.revoked_reason)) == "second_factor_on"
    live = select(Token.by_password, Token.is_active).order_by(Token.by_password)
    assert [tuple(row) for row in session.execute(live)] == [(False, True), (True, False)]


def test_a_code_counts_once_also_that_of_the_confirmation(on, clock):
    user, ctx, app, _codes = on
    before = app.at(clock.now() - timedelta(seconds=30))

    assert second_factor.use(ctx, user.id, before, ip="") is False
    assert second_factor.use(ctx, user.id, app.at(clock.now()), ip="") is True
    assert second_factor.use(ctx, user.id, app.at(clock.now()), ip="") is False


def test_a_recovery_code_counts_once_however_it_is_typed(on, session):
    user, ctx, _app, codes = on

    assert second_factor.use(ctx, user.id, codes[0].upper().replace("-", " "), ip="") is True
    assert second_factor.use(ctx, user.id, codes[0], ip="") is False
    assert second_factor.own(ctx).codes_left == 9
    assert actions(ctx)[1:] == ["auth_recovery_code_used", "auth_second_factor_failed"]


def test_the_codes_of_somebody_else_are_wrong(on, session, clock):
    _user, ctx, app, codes = on
    other = make_user(session, now=clock.now(), username="lee")

    assert not any(second_factor.use(ctx, other.id, code, ip="") for code in (codes[0], app.at(clock.now())))


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_two_sign_ins_at_the_same_moment_one_gets_the_code(on, engine, clock, config, kind):
    user, ctx, app, codes = on
    user_id, code = user.id, codes[0] if kind == "recovery" else app.at(clock.now())
    ctx.commit()
    gate, found = threading.Barrier(2), []

    def sign_in():
        gate.wait()
        with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config) as own:
            found.append(second_factor.use(own, user_id, code, ip=""))

    threads = [threading.Thread(target=sign_in) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [False, True]


def test_switching_off_takes_a_code(on, session, clock):
    _user, ctx, app, _codes = on
    with pytest.raises(Invalid):
        second_factor.switch_off(ctx, code="no code")

    second_factor.switch_off(ctx, code=app.at(clock.now()))

    assert sessions.check(ctx, "kim", PASSWORD).second_factor is False
    assert session.scalar(select(RecoveryCode)) is None
    assert actions(ctx)[-1] == "auth_second_factor_off"
    with pytest.raises(Conflict):
        second_factor.switch_off(ctx, code=app.at(clock.now()))


def test_a_new_password_by_an_administrator_leaves_it_on(on, make_ctx, session):
    user, ctx, _app, codes = on
    users.reset_password(make_ctx("owner"), user.id, password="quite another password")

    assert sessions.check(ctx, "kim", "quite another password").second_factor is True
    assert second_factor.use(ctx, user.id, codes[0], ip="") is True


def test_whoever_runs_the_machine_takes_it_away(on, make_ctx, session):
    user, ctx, _app, codes = on
    system = make_ctx(kind="system", username="system")

    assert second_factor.reset(system, user.id) is True
    assert sessions.check(ctx, "kim", PASSWORD).second_factor is False
    assert second_factor.use(ctx, user.id, codes[0], ip="") is False
    assert second_factor.reset(system, user.id) is False
    assert "admin_user_second_factor_reset" in actions(system)
    assert session.get(User, user.id).second_factor_seed is None
