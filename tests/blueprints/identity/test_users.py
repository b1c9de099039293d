"""Users over the API (API contract, identity sections 4, 7, 21 to 23)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.models.identity import Token, User, WebSession
from tests.factories import make_site, make_token, make_user
from tests.support.trail import entries

USERS = "/api/admin/users"


@pytest.fixture
def owner(api):
    return api("owner", username="head")


@pytest.fixture
def person(session, clock):
    """Add a user with a live token; returns their id and the token."""

    def build(**values):
        session.rollback()
        user = make_user(session, now=clock.now(), **values)
        user_id, token = user.id, make_token(session, user, now=clock.now())
        session.commit()
        return user_id, token

    return build


def test_a_new_user_has_the_published_fields_and_defaults(owner, session):
    response = owner.post(USERS, json={"username": " kim "})

    assert response.status_code == 201
    body = response.json
    assert list(body)[:9] == [
        "id",
        "username",
        "display_name",
        "role",
        "permissions",
        "site_scope",
        "is_active",
        "created_at",
        "updated_at",
    ]
    assert (body["username"], body["display_name"], body["role"]) == ("kim", "kim", "operator")
    assert (body["site_scope"], body["is_active"], len(body["permissions"])) == (["*"], True, 34)
    assert body["created_at"] == "2026-03-02T00:00:00.000000+00:00"
    assert "password" not in response.text.replace("has_password", "").replace("must_change_password", "")
    expected = {"username": "kim", "role": "operator", "site_scope": ["*"], "is_active": True}
    assert entries(session, "admin_user_create") == [("admin_user", str(body["id"]), expected)]


def test_custom_permissions_join_the_role_and_stand_apart_too(owner):
    body = owner.post(
        USERS, json={"username": "kim", "role": "auditor", "permissions": [" b:x ", "a:y", "b:x", ""]}
    ).json

    assert body["custom_permissions"] == ["a:y", "b:x"]
    assert body["permissions"] == sorted(body["permissions"])
    assert {"a:y", "b:x", "reports:read"} <= set(body["permissions"])


@pytest.mark.parametrize(
    ("sites", "expected"),
    [(["본관", " HQ ", "HQ"], ["HQ", "본관"]), (["HQ", "*"], ["*"]), ([], []), (["  "], [])],
)
def test_a_scope_is_normalised_and_an_empty_one_is_no_site(owner, sites, expected):
    assert owner.post(USERS, json={"username": "kim", "site_scope": sites}).json["site_scope"] == expected


def test_the_old_reading_of_an_empty_scope_has_a_switch(make_app, session, clock):
    user = make_user(session, now=clock.now(), role="owner")
    token = make_token(session, user, now=clock.now())
    session.commit()
    client = make_app(SITE_SCOPE_EMPTY_MEANS_ALL=True).test_client()
    response = client.post(USERS, json={"username": "kim", "site_scope": []}, headers={"X-Admin-Token": token})

    assert response.json["site_scope"] == ["*"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "ab"},
        {"username": "a" * 81},
        {"username": "   a   "},
        {"username": "legacy-admin"},
        {"username": "System"},
        {"username": "a\u0000bc"},
        {"username": 123},
        {"username": "kim", "role": "root"},
        {"username": "kim", "role": None},
        {"username": "kim", "display_name": "x" * 121},
        {"username": "kim", "is_active": "yes"},
        {"username": "kim", "is_active": 1},
        {"username": "kim", "site_scope": "HQ"},
        {"username": "kim", "site_scope": ["A,B"]},
        {"username": "kim", "site_scope": [1]},
        {"username": "kim", "permissions": ["a:b,admins:manage"]},
        {"username": "kim", "password": "short"},
    ],
)
def test_a_body_out_of_bounds_leaves_nothing_behind(owner, session, body):
    response = owner.post(USERS, json=body)

    assert response.status_code == 422
    assert response.json["detail"]
    session.rollback()
    assert session.scalars(select(User.username)).all() == ["head"]
    assert entries(session, "admin_user_create") == []


def test_a_taken_name_conflicts_and_case_matters(owner):
    owner.post(USERS, json={"username": "kim"})
    again = owner.post(USERS, json={"username": "kim"})

    assert (again.status_code, again.json["detail"]) == (409, "username already exists")
    assert owner.post(USERS, json={"username": "Kim"}).status_code == 201


def test_users_are_listed_newest_first(owner, clock, person):
    from datetime import timedelta

    clock.advance(timedelta(seconds=1))
    first, _ = person(username="first")
    second, _ = person(username="second")

    assert [user["username"] for user in owner.get(USERS).json] == ["second", "first", "head"]
    assert owner.get(f"{USERS}/{second}").json["username"] == "second"
    assert owner.get(f"{USERS}/{first + 900}").status_code == 404


class TestSwitchingOff:
    def test_it_ends_every_credential_in_the_same_moment(self, owner, client, session, clock, person):
        user_id, token = person()
        session.add(
            WebSession(
                token_hash="h",
                user_id=user_id,
                created_at=clock.now(),
                last_seen_at=clock.now(),
                expires_at=clock.now(),
            )
        )
        session.commit()

        off = owner.patch(f"{USERS}/{user_id}/active", json={"is_active": False})

        assert (off.status_code, off.json["is_active"]) == (200, False)
        assert client.get("/api/auth/me", headers={"X-Admin-Token": token}).status_code == 401
        session.rollback()
        stored = session.scalar(select(Token).where(Token.user_id == user_id))
        assert (stored.is_active, stored.revoked_reason) == (False, "user_deactivated")
        assert session.scalar(select(WebSession.revoked_reason)) == "user_deactivated"
        [(kind, reference, detail)] = entries(session, "admin_user_set_active")
        assert (kind, reference, detail["is_active"]) == ("admin_user", str(user_id), False)

    def test_switching_on_again_does_not_bring_tokens_back(self, owner, client, person):
        user_id, token = person()
        owner.patch(f"{USERS}/{user_id}/active", json={"is_active": False})
        on = owner.patch(f"{USERS}/{user_id}/active", json={"is_active": True})

        assert on.json["is_active"] is True
        assert client.get("/api/auth/me", headers={"X-Admin-Token": token}).status_code == 401

    def test_the_own_account_is_refused_before_anything_else(self, owner):
        me = owner.get("/api/auth/me").json["user_id"]
        response = owner.patch(f"{USERS}/{me}/active", json={"is_active": False})

        assert (response.status_code, response.json["detail"]) == (409, "Cannot deactivate current admin user")
        assert owner.patch(f"{USERS}/{me}/active", json={"is_active": True}).status_code == 200

    def test_an_unknown_user_is_not_found_and_the_body_is_required(self, owner):
        missing = owner.patch(f"{USERS}/987654/active", json={"is_active": False})

        assert (missing.status_code, missing.json["detail"]) == (404, "Admin user not found")
        assert owner.patch(f"{USERS}/1/active", json={}).status_code == 422
        assert owner.patch(f"{USERS}/0/active", json={"is_active": True}).status_code == 404

    def test_the_last_active_owner_stays(self, api, make_app, person):
        admin = api("manager", permissions=("admins:manage", "*"))
        owner_id, _ = person(role="owner")
        app_admin = make_app(GRANT_CONTAINMENT=False).test_client()
        headers = {"X-Admin-Token": admin.token}
        url = f"{USERS}/{owner_id}/active"

        refused = app_admin.patch(url, json={"is_active": False}, headers=headers)
        assert (refused.status_code, refused.json["code"]) == (409, "last_owner")
        assert refused.json["detail"] == "At least one active owner must remain"
        demoted = app_admin.patch(f"{USERS}/{owner_id}", json={"role": "auditor"}, headers=headers)
        assert demoted.status_code == 409
        person(role="owner")
        assert app_admin.patch(url, json={"is_active": False}, headers=headers).status_code == 200


class TestContainment:
    """Nobody hands out more than they have (23-B8)."""

    @pytest.fixture
    def admin(self, api):
        return api("manager", ("HQ", "본관"), permissions=("admins:manage",))

    @pytest.mark.parametrize(
        "body",
        [
            {"role": "owner", "site_scope": ["HQ"]},
            {"role": "operator", "site_scope": ["*"]},
            {"role": "operator"},
            {"role": "operator", "site_scope": ["HQ", "별관"]},
            {"role": "operator", "site_scope": ["HQ"], "permissions": ["*"]},
            {"role": "operator", "site_scope": ["HQ"], "permissions": ["admins:*"]},
            {"role": "operator", "site_scope": ["HQ"], "permissions": ["workflow_locks:admin"]},
        ],
    )
    def test_beyond_the_own_role_sites_or_permissions_is_refused(self, admin, session, body):
        response = admin.post(USERS, json={"username": "mallory", **body})

        assert (response.status_code, response.json["code"]) == (403, "grant_beyond_own")
        session.rollback()
        assert session.scalar(select(User).where(User.username == "mallory")) is None

    @pytest.mark.parametrize(
        "body",
        [
            {"role": "manager", "site_scope": ["HQ"]},
            {"role": "operator", "site_scope": ["HQ", "본관"]},
            {"role": "auditor", "site_scope": [], "permissions": ["admins:manage", "work_orders:escalate"]},
        ],
    )
    def test_within_it_is_granted(self, admin, body):
        assert admin.post(USERS, json={"username": "kim", **body}).status_code == 201

    @pytest.mark.parametrize(
        "values", [{"role": "owner"}, {"site_scope": ("*",)}, {"site_scope": ("별관",)}, {"permissions": ("*",)}]
    )
    def test_accounts_above_the_own_are_out_of_reach(self, admin, person, values):
        user_id, _ = person(**({"site_scope": ("HQ",)} | values))
        person(role="owner")
        tried = [
            admin.patch(f"{USERS}/{user_id}/active", json={"is_active": False}),
            admin.patch(f"{USERS}/{user_id}", json={"display_name": "x"}),
            admin.post(f"{USERS}/{user_id}/password", json={}),
            admin.post(f"{USERS}/{user_id}/tokens", json={}),
        ]

        assert [(one.status_code, one.json["code"]) for one in tried] == [(403, "account_above_own")] * 4

    def test_the_switch_brings_the_old_freedom_back(self, make_app, admin):
        client = make_app(GRANT_CONTAINMENT=False).test_client()
        response = client.post(USERS, json={"username": "kim", "role": "owner"}, headers={"X-Admin-Token": admin.token})

        assert response.status_code == 201

    def test_an_owner_for_one_site_cannot_grant_all_sites(self, api):
        local = api("owner", ("HQ",))

        assert local.post(USERS, json={"username": "kim"}).status_code == 403
        assert local.post(USERS, json={"username": "kim", "site_scope": ["HQ"]}).status_code == 201


class TestEditing:
    def test_only_what_is_sent_changes_and_the_trail_tells_old_and_new(self, owner, session, person):
        user_id, _ = person(username="kim", site_scope=("HQ",))
        body = owner.patch(f"{USERS}/{user_id}", json={"role": "manager", "site_scope": ["HQ", "본관"]}).json

        assert (body["role"], body["site_scope"], body["version"]) == ("manager", ["HQ", "본관"], 2)
        [(_, _, detail)] = entries(session, "admin_user_update")
        assert detail == {
            "username": "kim",
            "changes": {
                "role": {"old": "operator", "new": "manager"},
                "site_scope": {"old": ["HQ"], "new": ["HQ", "본관"]},
            },
        }

    def test_nothing_new_writes_nothing(self, owner, session, person):
        user_id, _ = person(username="kim")

        assert owner.patch(f"{USERS}/{user_id}", json={"role": "operator"}).json["version"] == 1
        assert entries(session, "admin_user_update") == []

    def test_an_outdated_version_loses(self, owner, person):
        user_id, _ = person()
        assert owner.patch(f"{USERS}/{user_id}", json={"display_name": "A", "version": 1}).status_code == 200
        late = owner.patch(f"{USERS}/{user_id}", json={"display_name": "B", "version": 1})

        assert (late.status_code, late.json["code"]) == (409, "version_conflict")

    def test_nobody_changes_their_own_role(self, owner):
        me = owner.get("/api/auth/me").json["user_id"]

        assert owner.patch(f"{USERS}/{me}", json={"role": "manager"}).status_code == 409

    def test_deleting_switches_off_and_keeps_the_row(self, owner, session, person):
        user_id, _ = person()

        assert owner.delete(f"{USERS}/{user_id}").json["is_active"] is False
        assert session.get(User, user_id) is not None


class TestPasswords:
    def test_a_one_time_password_is_shown_once_and_must_be_changed(self, owner, session, person):
        user_id, _ = person(username="kim")
        body = owner.post(f"{USERS}/{user_id}/password", json={}).json

        assert len(body["one_time_password"]) == 19
        assert (body["user"]["has_password"], body["user"]["must_change_password"]) == (True, True)
        assert body["one_time_password"] not in owner.get(USERS).text
        detail = {"username": "kim", "sessions_ended": 0, "tokens_ended": 1}
        assert entries(session, "admin_user_password_reset") == [("admin_user", str(user_id), detail)]
        assert session.scalar(select(User.password_hash).where(User.id == user_id)).startswith("$argon2id$")

    def test_a_given_password_must_pass_the_rules(self, owner, person):
        user_id, _ = person(username="kim")

        weak = owner.post(f"{USERS}/{user_id}/password", json={"password": "1234567890"})
        assert (weak.status_code, weak.json["code"]) == (422, "weak_password")
        good = owner.post(f"{USERS}/{user_id}/password", json={"password": "옥상 물탱크 점검 완료"})
        assert (good.status_code, good.json["one_time_password"]) == (200, None)


def test_a_password_answer_has_the_user_at_the_top_too(owner, person):
    user_id, _token = person(username="kim")
    made = owner.post(f"{USERS}/{user_id}/password", json={}).json

    user = owner.get(f"{USERS}/{user_id}").json
    more = {"one_time_password": made["one_time_password"], "sessions_ended": 0, "tokens_ended": 1}
    assert made == {**user, "user": user, **more}
    assert made["one_time_password"]


def test_who_leaves_is_told_the_state(api):
    api("owner", username="head")
    left = api("manager", username="kim").delete("/api/auth/me")

    assert (left.status_code, left.json["status"], left.json["username"]) == (200, "deactivated", "kim")
    assert left.json["is_active"] is False


def test_lists_for_programs_have_everything_in_the_published_order(owner, session, clock):
    for minutes, name in ((2, "middle"), (1, "oldest"), (3, "newest"), (3, "same_time")):
        at = clock.now() + timedelta(minutes=minutes)
        user = make_user(session, now=at, username=name, is_active=name != "middle")
        make_token(session, user, now=at, label=name)
        make_site(session, name, now=at, is_active=name != "middle")
    session.commit()

    newest = ["same_time", "newest", "middle", "oldest"]
    assert [user["username"] for user in owner.get("/api/admin/users").json][:4] == newest
    assert [token["label"] for token in owner.get("/api/admin/tokens").json][:4] == newest
    assert [site["name"] for site in owner.get("/api/admin/sites").json] == sorted(newest)
    every = len(owner.get("/api/admin/tokens").json)
    assert len(owner.get("/api/admin/tokens?active_only=0").json) == every
    assert owner.get("/api/admin/tokens?user_id=-1").json == []
