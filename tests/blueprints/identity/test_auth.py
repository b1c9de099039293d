"""Credential checks of the JSON door: order, texts, dates (API contract, identity sections 2, 5, 6, 22)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from console.models.audit import AuditLog
from console.models.identity import Token, User
from tests.factories import make_token, make_user

OWNER_TOKEN = "test-owner-token"
DAY = timedelta(days=1)
LOCAL = {"ALLOW_INSECURE_LOCAL_AUTH": True, "ENV": "local"}


def ask(client, token, path="/api/auth/me", **kwargs):
    """Send a request with a token, and let what it left be written as the background thread does."""
    response = client.get(path, headers={"X-Admin-Token": token}, **kwargs)
    client.application.extensions["afterwards"].flush()
    return response


@pytest.fixture
def seeded(make_app):
    """An application with the bootstrap token of the published test profile."""
    return make_app(ADMIN_TOKEN=OWNER_TOKEN)


@pytest.fixture
def issued(session, clock):
    """Return a token of a manager, and its row."""
    user = make_user(session, now=clock.now(), role="manager", username="kim")
    plain = make_token(session, user, now=clock.now())
    session.commit()
    return plain


def change(session, plain_user="kim", **values):
    ids = select(User.id).where(User.username == plain_user)
    session.execute(update(Token).where(Token.user_id.in_(ids)).values(**values))
    session.commit()


def test_the_bootstrap_token_is_an_owner_and_never_cached(seeded):
    response = ask(seeded.test_client(), OWNER_TOKEN)

    assert response.status_code == 200
    assert response.json["role"] == "owner"
    assert response.json["username"] == "legacy-admin"
    assert response.json["permissions"] == ["*"]
    assert response.json["site_scope"] == ["*"]
    assert response.json["is_legacy"] is True
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"


def test_the_profile_has_the_published_fields_in_their_order(api):
    body = api("manager", ("HQ",)).get("/api/auth/me").json

    assert list(body)[:13] == [
        "user_id",
        "token_id",
        "token_label",
        "token_expires_at",
        "token_rotate_due_at",
        "token_idle_due_at",
        "token_must_rotate",
        "username",
        "display_name",
        "role",
        "permissions",
        "site_scope",
        "is_legacy",
    ]
    assert body["meta"] == {
        "schema": "auth_profile_response",
        "schema_version": "v1",
        "endpoint": "/api/auth/me",
        "role": "manager",
        "scope_type": "site",
        "is_legacy": False,
        "token_bound": True,
    }
    assert "governance:write" in body["added_permissions"]
    assert "governance:write" not in body["permissions"]
    assert len(body["permissions"]) == 38


@pytest.mark.parametrize(("sites", "kind"), [(("*",), "global"), (("HQ",), "site"), ((), "none")])
def test_the_scope_type_tells_all_some_and_none_apart(api, sites, kind):
    assert api("operator", sites).get("/api/auth/me").json["meta"]["scope_type"] == kind


@pytest.mark.parametrize(
    "headers", [{}, {"X-Admin-Token": ""}, {"X-Admin-Token": "   "}, {"Authorization": "Bearer x"}]
)
def test_without_a_token_the_text_says_missing(client, headers):
    response = client.get("/api/auth/me", headers=headers)

    assert (response.status_code, response.json) == (401, {"detail": "Missing admin token", "code": "token_missing"})
    assert "WWW-Authenticate" not in response.headers


@pytest.mark.parametrize(
    "text", ["wrong", "kaos_" + "x" * 32, "토큰", "caf\xe9", "\x7f\x80", "x" * 9000, "a b c", "'; drop table users--"]
)
def test_any_unknown_text_is_an_invalid_token(seeded, text):
    response = seeded.test_client().get("/api/auth/me", environ_overrides={"HTTP_X_ADMIN_TOKEN": text})

    assert response.status_code == 401
    assert response.json == {"detail": "Invalid admin token", "code": "token_unknown"}
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"created_at": -60 * DAY}, "token_rotation_overdue"),
        ({"last_used_at": -40 * DAY}, "token_idle"),
        ({"expires_at": timedelta(0)}, "token_expired"),
    ],
)
def test_a_token_past_one_of_its_dates_is_refused_and_switched_off(client, session, clock, issued, values, code):
    change(session, **{name: clock.now() + step for name, step in values.items()})
    used = session.scalar(select(Token.last_used_at))
    session.rollback()

    response = ask(client, issued)

    assert (response.status_code, response.json["detail"], response.json["code"]) == (401, "Invalid admin token", code)
    session.rollback()
    token = session.scalar(select(Token))
    assert token.is_active is False
    assert (token.disabled_at, token.disabled_reason) == (clock.now(), code)
    assert token.last_used_at == used
    noted = session.scalar(select(AuditLog).where(AuditLog.action == "admin_token_auto_disable"))
    assert (noted.resource_id, noted.actor_username) == (str(token.id), "system")
    assert ask(client, issued).json["code"] == "token_revoked"
    assert len(session.scalars(select(AuditLog).where(AuditLog.action == "admin_token_auto_disable")).all()) == 1


def test_a_token_of_an_inactive_user_is_refused(client, session, issued):
    session.execute(update(User).values(is_active=False))
    session.commit()

    assert ask(client, issued).json == {"detail": "Invalid admin token", "code": "user_inactive"}


def test_the_last_use_is_written_at_most_once_a_minute(client, session, clock, issued):
    def last_use():
        session.rollback()
        return session.scalar(select(Token.last_used_at))

    start = clock.now()
    ask(client, issued)
    assert last_use() == start
    clock.advance(timedelta(seconds=59))
    ask(client, issued)
    assert last_use() == start
    clock.advance(timedelta(seconds=1))
    ask(client, issued)
    assert last_use() == clock.now()


def test_the_idle_date_is_reckoned_from_the_use_before_this_one(client, session, clock, issued):
    before = clock.now() - 3 * DAY
    change(session, last_used_at=before)

    body = ask(client, issued).json

    assert body["token_idle_due_at"] == (before + 30 * DAY).isoformat(timespec="microseconds")


def test_a_permission_is_named_when_it_is_missing(api):
    response = api("operator").get("/api/admin/users")

    assert response.status_code == 403
    assert response.json == {"detail": "Missing permission: admins:manage", "code": "permission_missing"}


@pytest.mark.parametrize("granted", ["admins:manage", "admins:*", "*"])
def test_a_custom_permission_opens_what_the_role_does_not(api, granted):
    assert api("operator", permissions=(granted,)).get("/api/admin/token-policy").status_code == 200


def test_malformed_json_comes_before_the_credential_and_fields_after_the_permission(client, api):
    broken = {"data": "{", "content_type": "application/json"}

    assert client.post("/api/admin/users", **broken).status_code == 422
    assert client.post("/api/admin/users", **broken).json["detail"][0]["type"] == "json_invalid"
    assert client.post("/api/admin/users", json={}).status_code == 401
    assert api("operator").post("/api/admin/users", json={}).status_code == 403
    fields = api("owner").post("/api/admin/users", json={})
    assert (fields.status_code, fields.json["detail"][0]["loc"]) == (422, ["body", "username"])


def test_unknown_addresses_and_methods_answer_in_json(api):
    owner = api("owner")

    assert (owner.get("/api/nothing").status_code, owner.get("/api/nothing").json["detail"]) == (404, "Not Found")
    wrong = owner.delete("/api/auth/login")
    assert (wrong.status_code, wrong.json["detail"]) == (405, "Method Not Allowed")


def test_a_failing_store_is_not_a_wrong_token(client, issued, monkeypatch):
    from sqlalchemy.exc import OperationalError

    from console.services.identity import callers as identity

    def broken(*_):
        raise OperationalError("select", {}, Exception("gone"))

    monkeypatch.setattr(identity, "by_token", broken)
    response = ask(client, issued)

    assert response.status_code == 503
    assert response.json["code"] == "auth_store_unavailable"


class TestBootstrap:
    def test_it_is_seeded_once_and_stays_revoked(self, seeded, session):
        client = seeded.test_client()
        ask(client, OWNER_TOKEN)
        ask(client, OWNER_TOKEN)
        assert len(session.scalars(select(Token)).all()) == 1
        make_user(session, now=session.scalar(select(User.created_at)), role="owner", password_hash="x")
        change(session, "legacy-admin", is_active=False)

        assert ask(client, OWNER_TOKEN).status_code == 401
        assert len(session.scalars(select(Token)).all()) == 1

    def test_without_another_way_in_the_configured_token_still_opens(self, seeded, session, clock):
        client = seeded.test_client()
        ask(client, OWNER_TOKEN)
        clock.advance(31 * DAY)

        body = ask(client, OWNER_TOKEN).json
        body = ask(client, OWNER_TOKEN).json

        assert (body["username"], body["user_id"], body["is_legacy"]) == ("legacy-env-token", None, True)
        assert body["token_expires_at"] is None

    @pytest.mark.parametrize(("fallback", "status"), [(False, 401), (True, 200)])
    def test_with_an_owner_who_can_sign_in_only_the_switch_keeps_it_open(
        self, make_app, session, clock, fallback, status
    ):
        client = make_app(ADMIN_TOKEN=OWNER_TOKEN, ADMIN_TOKEN_ENV_FALLBACK=fallback).test_client()
        ask(client, OWNER_TOKEN)
        make_user(session, now=clock.now(), role="owner", password_hash="x")
        change(session, "legacy-admin", is_active=False)

        assert ask(client, OWNER_TOKEN).status_code == status

    def test_an_existing_account_of_that_name_is_reset(self, seeded, session, clock):
        make_user(session, now=clock.now(), username="legacy-admin", role="auditor", is_active=False, site_scope=())
        session.commit()

        assert ask(seeded.test_client(), OWNER_TOKEN).json["role"] == "owner"

    def test_its_own_token_is_not_ended_by_signing_out(self, seeded):
        client = seeded.test_client()
        response = client.post("/api/auth/logout", headers={"X-Admin-Token": OWNER_TOKEN})

        assert (response.status_code, response.json["token_revoked"]) == (200, False)
        assert ask(client, OWNER_TOKEN).status_code == 200


class TestLocalBypass:
    @pytest.fixture(autouse=True)
    def quiet(self, monkeypatch):
        """Outside of ENV=test a process begins to report on itself; these applications live too briefly for it."""
        monkeypatch.setattr("console.core.background.Background.ensure_started", lambda self: None)

    def test_it_opens_only_when_everything_says_so(self, make_app):
        body = make_app(**LOCAL).test_client().get("/api/auth/me").json

        assert (body["username"], body["role"], body["user_id"]) == ("local-dev", "owner", None)

    @pytest.mark.parametrize(
        "settings",
        [
            {"ALLOW_INSECURE_LOCAL_AUTH": False},
            {"ENV": "prod"},
            {"ENV": "staging"},
            {"ENV": "test"},
            {"ADMIN_TOKEN": OWNER_TOKEN},
        ],
    )
    def test_any_other_setting_keeps_it_shut(self, make_app, settings):
        client = make_app(PREFLIGHT_FAIL_ON_ERROR=False, **(LOCAL | settings)).test_client()

        assert client.get("/api/auth/me").status_code == 401

    @pytest.mark.parametrize(
        "environ",
        [{"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, {"HTTP_FORWARDED": "for=127.0.0.1"}],
    )
    def test_only_this_machine_itself_gets_in(self, make_app, environ):
        client = make_app(**LOCAL).test_client()

        assert client.get("/api/auth/me", environ_overrides=environ).status_code == 401

    def test_a_live_token_shuts_it(self, make_app, issued):
        assert make_app(**LOCAL).test_client().get("/api/auth/me").status_code == 401

    def test_every_page_says_loudly_that_nobody_is_signed_in(self, make_app):
        page = make_app(**LOCAL).test_client().get("/admin/users", headers={"Accept-Language": "en"})

        assert page.status_code == 200
        assert "ALLOW_INSECURE_LOCAL_AUTH" in page.text

    def test_another_site_cannot_use_it(self, make_app):
        client = make_app(**LOCAL).test_client()
        response = client.post(
            "/api/admin/users", json={"username": "evil"}, headers={"Origin": "https://evil.example"}
        )

        assert (response.status_code, response.json["code"]) == (400, "origin_refused")


def test_a_pepper_takes_over_tokens_stored_without_one(make_app, session, issued):
    client = make_app(TOKEN_PEPPER="pepper").test_client()
    before = session.scalar(select(Token.token_hash))
    session.rollback()

    assert ask(client, issued).status_code == 200
    session.rollback()
    assert session.scalar(select(Token.token_hash)) != before
    assert ask(client, issued).status_code == 200


def test_refused_access_is_on_record_but_only_as_a_sample(api, client, session):
    operator = api("operator")
    for _ in range(3):
        operator.get("/api/admin/users")
        ask(client, "kaos_" + "y" * 32)
        client.get("/api/auth/me")
    client.application.extensions["afterwards"].flush()

    rows = session.execute(select(AuditLog.action, AuditLog.status).order_by(AuditLog.id)).all()
    assert sorted(rows) == [("auth_denied", "denied"), ("permission_denied", "denied")]
