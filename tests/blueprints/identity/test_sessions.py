"""Sessions of people and requests forged by others (API contract, identity 23 B1 to B3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.models.identity import User, WebSession
from tests.support.people import PASSWORD, BrowserClient
from tests.support.trail import actions

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


class TestTheSession:
    def test_signing_in_as_somebody_else_ends_the_session_before(self, app, browser, person, session):
        person()
        person("lee")
        browser.sign_in("kim")
        before = browser.get_cookie("kaos_session").value
        browser.post("/sign-in", data={"username": "lee", "password": PASSWORD})
        session.rollback()

        reasons = session.scalars(select(WebSession.revoked_reason).order_by(WebSession.id)).all()
        assert reasons == ["replaced", None]
        old = BrowserClient(app, app.response_class)
        old.set_cookie("kaos_session", before)
        assert old.get("/account").status_code == 303

    def test_a_cookie_planted_before_the_sign_in_opens_nothing_after_it(self, app, browser, person):
        person()
        browser.get("/sign-in")
        planted = browser.get_cookie("kaos_session").value
        browser.sign_in("kim")
        thief = BrowserClient(app, app.response_class)
        thief.set_cookie("kaos_session", planted)

        assert thief.get("/account").location.startswith("/sign-in")

    def test_only_the_hash_is_stored(self, browser_client, session):
        client = browser_client("manager")
        cookie = client.get_cookie("kaos_session").value
        session.rollback()
        stored = session.scalar(select(WebSession))

        assert len(stored.token_hash) == 64
        assert stored.token_hash not in cookie
        assert (stored.ip, stored.revoked_at) == ("127.0.0.1", None)

    @pytest.mark.parametrize(("wait", "step"), [(timedelta(minutes=480), 480), (timedelta(hours=168), 60)])
    def test_it_ends_by_idleness_and_by_age(self, browser_client, clock, wait, step):
        client = browser_client("manager")
        end = clock.now() + wait
        while clock.now() + timedelta(minutes=step) < end:
            clock.advance(timedelta(minutes=step))
            assert client.get("/account").status_code == 200
            client.application.extensions["afterwards"].flush()
        clock.set(end)

        assert client.get("/account").status_code == 303
        assert client.get("/api/auth/me").json == {"detail": "Missing admin token", "code": "session_ended"}

    def test_the_same_session_opens_the_api_with_the_rights_of_the_person(self, browser_client):
        body = browser_client("manager", ("HQ",)).get("/api/auth/me").json

        assert (body["role"], body["site_scope"], body["token_id"]) == ("manager", ["HQ"], None)
        assert body["meta"]["token_bound"] is False

    def test_a_token_in_the_header_counts_alone(self, browser_client, api):
        client, token = browser_client("auditor"), api("owner").token

        assert client.get("/api/auth/me", headers={"X-Admin-Token": token}).json["role"] == "owner"
        assert client.get("/api/auth/me", headers={"X-Admin-Token": "wrong"}).status_code == 401
        assert client.get("/api/auth/me").json["role"] == "auditor"

    @pytest.mark.parametrize("value", ["", "x", "eyJzaWQiOiAiYWJjIn0.x.y", "é" * 50, "a" * 3000])
    def test_a_cookie_that_is_none_is_nobody(self, browser, value):
        browser.set_cookie("kaos_session", value)

        assert browser.get("/account").status_code == 303
        assert browser.get("/api/auth/me").status_code == 401

    def test_a_change_of_the_account_counts_at_once(self, browser_client, session):
        client = browser_client("owner")
        session.rollback()
        user = session.scalar(select(User))
        user.role, user.site_scope = "auditor", ("HQ",)
        session.commit()

        assert client.get("/admin/users").status_code == 403
        assert client.get("/api/auth/me").json["site_scope"] == ["HQ"]

    def test_a_person_who_was_switched_off_is_out_at_once(self, browser_client, session):
        client = browser_client("manager")
        session.rollback()
        session.scalar(select(User)).is_active = False
        session.commit()

        assert client.get("/account").status_code == 303

    def test_a_fragment_of_an_ended_session_is_led_to_the_door(self, browser):
        answer = browser.get("/admin/users", headers=PARTIAL)

        assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in")


class TestSigningOut:
    def test_the_session_and_the_cookie_are_gone(self, browser_client, session):
        client = browser_client("manager")
        kept = client.get_cookie("kaos_session").value
        answer = client.post("/sign-out")

        assert (answer.status_code, answer.location) == (303, "/sign-in")
        assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
        assert browser_client("manager").post("/sign-out", data={"keep_rounds": "1"}).headers["Clear-Site-Data"] == (
            '"cache"'
        )
        client.set_cookie("kaos_session", kept)
        assert client.get("/account").status_code == 303
        assert actions(session)[-1] == "auth_logout"

    def test_others_are_listed_and_ended_one_by_one_or_all(self, app, browser_client, session):
        first = browser_client("manager", username="kim")
        second, third = (BrowserClient(app, app.response_class) for _ in range(2))
        second.sign_in("kim")
        third.sign_in("kim")
        session.rollback()
        ids = session.scalars(select(WebSession.id).order_by(WebSession.id)).all()
        page = first.get("/account").text

        assert page.count('/end"') == 3
        assert first.post(f"/account/sessions/{ids[1]}/end").location == "/account"
        assert second.get("/account").status_code == 303
        assert third.get("/account").status_code == 200
        assert first.post("/account/sessions/end-all").location == "/account"
        assert third.get("/account").status_code == 303
        assert first.get("/account").status_code == 200
        assert first.post("/account/sessions/end-all", data={"everywhere": "1"}).location == "/sign-in"
        assert first.get("/account").status_code == 303

    def test_sessions_of_others_are_out_of_reach(self, browser_client, session):
        mine, _other = browser_client("owner"), browser_client("manager")
        session.rollback()
        foreign = session.scalars(select(WebSession.id).order_by(WebSession.id)).all()[1]

        assert mine.post(f"/account/sessions/{foreign}/end").status_code == 404
        session.rollback()
        assert session.get(WebSession, foreign).revoked_at is None


class TestForgedRequests:
    @pytest.mark.parametrize("csrf", ["", "wrong", "ImFiYyI.x.y"])
    def test_without_the_token_of_the_page_nothing_is_changed(self, browser_client, session, csrf):
        client = browser_client("owner")
        client.csrf = csrf
        answers = [
            client.post("/admin/sites/new", data={"name": "본관", "zone": "Asia/Seoul"}),
            client.post("/api/admin/sites", json={"name": "본관"}),
            client.post("/account/sessions/end-all"),
            client.delete("/api/auth/me"),
        ]

        assert [answer.status_code for answer in answers] == [400] * 4
        assert answers[1].json["code"] == "csrf_failed"
        assert actions(session) == ["auth_login_success"]

    def test_the_token_of_another_session_is_worthless(self, app, browser_client, person):
        client = browser_client("owner")
        person("mallory")
        other = BrowserClient(app, app.response_class)
        other.sign_in("mallory")
        client.csrf = other.csrf

        assert client.post("/account/sessions/end-all").status_code == 400

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "http://localhost.evil.example"},
            {"Origin": "http://localhost:8080"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ],
    )
    def test_another_site_is_refused_even_with_the_right_token(self, browser_client, headers):
        client = browser_client("owner")

        assert client.post("/account/sessions/end-all", headers=headers).status_code == 400
        assert client.post("/api/admin/sites", json={"name": "본관"}, headers=headers).json["code"] == "origin_refused"

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "http://localhost"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "none"},
        ],
    )
    def test_our_own_pages_pass(self, browser_client, headers):
        assert browser_client("owner").post("/account/sessions/end-all", headers=headers).status_code == 303

    def test_the_field_of_a_plain_form_counts_as_the_header_does(self, browser_client):
        client = browser_client("owner")
        csrf, client.csrf = client.csrf, ""

        assert client.post("/account/sessions/end-all", data={"csrf_token": csrf}).status_code == 303

    def test_a_token_in_the_header_needs_no_proof(self, api):
        assert api("owner").post("/admin/sites/new", data={"name": "본관", "zone": "Asia/Seoul"}).status_code == 303

    def test_the_sign_in_form_cannot_be_sent_by_another_site(self, browser, person):
        person()
        forged = browser.post("/sign-in", data={"username": "kim", "password": PASSWORD})

        assert forged.status_code == 400
        assert 'name="username"' in forged.text
        assert browser.get("/account").status_code == 303
        elsewhere = browser.post("/sign-in", data={"username": "kim"}, headers={"Origin": "https://evil.example"})
        assert elsewhere.status_code == 400

    def test_reading_needs_no_proof(self, browser_client):
        client = browser_client("owner")

        assert client.get("/admin/users", headers={"Origin": "https://evil.example"}).status_code == 200
