"""The second factor at the doors: own page, sign-in page, sign-in over a page, API, owners who need it."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest

from console.services.identity import passwords
from console.services.runbook import preflight
from tests.conftest import START
from tests.factories import make_user
from tests.support.people import PASSWORD, BrowserClient, csrf_of

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
PAGE = "/account/second-factor"
LOGIN = {"username": "kim", "password": PASSWORD}


def switch_on(client, clock):
    """Switch the second factor on through its page; returns app and recovery codes."""
    assert client.post(f"{PAGE}/begin", data={"password": PASSWORD}).location == PAGE
    shown = client.get(PAGE)
    assert "otpauth://totp/" in shown.text
    assert "no-store" in shown.headers["Cache-Control"]
    app = pyotp.TOTP(re.search(r'id="second-factor-secret"[^>]*>([A-Z2-7]+)<', shown.text)[1])
    answer = client.post(f"{PAGE}/confirm", data={"code": app.at(clock.now())})
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    clock.advance(timedelta(seconds=30))
    return app, re.findall(r"data-recovery-code>([^<]+)<", answer.text)


def test_the_account_leads_to_it_and_the_codes_are_shown_once(kim, clock):
    assert f'href="{PAGE}"' in kim.get("/account").text
    _app, codes = switch_on(kim, clock)

    assert len(set(codes)) == 10
    assert not any(code in kim.get(PAGE).text for code in codes)
    assert "10" in kim.get(PAGE).text


def test_who_has_no_password_reads_in_words_that_there_is_nothing_to_add(api):
    token = api("manager")
    page = token.get(PAGE)

    assert (page.status_code, "비밀번호 없이 로그인하는 계정입니다" in page.text) == (200, True)
    assert "/begin" not in page.text
    assert token.post(f"{PAGE}/begin", data={"password": PASSWORD}).status_code == 409


@pytest.mark.parametrize("which", ["app", "recovery"])
def test_the_sign_in_asks_for_a_code_after_the_password(kim, stranger, clock, actions, which):
    app, codes = switch_on(kim, clock)
    asked = stranger.sign_in("kim", next="/account")

    assert asked.status_code == 200
    assert 'name="code"' in asked.text
    assert 'autocomplete="one-time-code"' in asked.text
    assert stranger.get("/account").status_code == 303
    wrong = stranger.post("/sign-in", data={"code": "abc", "next": "/account"})
    assert wrong.status_code == 422
    assert stranger.get("/account").status_code == 303
    entered = stranger.post(
        "/sign-in", data={"code": codes[0] if which == "recovery" else app.at(clock.now()), "next": "/account"}
    )
    assert (entered.status_code, entered.location) == (303, "/account")
    assert stranger.get("/account").status_code == 200
    used = ["auth_recovery_code_used"] if which == "recovery" else []
    assert actions()[-2 - len(used) :] == ["auth_second_factor_failed", *used, "auth_login_success"]


def test_a_code_is_not_taken_twice(kim, stranger, app, clock):
    totp, _codes = switch_on(kim, clock)
    sent = {"code": totp.at(clock.now())}
    stranger.sign_in("kim")
    assert stranger.post("/sign-in", data=sent).status_code == 303
    other = BrowserClient(app, app.response_class)
    other.sign_in("kim")

    assert other.post("/sign-in", data=sent).status_code == 422


def test_without_the_password_before_it_a_code_opens_nothing(kim, stranger, clock):
    app, _codes = switch_on(kim, clock)
    stranger.csrf = csrf_of(stranger.get("/sign-in").text)

    assert stranger.post("/sign-in", data={"code": app.at(clock.now())}).status_code == 400
    assert stranger.get("/account").status_code == 303


@pytest.mark.parametrize("change", ["late", "password"])
def test_a_password_of_earlier_does_not_count(kim, stranger, clock, change):
    app, _codes = switch_on(kim, clock)
    stranger.sign_in("kim")
    if change == "late":
        clock.advance(timedelta(minutes=6))
    else:
        new = {"current": PASSWORD, "new": "quite another password", "again": "quite another password"}
        assert kim.post("/account/password", data=new).status_code == 303

    assert stranger.post("/sign-in", data={"code": app.at(clock.now())}).status_code == 400


def test_over_a_page_the_code_is_asked_for_in_the_same_place(kim, stranger, clock):
    app, _codes = switch_on(kim, clock)
    stranger.csrf = csrf_of(stranger.get("/sign-in").text)
    asked = stranger.post("/sign-in", data=LOGIN, headers=PARTIAL)
    assert 'name="code"' in asked.text
    assert "<html" not in asked.text
    assert "data-signed-in" not in asked.text

    assert 'data-signed-in="kim"' in stranger.post("/sign-in", data={"code": app.at(clock.now())}, headers=PARTIAL).text


def test_a_known_password_does_not_clear_the_way_for_guesses(kim, stranger, clock):
    switch_on(kim, clock)
    found = []
    for _ in range(4):
        found += [stranger.sign_in("kim").status_code, stranger.post("/sign-in", data={"code": "abc"}).status_code]

    assert found[:4] == [200, 422, 200, 422]
    assert 429 in found
    assert found[-1] in (400, 429)


def test_wrong_codes_and_passwords_on_the_own_page_are_told_noted_and_throttled(kim, clock, actions):
    assert kim.post(f"{PAGE}/begin", data={"password": "wrong"}).status_code == 422
    switch_on(kim, clock)
    assert kim.post(f"{PAGE}/off", data={"code": ""}).status_code == 422
    tried = [kim.post(f"{PAGE}/off", data={"code": "abc"}).status_code for _ in range(6)]

    assert tried == [422] * 5 + [429]
    assert actions().count("auth_second_factor_failed") == 5


def test_switched_off_the_password_is_enough_again(kim, stranger, clock):
    app, _codes = switch_on(kim, clock)

    assert kim.post(f"{PAGE}/off", data={"code": app.at(clock.now())}).location == PAGE
    assert stranger.sign_in("kim").status_code == 303


class TestTheApi:
    def test_it_asks_for_the_code_and_takes_it_once(self, kim, client, clock):
        app, codes = switch_on(kim, clock)
        without = client.post("/api/auth/login", json=LOGIN)
        assert (without.status_code, without.json["code"]) == (401, "second_factor_required")
        assert without.json["detail"] == "Invalid username or password"
        wrong = client.post("/api/auth/login", json={**LOGIN, "otp": "abc"})
        assert (wrong.status_code, wrong.json["code"]) == (401, "second_factor_wrong")
        right = {**LOGIN, "otp": app.at(clock.now())}
        given = client.post("/api/auth/login", json=right)
        assert given.status_code == 200
        assert list(given.json) == ["token", "profile"]
        assert client.post("/api/auth/login", json=right).status_code == 401
        assert client.post("/api/auth/login", json={**LOGIN, "otp": codes[0]}).status_code == 200

    def test_the_code_without_the_password_is_nothing(self, kim, client, clock):
        app, _codes = switch_on(kim, clock)
        sent = {**LOGIN, "password": "wrong", "otp": app.at(clock.now())}

        assert client.post("/api/auth/login", json=sent).json["code"] == "invalid_credentials"

    def test_who_has_none_may_send_one(self, kim, client):
        assert client.post("/api/auth/login", json={**LOGIN, "otp": "123456"}).status_code == 200


class TestOwnersWhoNeedIt:
    @pytest.fixture
    def strict(self, make_app, session, clock):
        app = make_app(OWNER_SECOND_FACTOR_REQUIRED=True)
        for username, role in (("head", "owner"), ("lee", "manager")):
            hashed = passwords.make_hash(app.extensions["console_config"], PASSWORD)
            make_user(session, now=clock.now(), username=username, role=role, password_hash=hashed)
        session.commit()
        return app

    def test_an_owner_goes_on_only_with_it(self, strict, clock):
        head = BrowserClient(strict, strict.response_class)
        head.csrf = csrf_of(head.get("/sign-in").text)
        assert head.post("/sign-in", data={"username": "head", "password": PASSWORD}).status_code == 303
        head.csrf = csrf_of(head.get(PAGE).text)
        assert head.get("/account").location == PAGE
        assert head.get("/admin/users").location == PAGE
        refused = head.get("/api/auth/me")
        assert (refused.status_code, refused.json["code"]) == (403, "second_factor_setup_required")
        app, _codes = switch_on(head, clock)
        assert head.get("/admin/users").status_code == 200
        assert head.post(f"{PAGE}/off", data={"code": app.at(clock.now())}).status_code == 409

    def test_others_go_on_without(self, strict):
        lee = BrowserClient(strict, strict.response_class)

        assert lee.sign_in("lee").status_code == 303
        assert lee.get("/account").status_code == 200

    def test_the_api_gives_such_an_owner_no_token(self, strict):
        answer = strict.test_client().post("/api/auth/login", json={"username": "head", "password": PASSWORD})

        assert (answer.status_code, answer.json["code"]) == (403, "second_factor_setup_required")

    @pytest.mark.parametrize(
        ("env", "needed", "status"),
        [("local", False, "ok"), ("production", False, "warning"), ("production", True, "ok")],
    )
    def test_the_preflight_warns_in_production(self, config, env, needed, status):
        seen = preflight.examine_process(
            config.__class__.for_tests(ENV=env, OWNER_SECOND_FACTOR_REQUIRED=needed), START
        )

        assert next(check.status for check in seen.checks if check.id == "owner_second_factor") == status
