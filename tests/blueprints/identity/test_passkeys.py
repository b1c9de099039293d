"""Passkeys at the doors: own pages, sign-in page, sign-in over a page, API, owners who need a second factor."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape

import pyotp
import pytest
from sqlalchemy import select

from console.models.identity import Passkey
from console.services.identity import passwords
from tests.factories import make_user
from tests.support.authenticator import Device
from tests.support.people import PASSWORD, BrowserClient, csrf_of
from tests.support.statements import statements

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
PAGE, NEW = "/account/second-factor", "/account/passkeys/new"
BEGIN = {"name": "work phone", "password": PASSWORD}
LOGIN = {"username": "kim", "password": PASSWORD}


def question_of(answer):
    """Return what a page asks the browser, or None when it asks nothing."""
    found = re.search(r'data-question="([^"]+)"', answer.text)
    return unescape(found[1]) if found else None


def add(client, device=None, **begin):
    """Make a passkey through the pages; returns device and the answer to the last step."""
    device = device or Device()
    asked = client.post(NEW, data={**BEGIN, **begin})
    assert asked.status_code == 200
    assert "no-store" in asked.headers["Cache-Control"]
    return device, client.post("/account/passkeys", data={"answer": device.create(question_of(asked))})


def codes_of(answer):
    return re.findall(r"data-recovery-code>([^<]+)<", answer.text)


def own_id(session):
    session.rollback()
    return session.scalars(select(Passkey.id).order_by(Passkey.id.desc())).first()


def test_from_the_account_to_the_recovery_codes(kim, actions):
    assert f'href="{NEW}"' in kim.get(PAGE).text
    _device, first = add(kim)
    assert first.status_code == 200
    assert "no-store" in first.headers["Cache-Control"]
    assert len(set(codes_of(first))) == 10
    _device, second = add(kim, name="돌려쓰는 <b>열쇠</b>")

    assert second.location == PAGE
    shown = kim.get(PAGE).text
    assert "work phone" in shown
    assert "돌려쓰는 &lt;b&gt;열쇠&lt;/b&gt;" in shown
    assert not any(code in shown for code in codes_of(first))
    assert actions()[-2:] == ["auth_passkey_add"] * 2


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"name": "", "password": PASSWORD}, 422),
        ({"name": "x" * 61, "password": PASSWORD}, 422),
        ({"name": "phone", "password": ""}, 422),
        ({"name": "phone", "password": "wrong"}, 422),
        ({}, 422),
    ],
)
def test_what_is_missing_or_wrong_is_said_at_its_field(kim, session, sent, status):
    answer = kim.post(NEW, data=sent)

    assert (answer.status_code, question_of(answer)) == (status, None)
    assert "data-error-summary" in answer.text


@pytest.mark.parametrize("answer", [None, "", "{}", "null", "x" * 20_000, json.dumps({"id": "x" * 900})])
def test_an_answer_that_is_none_leaves_nothing_behind(kim, session, answer):
    kim.post(NEW, data=BEGIN)
    refused = kim.post("/account/passkeys", data={"answer": answer} if answer is not None else {})

    assert refused.status_code == 422
    assert own_id(session) is None


def test_an_answer_is_not_taken_twice_nor_after_one_that_failed(kim, session):
    device = Device()
    question = question_of(kim.post(NEW, data=BEGIN))
    assert (
        kim.post("/account/passkeys", data={"answer": device.create(question, origin="https://a.b")}).status_code == 422
    )
    assert kim.post("/account/passkeys", data={"answer": device.create(question)}).status_code == 422
    question = question_of(kim.post(NEW, data=BEGIN))
    answer = device.create(question)
    assert kim.post("/account/passkeys", data={"answer": answer}).status_code == 200
    assert kim.post("/account/passkeys", data={"answer": answer}).status_code == 422


def test_somebody_elses_question_is_none_of_mine(kim, browser_client, session):
    lee = browser_client("operator", username="lee")
    answer = Device().create(question_of(kim.post(NEW, data=BEGIN)))

    assert lee.post("/account/passkeys", data={"answer": answer}).status_code == 422
    assert kim.post("/account/passkeys", data={"answer": answer}).status_code == 200


def test_the_sign_in_asks_for_it_after_the_password(kim, stranger, actions):
    device, _answer = add(kim)
    asked = stranger.sign_in("kim", next="/account")
    assert asked.status_code == 200
    assert "복구 코드 중 하나" in asked.text
    assert stranger.get("/account").status_code == 303
    sent = {"code": "", "answer": device.get(question_of(asked)), "next": "/account"}
    entered = stranger.post("/sign-in", data=sent)

    assert (entered.status_code, entered.location) == (303, "/account")
    assert stranger.get("/account").status_code == 200
    assert actions()[-2:] == ["auth_passkey_use", "auth_login_success"]


@pytest.mark.parametrize(
    ("role", "sites"), [("owner", ("*",)), ("manager", ("HQ",)), ("operator", ()), ("auditor", ("HQ",))]
)
def test_every_role_whatever_its_sites_has_its_own(browser_client, stranger, role, sites):
    person = browser_client(role, sites, username="lee")
    device, _answer = add(person)
    asked = stranger.sign_in("lee")

    assert stranger.post("/sign-in", data={"code": "", "answer": device.get(question_of(asked))}).status_code == 303
    assert stranger.get("/account").status_code == 200


def test_in_english_everything_is_english(kim, stranger, session):
    for browser in (kim, stranger):
        browser.set_cookie("lang", "en")
    device, _answer = add(kim)
    asked = stranger.sign_in("kim")
    assert "Use a passkey" in asked.text
    wrong = stranger.post("/sign-in", data={"code": "", "answer": device.get(question_of(asked), origin="https://a.b")})
    assert "The passkey was not accepted" in wrong.text
    here = f"/account/passkeys/{own_id(session)}"
    shown = (kim.get(PAGE), kim.get(NEW), kim.post(NEW, data=BEGIN), kim.get(here), kim.post(f"{here}/remove"))
    known = "한국어"
    assert not [one.request.path for one in shown if re.search(r"[가-힣]", one.text.replace(known, ""))]


def test_a_wrong_one_is_told_noted_and_asked_for_again(kim, stranger, actions):
    device, _answer = add(kim)
    asked = stranger.sign_in("kim")
    wrong = stranger.post("/sign-in", data={"code": "", "answer": device.get(question_of(asked), origin="https://a.b")})

    assert wrong.status_code == 422
    assert "패스키를 확인하지 못했습니다" in wrong.text
    assert actions()[-1] == "auth_second_factor_failed"
    assert question_of(wrong) not in (None, question_of(asked))
    again = stranger.post("/sign-in", data={"code": "", "answer": device.get(question_of(wrong))})
    assert again.status_code == 303


def test_an_answer_of_one_browser_is_not_taken_from_another(kim, stranger, app):
    device, _answer = add(kim)
    sent = {"code": "", "answer": device.get(question_of(stranger.sign_in("kim")))}
    assert stranger.post("/sign-in", data=sent).status_code == 303
    other = BrowserClient(app, app.response_class)
    other.sign_in("kim")

    assert other.post("/sign-in", data=sent).status_code == 422
    assert other.get("/account").status_code == 303


def test_without_the_password_before_it_it_opens_nothing(kim, stranger, app):
    device, _answer = add(kim)
    answer = device.get(question_of(BrowserClient(app, app.response_class).sign_in("kim")))
    stranger.csrf = csrf_of(stranger.get("/sign-in").text)

    assert stranger.post("/sign-in", data={"code": "", "answer": answer}).status_code == 400
    assert stranger.get("/account").status_code == 303


def test_a_recovery_code_stands_in_without_script(kim, stranger):
    _device, first = add(kim)
    stranger.sign_in("kim")

    assert stranger.post("/sign-in", data={"code": codes_of(first)[0], "answer": ""}).status_code == 303


def test_beside_an_app_either_opens(kim, stranger, app, clock):
    device, _answer = add(kim)
    kim.post(f"{PAGE}/begin", data={"password": PASSWORD})
    totp = pyotp.TOTP(re.search(r'id="second-factor-secret"[^>]*>([A-Z2-7]+)<', kim.get(PAGE).text)[1])
    kim.post(f"{PAGE}/confirm", data={"code": totp.at(clock.now())})
    clock.advance(timedelta(seconds=30))
    asked = stranger.sign_in("kim")
    assert "인증 앱의 코드 또는 복구 코드 중 하나" in asked.text
    assert stranger.post("/sign-in", data={"code": "", "answer": device.get(question_of(asked))}).status_code == 303
    other = BrowserClient(app, app.response_class)
    other.sign_in("kim")
    assert other.post("/sign-in", data={"code": totp.at(clock.now()), "answer": ""}).status_code == 303


def test_over_a_page_it_is_asked_for_in_the_same_place(kim, stranger):
    device, _answer = add(kim)
    stranger.csrf = csrf_of(stranger.get("/sign-in").text)
    asked = stranger.post("/sign-in", data=LOGIN, headers=PARTIAL)
    assert "<html" not in asked.text
    sent = {"code": "", "answer": device.get(question_of(asked))}

    assert 'data-signed-in="kim"' in stranger.post("/sign-in", data=sent, headers=PARTIAL).text


def test_guessing_is_throttled_like_codes_and_who_waits_is_asked_nothing(kim, stranger):
    add(kim)
    found = []
    for _ in range(6):
        found += [stranger.sign_in("kim"), stranger.post("/sign-in", data={"code": "", "answer": "{}"})]

    assert [one.status_code for one in found[:4]] == [200, 422, 200, 422]
    assert found[-1].status_code in (400, 429)
    assert all(question_of(one) is None for one in found if one.status_code == 429)


def test_the_password_of_the_own_page_is_throttled(kim):
    tried = [kim.post(NEW, data={**BEGIN, "password": "wrong"}).status_code for _ in range(6)]

    assert tried == [422] * 5 + [429]


def test_renaming(kim, session):
    add(kim)
    here = f"/account/passkeys/{own_id(session)}"
    assert "work phone" in kim.get(here).text
    assert kim.post(here, data={"name": ""}).status_code == 422
    assert kim.post(here, data={"name": "new phone"}).location == PAGE

    assert "new phone" in kim.get(PAGE).text


@pytest.mark.parametrize("by", ["code", "passkey"])
def test_removing_takes_a_code_or_a_passkey(kim, stranger, session, by, actions):
    device, first = add(kim)
    here = f"/account/passkeys/{own_id(session)}/remove"
    asked = kim.post(here)
    assert (asked.status_code, bool(question_of(asked))) == (200, True)
    assert kim.post(here, data={"code": ""}).status_code == 422
    wrong = kim.post(here, data={"code": "abc"})
    assert wrong.status_code == 422
    assert kim.post(here, data={"code": "", "answer": "{}"}).status_code == 422
    assert actions()[-2:] == ["auth_second_factor_failed"] * 2
    sent = {"code": codes_of(first)[0]} if by == "code" else {"code": "", "answer": device.get(question_of(wrong))}
    assert kim.post(here, data=sent).location == PAGE

    assert own_id(session) is None
    assert stranger.sign_in("kim").status_code == 303


@pytest.mark.parametrize("by", ["code", "passkey"])
def test_new_recovery_codes_take_a_code_or_a_passkey(kim, session, by):
    here = f"{PAGE}/codes"
    assert kim.post(here, data={"code": "abc"}).status_code == 409
    device, first = add(kim)
    assert 'action="/account/second-factor/codes"' in kim.get(PAGE).text
    asked = kim.post(here)
    assert (asked.status_code, codes_of(asked)) == (200, [])
    assert [kim.post(here, data={"code": code}).status_code for code in ("", "abc")] == [422, 422]
    sent = {"code": codes_of(first)[0]} if by == "code" else {"code": "", "answer": device.get(question_of(asked))}
    renewed = kim.post(here, data=sent)

    assert (renewed.status_code, len(codes_of(renewed))) == (200, 10)
    assert "no-store" in renewed.headers["Cache-Control"]
    assert kim.post(here, data={"code": codes_of(first)[1]}).status_code == 422


def test_removing_is_throttled(kim, session):
    add(kim)
    here = f"/account/passkeys/{own_id(session)}/remove"
    tried = [kim.post(here, data={"code": "", "answer": "{}"}).status_code for _ in range(6)]

    assert tried == [422] * 5 + [429]
    assert own_id(session) is not None


def test_somebody_elses_passkey_does_not_exist(kim, browser_client, session):
    _device, first = add(kim)
    lee = browser_client("owner", username="lee")
    add(lee)
    here = f"/account/passkeys/{own_id(session) - 1}"

    assert lee.get(here).status_code == 404
    assert lee.post(here, data={"name": "mine"}).status_code == 404
    assert lee.post(f"{here}/remove").status_code == 404
    assert lee.post(f"{here}/remove", data={"code": codes_of(first)[0]}).status_code == 404


def test_at_the_bound_the_page_says_so(kim, session):
    _device, _answer = add(kim)
    for _ in range(9):
        add(kim, Device())

    assert f'href="{NEW}"' not in kim.get(PAGE).text
    assert kim.post(NEW, data=BEGIN).status_code == 409


def test_who_has_no_password_is_told_in_words(api):
    token = api("manager")

    assert f'href="{NEW}"' not in token.get(PAGE).text
    assert token.post(NEW, data=BEGIN).status_code == 409


def test_the_page_costs_as_many_statements_with_one_as_with_four(kim):
    found = []
    for _ in range(4):
        add(kim)
        kim.get(PAGE)
        with statements() as seen:
            kim.get(PAGE)
        found.append(seen)

    assert len(found[0]) == len(found[3]) == len([one for one in found[0] if "FROM passkeys" not in one]) + 1


class TestTheApi:
    def test_it_takes_a_recovery_code_and_no_password_alone(self, kim, client):
        _device, first = add(kim)
        without = client.post("/api/auth/login", json=LOGIN)

        assert (without.status_code, without.json["code"]) == (401, "second_factor_required")
        assert client.post("/api/auth/login", json={**LOGIN, "otp": "123456"}).status_code == 401
        assert client.post("/api/auth/login", json={**LOGIN, "otp": codes_of(first)[0]}).status_code == 200


class TestTheAddress:
    @pytest.mark.parametrize(
        ("public_url", "host"),
        [
            ("", "localhost"),
            ("https://console.example.com", "console.example.com"),
            ("https://console.example.com:8443/", "console.example.com"),
            ("http://192.0.2.7", None),
            ("http://console.example.com", None),
        ],
    )
    def test_it_is_the_one_that_people_use(self, make_app, session, clock, public_url, host):
        app = make_app(PUBLIC_URL=public_url)
        hashed = passwords.make_hash(app.extensions["console_config"], PASSWORD)
        make_user(session, now=clock.now(), username="kim", role="manager", password_hash=hashed)
        session.commit()
        secure = public_url.startswith("https")
        kim = BrowserClient(app, app.response_class)
        base = "https://localhost" if secure else "http://localhost"
        kim.csrf = csrf_of(kim.get("/sign-in", base_url=base).text)
        headers = {"Referer": base}
        kim.post("/sign-in", data=LOGIN, base_url=base, headers=headers)
        kim.csrf = csrf_of(kim.get("/account/password", base_url=base).text)
        asked = kim.post(NEW, data=BEGIN, base_url=base, headers=headers)

        if host is None:
            assert asked.status_code == 409
            assert "https" in kim.get(NEW, base_url=base).text
        else:
            assert json.loads(question_of(asked))["rp"]["id"] == host


class TestOwnersWhoNeedIt:
    @pytest.fixture
    def head(self, make_app, session, clock):
        app = make_app(OWNER_SECOND_FACTOR_REQUIRED=True)
        hashed = passwords.make_hash(app.extensions["console_config"], PASSWORD)
        make_user(session, now=clock.now(), username="head", role="owner", password_hash=hashed)
        session.commit()
        head = BrowserClient(app, app.response_class)
        head.csrf = csrf_of(head.get("/sign-in").text)
        head.post("/sign-in", data={"username": "head", "password": PASSWORD})
        head.csrf = csrf_of(head.get(PAGE).text)
        return head

    def test_a_passkey_is_enough_and_the_last_one_stays(self, head, session):
        assert head.get("/admin/users").location == PAGE
        assert head.get(NEW).status_code == 200
        _device, first = add(head)
        assert first.status_code == 200
        assert head.get("/admin/users").status_code == 200
        here = f"/account/passkeys/{own_id(session)}/remove"
        assert head.post(here).status_code == 409
        assert head.post(here, data={"code": codes_of(first)[0]}).status_code == 409
        add(head)
        assert head.post(here, data={"code": codes_of(first)[0]}).location == PAGE
