"""Passkeys below the doors: what is stored, what an answer proves, that each challenge counts once."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core.config import Config
from console.core.context import SYSTEM, unit_of_work
from console.domain.errors import Conflict, Invalid, NotFound, Unauthorized
from console.domain.identity.passkeys import ADD, CHANGE, MOST, SIGN_IN, Place
from console.models.audit import AuditLog
from console.models.identity import Passkey, PasskeyChallenge, RecoveryCode, Token, User, WebSession
from console.services.identity import me, passkeys, second_factor, sessions
from tests.factories import make_token
from tests.services.identity.passkey_support import HERE, add, sign_in
from tests.support.authenticator import PRESENT, Device, text_of
from tests.support.people import PASSWORD


def trail(ctx):
    ctx.commit()
    rows = ctx.session.scalars(select(AuditLog).order_by(AuditLog.id)).all()
    return [(row.action, json.loads(row.detail_json).get("reason", "")) for row in rows]


def test_a_passkey_is_a_second_factor_of_its_own(person, session):
    user, ctx = person()
    assert sessions.check(ctx, "kim", PASSWORD).second_factor is False
    device, codes = add(ctx)
    verdict = sessions.check(ctx, "kim", PASSWORD)

    assert (verdict.second_factor, verdict.has_app, verdict.has_passkey) == (True, False, True)
    assert len(set(codes)) == 10
    assert sign_in(ctx, user, device) is True
    assert second_factor.use(ctx, user.id, codes[0], ip="") is True
    # Where there is no app no six digits are right, also while one waits to be confirmed.
    second_factor.begin(ctx, password=PASSWORD)
    code = pyotp.TOTP(second_factor.own(ctx).secret).at(ctx.now())
    assert second_factor.use(ctx, user.id, code, ip="") is False
    assert [action for action, _reason in trail(ctx)] == [
        "auth_passkey_add",
        "auth_passkey_use",
        "auth_recovery_code_used",
        "auth_second_factor_failed",
    ]


def test_what_is_asked_names_the_place_the_person_and_what_exists(person):
    user, ctx = person()
    device, _codes = add(ctx)
    made = json.loads(passkeys.begin(ctx, HERE, name="other", password=PASSWORD))
    asked = json.loads(passkeys.question(ctx, HERE, user.id, SIGN_IN))
    known = text_of(device.credential_id)

    assert made["rp"] == {"name": "KA Facility OS", "id": "localhost"}
    assert made["user"]["name"] == "kim"
    assert [one["id"] for one in made["excludeCredentials"]] == [known]
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert asked["rpId"] == "localhost"
    assert asked["userVerification"] == "required"
    assert [(one["id"], one["transports"]) for one in asked["allowCredentials"]] == [(known, ["internal", "hybrid"])]
    assert made["challenge"] != asked["challenge"]


def test_the_first_ends_what_the_password_alone_opened_and_later_ones_do_not(person, session, clock):
    user, ctx = person()

    def open_more():
        made = {"user_id": user.id, "created_at": clock.now(), "last_seen_at": clock.now()}
        session.add(WebSession(token_hash=f"{clock.now()}", expires_at=clock.now() + timedelta(days=1), **made))
        make_token(session, user, now=clock.now(), by_password=True)
        session.commit()
        clock.advance(timedelta(seconds=1))

    open_more()
    add(ctx)
    open_more()
    _device, codes = add(ctx)

    assert codes == ()
    assert session.scalars(select(WebSession.revoked_reason).order_by(WebSession.id)).all() == [
        "second_factor_on",
        None,
    ]
    assert session.scalars(select(Token.is_active).order_by(Token.id)).all() == [False, True]


def test_a_sign_in_on_its_way_does_not_slip_past_the_first(person, session):
    _user, ctx = person()
    verdict = sessions.check(ctx, "kim", PASSWORD)
    add(ctx)

    with pytest.raises(Unauthorized):
        sessions.open_session(ctx, verdict, PASSWORD, ip="127.0.0.1", user_agent="")
    with pytest.raises(Unauthorized):
        me.sign_in_for_token(ctx, verdict, label="")
    assert session.scalars(select(Token)).all() == session.scalars(select(WebSession)).all() == []


def test_beside_an_app_no_new_codes_are_given_and_either_may_go(person, session, clock):
    user, ctx = person()
    second_factor.begin(ctx, password=PASSWORD)
    app = pyotp.TOTP(second_factor.own(ctx).secret)
    codes = second_factor.confirm(ctx, code=app.at(clock.now()))
    clock.advance(timedelta(seconds=30))
    device, none = add(ctx)
    assert none == ()

    second_factor.switch_off(ctx, code=app.at(clock.now()))
    assert sessions.check(ctx, "kim", PASSWORD).second_factor is True
    assert sign_in(ctx, user, device) is True
    assert second_factor.use(ctx, user.id, codes[0], ip="") is True
    passkeys.remove(ctx, HERE, passkeys.list_own(ctx)[0].id, code=codes[1])
    assert sessions.check(ctx, "kim", PASSWORD).second_factor is False
    assert session.scalar(select(func.count(RecoveryCode.id))) == 0


@pytest.mark.parametrize(
    "bent",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8001"},
        {"origin": "http://localhost.evil.example"},
        {"type": "webauthn.create"},
        {"challenge": text_of(b"x" * 32)},
        {"challenge": ["x"]},
        {"crossOrigin": True},
        {"rp_id": "evil.example"},
        {"handle": text_of(b"somebody else")},
        {"handle": "%%%"},
    ],
    ids=str,
)
def test_an_answer_that_was_made_elsewhere_proves_nothing(person, bent):
    user, ctx = person()
    device, _codes = add(ctx)

    assert sign_in(ctx, user, device, **bent) is False
    assert trail(ctx)[-1] == ("auth_second_factor_failed", "passkey_wrong")
    assert sign_in(ctx, user, device) is True


@pytest.mark.parametrize(
    ("device", "bent"),
    [
        (Device(), {"origin": "https://evil.example"}),
        (Device(), {"type": "webauthn.get"}),
        (Device(), {"challenge": text_of(b"x" * 32)}),
        (Device(), {"crossOrigin": True}),
        (Device(), {"fmt": "tpm"}),
        (Device(), {"fmt": "fido-u2f"}),
        (Device(flags=PRESENT), {}),
        (Device(flags=0), {}),
    ],
)
def test_a_passkey_that_was_made_for_something_else_is_not_kept(person, session, device, bent):
    user, ctx = person()
    with pytest.raises(Invalid) as refused:
        add(ctx, device, **bent)
    ctx.rollback()

    assert refused.value.code == "passkey_wrong"
    assert session.scalar(select(func.count(Passkey.id))) == 0
    assert session.get(User, user.id).has_second_factor is False


def test_a_device_that_verified_nobody_proves_nothing(person):
    user, ctx = person()
    device, _codes = add(ctx)
    device.flags = PRESENT

    assert sign_in(ctx, user, device) is False


def test_another_key_proves_nothing(person):
    user, ctx = person()
    device, _codes = add(ctx)
    thief = Device(credential_id=device.credential_id, handle=device.handle, counter=50)

    assert sign_in(ctx, user, thief) is False


def test_a_challenge_counts_once_for_one_person_one_purpose_and_five_minutes(person, clock):
    user, ctx = person()
    lee, their = person("lee")
    device, _codes = add(ctx)
    _other, _codes = add(their)
    answer = device.get(passkeys.question(ctx, HERE, user.id, SIGN_IN))
    assert passkeys.use(ctx, HERE, user.id, answer, ip="") is True
    assert passkeys.use(ctx, HERE, user.id, answer, ip="") is False
    # Nor does one that failed come again.
    question = passkeys.question(ctx, HERE, user.id, SIGN_IN)
    assert passkeys.use(ctx, HERE, user.id, device.get(question, origin="https://evil.example"), ip="") is False
    assert passkeys.use(ctx, HERE, user.id, device.get(question), ip="") is False
    question = passkeys.question(ctx, HERE, lee.id, SIGN_IN)
    assert passkeys.use(ctx, HERE, user.id, device.get(question), ip="") is False
    question = passkeys.question(ctx, HERE, user.id, CHANGE)
    assert passkeys.use(ctx, HERE, user.id, device.get(question), ip="") is False
    question = passkeys.question(ctx, HERE, user.id, SIGN_IN)
    clock.advance(timedelta(minutes=5))
    assert passkeys.use(ctx, HERE, user.id, device.get(question), ip="") is False
    assert sign_in(ctx, user, device) is True


def test_challenges_that_nobody_came_back_for_go(person, session, clock):
    user, ctx = person()
    add(ctx)
    for _ in range(3):
        passkeys.question(ctx, HERE, user.id, SIGN_IN)
    clock.advance(timedelta(minutes=6))
    passkeys.question(ctx, HERE, user.id, SIGN_IN)

    assert session.scalar(select(func.count(PasskeyChallenge.id))) == 1


def test_somebody_elses_passkey_opens_nothing(person):
    user, ctx = person()
    _lee, their = person("lee")
    add(ctx)
    thief, _codes = add(their)

    assert sign_in(ctx, user, thief) is False
    assert trail(ctx)[-1] == ("auth_second_factor_failed", "passkey_unknown")


def test_a_passkey_belongs_to_one_account(person, session):
    _user, ctx = person()
    _lee, their = person("lee")
    device, _codes = add(ctx)
    with pytest.raises(Conflict) as refused:
        add(their, device)
    their.rollback()

    assert refused.value.code == "passkey_known"
    assert session.scalar(select(User.passkeys_since).where(User.username == "lee")) is None


@pytest.mark.parametrize("back", [0, 1, 5])
def test_a_counter_that_does_not_go_on_is_refused(person, back):
    user, ctx = person()
    device, _codes = add(ctx, Device(counter=10))
    assert sign_in(ctx, user, device) is True
    device.counter -= back + 1

    assert sign_in(ctx, user, device) is False
    assert trail(ctx)[-1] == ("auth_second_factor_failed", "passkey_counter")


def test_a_device_that_does_not_count_is_taken(person):
    user, ctx = person()
    device, _codes = add(ctx, Device(counter=None))

    assert [sign_in(ctx, user, device), sign_in(ctx, user, device)] == [True, True]


def test_a_passkey_works_under_its_own_address_alone(person):
    user, ctx = person()
    device, _codes = add(ctx)
    moved = Place("console.example.com", "https://console.example.com")

    assert passkeys.question(ctx, moved, user.id, SIGN_IN) is None
    assert passkeys.question(ctx, None, user.id, SIGN_IN) is None
    answer = device.get(passkeys.question(ctx, HERE, user.id, SIGN_IN))
    assert passkeys.use(ctx, moved, user.id, answer, ip="") is False
    # It stays a second factor: another address does not make the password enough.
    assert sessions.check(ctx, "kim", PASSWORD).second_factor is True


def test_it_begins_with_the_password_and_ends_at_the_bound(person):
    _user, ctx = person()
    with pytest.raises(Invalid) as wrong:
        passkeys.begin(ctx, HERE, name="phone", password="not the password")
    assert wrong.value.code == "wrong_password"
    for _ in range(MOST - 1):
        add(ctx)
    device = Device()
    answer = device.create(passkeys.begin(ctx, HERE, name="late", password=PASSWORD))
    add(ctx)
    with pytest.raises(Conflict) as full:
        passkeys.begin(ctx, HERE, name="one more", password=PASSWORD)
    assert full.value.code == "passkeys_full"
    # Begun before the last place was taken.
    with pytest.raises(Conflict):
        passkeys.add(ctx, HERE, passkeys.take(ctx, ctx.actor.user_id, answer, ADD))


def test_renaming_and_removing_are_for_ones_own(person, session):
    _user, ctx = person()
    _lee, their = person("lee")
    _device, codes = add(ctx)
    mine = passkeys.list_own(ctx)[0].id
    for refused in (
        lambda: passkeys.own(their, mine),
        lambda: passkeys.rename(their, mine, name="taken"),
        lambda: passkeys.remove(their, HERE, mine, code=codes[0]),
    ):
        with pytest.raises(NotFound):
            refused()
    passkeys.rename(ctx, mine, name="new phone")
    passkeys.rename(ctx, mine, name="new phone")
    assert passkeys.list_own(ctx)[0].name == "new phone"
    assert passkeys.list_own(their) == []
    assert [action for action, _ in trail(ctx)].count("auth_passkey_rename") == 1


@pytest.mark.parametrize("by", ["recovery", "passkey"])
def test_removing_takes_a_code_or_a_passkey(person, session, by):
    user, ctx = person()
    device, codes = add(ctx)
    mine = passkeys.list_own(ctx)[0].id
    with pytest.raises(Invalid):
        passkeys.remove(ctx, HERE, mine, code="123456")
    if by == "recovery":
        passkeys.remove(ctx, HERE, mine, code=codes[0])
    else:
        _view, question = passkeys.ask_removal(ctx, HERE, mine)
        taken = passkeys.take(ctx, user.id, device.get(question), CHANGE)
        passkeys.remove(ctx, HERE, mine, taken=taken)

    assert sessions.check(ctx, "kim", PASSWORD).second_factor is False
    assert session.scalar(select(func.count(RecoveryCode.id))) == 0
    assert trail(ctx)[-1][0] == "auth_passkey_remove"


@pytest.mark.parametrize("by", ["recovery", "passkey"])
def test_new_recovery_codes_take_a_code_or_a_passkey_and_end_those_of_earlier(person, by):
    user, ctx = person()
    with pytest.raises(Conflict):
        passkeys.renew_codes(ctx, HERE, code="abc")
    device, codes = add(ctx)
    with pytest.raises(Invalid):
        passkeys.renew_codes(ctx, HERE, code="123456")
    taken = passkeys.take(ctx, user.id, device.get(passkeys.question(ctx, HERE, user.id, CHANGE)), CHANGE)
    new = passkeys.renew_codes(ctx, HERE, **({"code": codes[0]} if by == "recovery" else {"taken": taken}))

    assert len(set(new) - set(codes)) == 10
    assert second_factor.use(ctx, user.id, codes[1], ip="") is False
    assert second_factor.use(ctx, user.id, new[0], ip="") is True
    assert ("auth_recovery_codes_renew", "") in trail(ctx)


def test_of_two_answers_at_the_same_moment_one_gets_the_challenge(person, engine, clock, config):
    user, ctx = person()
    device, _codes = add(ctx, Device(counter=None))
    answer = device.get(passkeys.question(ctx, HERE, user.id, SIGN_IN))
    user_id = user.id
    ctx.commit()
    gate, found = threading.Barrier(2), []

    def enter():
        gate.wait()
        with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config) as own:
            found.append(passkeys.use(own, HERE, user_id, answer, ip=""))

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [False, True]


def test_whoever_runs_the_machine_takes_passkeys_away_too(person, make_ctx, session):
    user, ctx = person()
    device, codes = add(ctx)
    question = passkeys.question(ctx, HERE, user.id, SIGN_IN)
    assert second_factor.reset(make_ctx("owner", kind="system", username="system"), user.id) is True

    assert passkeys.use(ctx, HERE, user.id, device.get(question), ip="") is False
    assert second_factor.use(ctx, user.id, codes[0], ip="") is False
    assert sessions.check(ctx, "kim", PASSWORD).second_factor is False
    assert session.scalar(select(func.count(Passkey.id))) == 0


def test_an_owner_who_needs_one_keeps_the_last(person, session, clock, make_ctx):
    _user, ctx = person("head", role="owner")
    ctx.config = Config.for_tests(OWNER_SECOND_FACTOR_REQUIRED=True, DATA_DIR=ctx.config["DATA_DIR"])
    _device, codes = add(ctx)
    mine = passkeys.list_own(ctx)[0].id
    with pytest.raises(Conflict) as refused:
        passkeys.remove(ctx, HERE, mine, code=codes[0])
    assert refused.value.code == "second_factor_required"
    add(ctx, name="second")
    passkeys.remove(ctx, HERE, mine, code=codes[0])

    assert second_factor.own(ctx).is_required is False
    assert [one.name for one in passkeys.list_own(ctx)] == ["second"]
