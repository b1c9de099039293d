"""Sign-in of people: password, session, forged requests, throttling (API contract, identity 23 B1 to B3, B16)."""

from __future__ import annotations

import re

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import select

from console.models.audit import AuditLog
from console.models.identity import Token, User
from console.services.identity import passwords
from console.services.runbook import preflight
from tests.conftest import START
from tests.factories import make_user
from tests.support.people import PASSWORD, BrowserClient, csrf_of
from tests.support.trail import actions

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def messages(response):
    summary = re.search(r'class="error-summary".*?</ul>', response.text, re.DOTALL)
    return re.sub(r"<[^>]+>", "", summary.group()).split("\n") if summary else []


class TestTheForm:
    def test_it_leads_on_to_the_place_that_was_wanted(self, browser, person, session):
        person()
        wanted = browser.get("/admin/users?role=owner")
        assert (wanted.status_code, wanted.location) == (303, "/sign-in?next=%2Fadmin%2Fusers%3Frole%3Downer")

        answer = browser.sign_in("kim", next="/account?x=1")

        assert (answer.status_code, answer.location) == (303, "/account?x=1")
        assert actions(session) == ["auth_login_success"]
        row = session.scalar(select(AuditLog))
        assert (row.actor_username, row.resource_type) == ("kim", "web_session")
        assert browser.get("/sign-in").location == "/"

    @pytest.mark.parametrize(
        "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
    )
    def test_it_never_leads_away_from_the_console(self, browser, person, target):
        person()

        assert browser.sign_in("kim", next=target).location == "/"

    def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(self, browser, person):
        person()
        cookie = browser.sign_in("kim").headers["Set-Cookie"]

        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie
        assert "Domain" not in cookie

    def test_over_https_the_cookie_is_bound_to_the_host(self, make_app, person):
        app = make_app(PUBLIC_URL="https://console.example")
        person()
        client = BrowserClient(app, app.response_class)
        csrf = csrf_of(client.get("/sign-in", base_url="https://console.example").text)
        answer = client.post(
            "/sign-in",
            base_url="https://console.example",
            data={"username": "kim", "password": PASSWORD},
            headers={"X-CSRFToken": csrf},
        )
        cookie = answer.headers["Set-Cookie"]

        assert cookie.startswith("__Host-kaos_session=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")

    @pytest.mark.parametrize(
        ("username", "password"),
        [("kim", "wrong password"), ("nobody", PASSWORD), ("lee", PASSWORD), ("park", PASSWORD)],
    )
    def test_every_failure_says_the_same(self, browser, person, session, username, password):
        person()
        person("lee", is_active=False)
        session.add(
            User(
                username="park",
                created_at=session.scalar(select(User.created_at)),
                updated_at=session.scalar(select(User.created_at)),
            )
        )
        session.commit()

        answer = browser.sign_in(username, password)

        assert answer.status_code == 422
        assert any("사용자 이름 또는 비밀번호가 올바르지 않습니다." in text for text in messages(answer))
        assert f'value="{username}"' in answer.text
        assert password not in answer.text
        assert actions(session) == ["auth_login_failed"]

    def test_what_was_typed_as_an_unknown_name_is_not_kept(self, browser, session):
        browser.sign_in("my-secret-password", "kim")
        session.rollback()
        row = session.scalar(select(AuditLog))

        assert (row.status, row.resource_id) == ("denied", "unknown")
        assert "my-secret-password" not in row.detail_json

    def test_an_unknown_name_takes_as_long_as_a_wrong_password(self, make_app, session, clock, monkeypatch):
        app = make_app(PASSWORD_HASH_PROFILE="standard")
        make_user(session, now=clock.now(), username="kim", password_hash=passwords.STANDARD.hash(PASSWORD))
        session.commit()
        compared = []
        monkeypatch.setattr(
            PasswordHasher, "verify", lambda _hasher, stored, text: compared.append((extract_parameters(stored), text))
        )

        def cost(username):
            compared.clear()
            client = BrowserClient(app, app.response_class)
            client.csrf = csrf_of(client.get("/sign-in").text)
            client.post("/sign-in", data={"username": username, "password": "wrong password"})
            return list(compared)

        known = cost("kim")
        assert len(known) == 1
        assert cost("nobody") == known

    def test_it_works_without_script_in_both_languages(self, browser):
        korean = browser.get("/sign-in")
        english = browser.get("/sign-in", headers={"Accept-Language": "en"})

        assert "비밀번호" in korean.text
        assert "Password" in english.text
        assert 'action="/sign-in"' in korean.text
        assert korean.headers["Cache-Control"] == "no-store"
        assert korean.headers["X-Robots-Tag"] == "noindex, nofollow"


class TestThrottling:
    def test_after_five_wrong_ones_the_right_one_has_to_wait_as_well(self, make_app, person):
        app = make_app()
        person()
        person("lee")
        client = BrowserClient(app, app.response_class)
        found = [client.sign_in("kim", "wrong password").status_code for _ in range(6)]

        assert found == [422] * 5 + [429]
        waiting = client.sign_in("kim")
        assert waiting.status_code == 429
        assert 1 <= int(waiting.headers["Retry-After"]) <= 300
        assert any("다시 시도해 주십시오" in text for text in messages(waiting))
        assert client.sign_in("lee").status_code == 303

    def test_a_stranger_elsewhere_does_not_lock_the_owner_of_the_account_out(self, make_app, person):
        app = make_app()
        person()
        stranger = app.test_client()
        for _ in range(6):
            stranger.post(
                "/api/auth/login",
                json={"username": "kim", "password": "wrong password"},
                environ_overrides={"REMOTE_ADDR": "192.0.2.9"},
            )
        client = BrowserClient(app, app.response_class)

        assert client.sign_in("kim").status_code == 303

    def test_an_address_with_a_list_of_names_is_stopped(self, make_app):
        client = make_app(SIGN_IN_MAX_FAILURES_ADDRESS=3).test_client()
        found = [
            client.post("/api/auth/login", json={"username": f"name{n}", "password": "x"}).status_code for n in range(5)
        ]

        assert found == [401, 401, 401, 429, 429]

    def test_an_account_guessed_from_many_addresses_is_stopped(self, make_app, person):
        client = make_app(SIGN_IN_MAX_FAILURES_ACCOUNT=3).test_client()
        person()

        def guess(n):
            body = {"username": "kim", "password": "x"}
            return client.post(
                "/api/auth/login", json=body, environ_overrides={"REMOTE_ADDR": f"192.0.2.{n}"}
            ).status_code

        assert [guess(n) for n in range(5)] == [401, 401, 401, 429, 429]

    def test_the_api_says_for_how_long_to_wait(self, make_app, person):
        client = make_app(SIGN_IN_MAX_FAILURES=1).test_client()
        person()
        first, second = (client.post("/api/auth/login", json={"username": "kim", "password": "x"}) for _ in range(2))

        assert (first.status_code, second.status_code, second.json["code"]) == (401, 429, "sign_in_throttled")
        assert 1 <= int(second.headers["Retry-After"]) <= 300

    def test_the_current_password_cannot_be_guessed_through_the_api(self, make_app, person):
        app = make_app(SIGN_IN_MAX_FAILURES=3)
        person()
        token = app.test_client().post("/api/auth/login", json={"username": "kim", "password": PASSWORD}).json["token"]

        def change(current):
            body = {"current_password": current, "password": "a much better password"}
            return app.test_client().patch("/api/auth/me/profile", json=body, headers={"X-Admin-Token": token})

        assert [change("wrong").status_code for _ in range(4)] == [422, 422, 422, 429]
        assert change(PASSWORD).status_code == 429

    def test_the_right_password_forgives_earlier_typing_errors(self, make_app, person):
        app = make_app()
        person()
        client = BrowserClient(app, app.response_class)
        for _ in range(3):
            for _ in range(4):
                client.sign_in("kim", "wrong password")
            assert client.sign_in("kim").status_code == 303
            client.post("/sign-out")


class TestTheFirstPassword:
    @pytest.fixture
    def newcomer(self, browser, person):
        person(must_change_password=True)
        assert browser.sign_in("kim", next="/board").location == "/account/password?next=%2Fboard"
        return browser

    def test_everything_else_waits_for_it(self, newcomer):
        assert newcomer.get("/account").location == "/account/password"
        assert newcomer.get("/admin/users", headers=PARTIAL).headers["HX-Redirect"] == "/account/password"
        refused = newcomer.get("/api/auth/me")
        assert (refused.status_code, refused.json["code"]) == (403, "password_change_required")
        assert newcomer.get("/account/password").status_code == 200

    def test_once_chosen_the_way_is_free(self, newcomer, session):
        fields = {"current": PASSWORD, "new": "a much better password", "next": "/account"}
        answer = newcomer.post("/account/password", data={**fields, "again": "a much better password"})

        assert (answer.status_code, answer.location) == (303, "/account")
        assert newcomer.get("/account").status_code == 200
        assert actions(session)[-1] == "auth_password_change"

    def test_without_a_wish_the_way_leads_to_the_work(self, newcomer):
        fields = {"current": PASSWORD, "new": "a much better password", "again": "a much better password"}

        assert newcomer.post("/account/password", data=fields).location == "/overview"

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"current": "wrong password"}, "현재 비밀번호가 올바르지 않습니다"),
            ({"new": PASSWORD, "again": PASSWORD}, "새 비밀번호는 이전 비밀번호와 달라야 합니다"),
            ({"new": "short", "again": "short"}, "비밀번호는 10자 이상이어야 합니다"),
            ({"again": "something else"}, "새 비밀번호가 서로 다릅니다"),
        ],
    )
    def test_a_password_that_will_not_do_is_explained(self, newcomer, fields, message):
        given = {"current": PASSWORD, "new": "a much better password", "again": "a much better password"}
        answer = newcomer.post("/account/password", data=given | fields)

        assert answer.status_code == 422
        assert any(message in text for text in messages(answer))
        assert newcomer.get("/account").status_code == 303

    def test_a_one_time_password_gives_no_token(self, client, person):
        person(must_change_password=True)
        answer = client.post("/api/auth/login", json={"username": "kim", "password": PASSWORD})

        assert (answer.status_code, answer.json["code"]) == (403, "password_change_required")

    def test_old_clients_may_be_given_one_and_the_preflight_warns(self, make_app, person):
        app = make_app(API_LOGIN_BEFORE_OWN_PASSWORD=True)
        person(must_change_password=True)
        answer = app.test_client().post("/api/auth/login", json={"username": "kim", "password": PASSWORD})

        assert answer.status_code == 200
        headers = {"X-Admin-Token": answer.json["token"]}
        assert app.test_client().get("/api/auth/me", headers=headers).json["must_change_password"]
        checks = preflight.examine_process(app.extensions["console_config"], START).checks
        warned = next(check for check in checks if check.id == "compatibility_switches")
        assert (warned.status, "API_LOGIN_BEFORE_OWN_PASSWORD" in str(warned.message)) == ("warning", True)

    def test_the_answer_is_kept_nowhere_and_names_its_own_endpoint(self, client, person):
        person()
        answer = client.post("/api/auth/login", json={"username": "kim", "password": PASSWORD})

        assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
        assert answer.json["profile"]["meta"]["endpoint"] == "/api/auth/login"
        again = client.get("/api/auth/me", headers={"X-Admin-Token": answer.json["token"]})
        assert again.json["meta"]["endpoint"] == "/api/auth/me"


def test_changing_the_password_ends_the_other_sessions(app, browser_client):
    client = browser_client("manager", username="kim")
    other = BrowserClient(app, app.response_class)
    other.sign_in("kim")
    client.post(
        "/account/password",
        data={"current": PASSWORD, "new": "a much better password", "again": "a much better password"},
    )

    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 303


class TestSignInForAToken:
    def test_the_answer_carries_a_token_and_the_profile(self, client, person, session):
        person(role="manager", site_scope=("HQ",))
        answer = client.post("/api/auth/login", json={"username": "kim", "password": PASSWORD})

        assert answer.status_code == 200
        assert list(answer.json) == ["token", "profile"]
        assert (answer.json["profile"]["role"], answer.json["profile"]["token_label"]) == ("manager", "web-login")
        assert answer.headers["Cache-Control"] == "no-store"
        token = answer.json["token"]
        assert client.get("/api/auth/me", headers={"X-Admin-Token": token}).status_code == 200
        assert actions(session) == ["auth_login_success"]
        out = client.post("/api/auth/logout", headers={"X-Admin-Token": token})
        assert list(out.json) == ["status", "token_id", "token_label", "token_revoked", "is_legacy", "logged_out_at"]
        assert (out.json["status"], out.json["token_revoked"]) == ("logged_out", True)
        assert client.get("/api/auth/me", headers={"X-Admin-Token": token}).status_code == 401

    def test_a_wrong_password_is_refused_in_the_published_words(self, client, person):
        person()
        answer = client.post("/api/auth/login", json={"username": "kim", "password": "wrong"})

        assert (answer.status_code, answer.json["detail"]) == (401, "Invalid username or password")

    def test_it_counts_against_the_quota(self, client, person, session):
        person()
        for _ in range(7):
            client.post("/api/auth/login", json={"username": "kim", "password": PASSWORD})
        session.rollback()

        assert len(session.scalars(select(Token).where(Token.is_active)).all()) == 5


class TestOwnAccount:
    def test_name_language_and_theme_are_kept_and_follow_to_the_next_browser(self, app, browser_client):
        client = browser_client("manager", username="kim")
        answer = client.post("/account/profile", data={"display_name": "김관리", "language": "en", "theme": "dark"})

        assert answer.status_code == 303
        assert "김관리" in client.get("/account").text
        other = BrowserClient(app, app.response_class)
        other.sign_in("kim")
        assert other.get_cookie("lang").value == "en"
        assert other.get_cookie("theme").value == "dark"

    @pytest.mark.parametrize("fields", [{"language": "fr"}, {"theme": "pink"}, {"display_name": "x" * 121}])
    def test_other_words_are_refused(self, browser_client, fields):
        client = browser_client("manager")

        assert (
            client.post(
                "/account/profile", data={"display_name": "A", "language": "", "theme": "", **fields}
            ).status_code
            == 422
        )

    def test_the_api_edits_the_own_profile_and_password(self, api, config):
        me = api("manager", password_hash=passwords.make_hash(config, PASSWORD))
        assert me.patch("/api/auth/me/profile", json={"display_name": "Kim"}).json["display_name"] == "Kim"
        wrong = me.patch("/api/auth/me/profile", json={"password": "a much better password"})
        assert (wrong.status_code, wrong.json["code"]) == (422, "wrong_password")
        right = {"password": "a much better password", "current_password": PASSWORD}
        assert me.patch("/api/auth/me/profile", json=right).status_code == 200

    def test_one_leaves_unless_one_is_the_last_owner(self, api):
        owner = api("owner")
        stays = owner.delete("/api/auth/me")
        assert (stays.status_code, stays.json["detail"]) == (409, "At least one active owner must remain")
        manager = api("manager")
        assert manager.delete("/api/auth/me").json["is_active"] is False
        assert manager.get("/api/auth/me").status_code == 401


class TestTokensOfAPassword:
    """A token that was got by password is a sign-in: it ends when the password does."""

    @pytest.fixture
    def person(self, api, config, client):
        """A person with a session-less token by password, one that was issued, and the client of the latter."""
        hashed = passwords.make_hash(config, PASSWORD)
        issued = api("manager", username="kim", password_hash=hashed)
        sent = {"username": "kim", "password": PASSWORD}
        got = client.post("/api/auth/login", json=sent).json["token"]
        return issued, got

    def works(self, client, token):
        return client.get("/api/auth/me", headers={"X-Admin-Token": token}).status_code == 200

    def test_a_reset_ends_every_session_and_every_token_and_says_how_many(self, api, client, person):
        issued, got = person
        assert self.works(client, got)
        user_id = issued.get("/api/auth/me").json["user_id"]

        answer = api("owner").post(f"/api/admin/users/{user_id}/password", json={}).json

        assert (answer["sessions_ended"], answer["tokens_ended"]) == (0, 2)
        assert not self.works(client, got)
        assert not self.works(client, issued.token)

    @pytest.mark.parametrize(("end_all", "issued_works"), [(False, True), (True, False)])
    def test_a_change_ends_those_got_by_password_and_offers_the_rest(self, app, client, person, end_all, issued_works):
        issued, got = person
        browser = BrowserClient(app, app.response_class)
        assert browser.sign_in("kim").status_code == 303
        new = "a much better password"
        form = {"current": PASSWORD, "new": new, "again": new} | ({"end_all_tokens": "1"} if end_all else {})

        assert browser.post("/account/password", data=form).status_code == 303

        assert not self.works(client, got)
        assert self.works(client, issued.token) is issued_works

    def test_the_token_that_changes_the_password_stays(self, client, person):
        issued, got = person
        body = {"password": "a much better password", "current_password": PASSWORD, "end_all_tokens": True}

        assert client.patch("/api/auth/me/profile", json=body, headers={"X-Admin-Token": got}).status_code == 200

        assert self.works(client, got)
        assert not self.works(client, issued.token)

    def test_signing_out_everywhere_includes_them(self, app, client, person):
        issued, got = person
        browser = BrowserClient(app, app.response_class)
        browser.sign_in("kim")

        assert browser.post("/account/sessions/end-all", data={}).status_code == 303

        assert not self.works(client, got)
        assert self.works(client, issued.token)

    def test_a_rotated_one_is_still_one(self, api, app, client, person, session):
        _issued, got = person
        token_id = client.get("/api/auth/me", headers={"X-Admin-Token": got}).json["token_id"]
        rotated = api("owner").post(f"/api/admin/tokens/{token_id}/rotate").json["token"]
        browser = BrowserClient(app, app.response_class)
        browser.sign_in("kim")

        browser.post("/account/sessions/end-all", data={})

        assert not self.works(client, rotated)
