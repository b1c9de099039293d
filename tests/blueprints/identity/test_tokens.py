"""Tokens over the API (API contract, identity sections 4, 8 and 22)."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from console.models.audit import AuditLog
from console.models.identity import Token, User
from tests.factories import make_token, make_user

DAY = timedelta(days=1)


def trail(session, action):
    session.rollback()
    rows = session.scalars(select(AuditLog).where(AuditLog.action == action).order_by(AuditLog.id))
    return [(row.resource_id, json.loads(row.detail_json)) for row in rows]


@pytest.fixture
def owner(api):
    return api("owner", username="head")


@pytest.fixture
def user(session, clock):
    """Add a user; returns their id."""

    def build(**values):
        session.rollback()
        user_id = make_user(session, now=clock.now(), **values).id
        session.commit()
        return user_id

    return build


def issue(client, user_id, **body):
    return client.post(f"/api/admin/users/{user_id}/tokens", json=body)


def me(client, token):
    return client.get("/api/auth/me", headers={"X-Admin-Token": token})


def test_a_token_lives_from_issue_to_revocation(owner, client, session, clock):
    user_id = owner.post("/api/admin/users", json={"username": "kim", "role": "manager"}).json["id"]
    response = issue(owner, user_id, label="ci")
    body = response.json

    assert response.status_code == 201
    assert list(body)[:7] == ["token_id", "user_id", "label", "token", "site_scope", "expires_at", "created_at"]
    assert body["token"].startswith("kaos_")
    assert len(body["token"]) == 37
    assert body["expires_at"] == (clock.now() + 30 * DAY).isoformat(timespec="microseconds")
    stored = session.scalar(select(Token.token_hash).where(Token.id == body["token_id"]))
    assert stored == hashlib.sha256(body["token"].encode()).hexdigest()
    assert me(client, body["token"]).json["role"] == "manager"

    revoked = owner.post(f"/api/admin/tokens/{body['token_id']}/revoke")

    assert (revoked.status_code, revoked.json["is_active"]) == (200, False)
    assert revoked.json["revoked_reason"] == "revoked"
    assert me(client, body["token"]).status_code == 401
    assert owner.post(f"/api/admin/tokens/{body['token_id']}/revoke").status_code == 200
    assert trail(session, "admin_token_issue") == [
        (
            str(body["token_id"]),
            {
                "user_id": user_id,
                "label": "ci",
                "site_scope": ["*"],
                "expires_at": str(clock.now() + 30 * DAY),
            },
        )
    ]
    assert trail(session, "admin_token_revoke") == [(str(body["token_id"]), {"user_id": user_id, "label": "ci"})]


def test_checks_of_an_issue_come_in_their_published_order(owner, user, clock):
    inactive = user(is_active=False, site_scope=("HQ",))
    active = user(site_scope=("HQ",))

    def answer(user_id, **body):
        response = issue(owner, user_id, **body)
        return response.status_code, response.json["detail"]

    past = clock.now().isoformat()
    far = (clock.now() + 120 * DAY).isoformat()
    assert answer(987654, expires_at=past) == (400, "Token expiry must be in the future")
    assert answer(987654, expires_at=far) == (400, "Token expiry exceeds max TTL (30 days)")
    assert answer(987654) == (404, "Admin user not found")
    assert answer(inactive, site_scope=["별관"]) == (409, "Inactive user cannot receive token")
    assert answer(active, site_scope=["별관"]) == (409, "Token site scope does not overlap user site scope")
    assert answer(active, site_scope=[]) == (409, "Token site scope does not overlap user site scope")


@pytest.mark.parametrize(
    "body",
    [
        {"label": ""},
        {"label": "x" * 121},
        {"label": 1},
        {"expires_at": 0},
        {"expires_at": "soon"},
        {"site_scope": "HQ"},
    ],
)
def test_a_body_out_of_bounds_is_refused(owner, user, body):
    assert issue(owner, user(), **body).status_code == 422


def test_an_expiry_without_zone_is_read_as_utc(owner, user, clock):
    wanted = (clock.now() + DAY).replace(tzinfo=None).isoformat()

    assert issue(owner, user(), expires_at=wanted).json["expires_at"] == "2026-03-03T00:00:00.000000+00:00"


@pytest.mark.parametrize(
    ("user_scope", "token_scope", "effective"),
    [
        (("*",), None, ["*"]),
        (("*",), ["Scope Site"], ["Scope Site"]),
        (("A", "B"), ["*"], ["A", "B"]),
        (("A", "B"), ["B", "C"], ["B"]),
        (("A",), None, ["A"]),
    ],
)
def test_the_effective_scope_shows_in_every_answer(owner, client, user, user_scope, token_scope, effective):
    user_id = user(site_scope=user_scope)
    made = issue(owner, user_id, site_scope=token_scope).json

    assert made["site_scope"] == effective
    assert me(client, made["token"]).json["site_scope"] == effective
    [listed] = owner.get("/api/admin/tokens", query_string={"user_id": user_id}).json
    assert listed["site_scope"] == effective


def test_a_scope_that_shrinks_to_nothing_later_sees_nothing(owner, client, user, session):
    user_id = user(site_scope=("A",))
    token = issue(owner, user_id, site_scope=["A"]).json["token"]
    owner.patch(f"/api/admin/users/{user_id}", json={"site_scope": ["B"]})

    body = me(client, token).json
    assert (body["site_scope"], body["meta"]["scope_type"]) == ([], "none")
    rotated = owner.post(f"/api/admin/tokens/{session.scalar(select(Token.id).where(Token.user_id == user_id))}/rotate")
    assert (rotated.status_code, rotated.json["detail"]) == (409, "Token site scope does not overlap user site scope")


class TestRotation:
    def test_the_new_one_replaces_the_old_one(self, owner, client, user, session):
        old = issue(owner, user(site_scope=("A", "B")), label="ci", site_scope=["A"]).json
        new = owner.post(f"/api/admin/tokens/{old['token_id']}/rotate").json

        assert new["token_id"] != old["token_id"]
        assert (new["label"], new["site_scope"]) == ("ci", ["A"])
        assert me(client, old["token"]).status_code == 401
        assert me(client, new["token"]).status_code == 200
        [(reference, detail)] = trail(session, "admin_token_rotate")
        assert reference == str(old["token_id"])
        assert list(detail) == ["old_token_id", "new_token_id", "user_id", "label", "site_scope", "expires_at"]
        assert (detail["old_token_id"], detail["new_token_id"]) == (old["token_id"], new["token_id"])

    def test_what_cannot_be_rotated_says_why(self, owner, user, session):
        missing = owner.post("/api/admin/tokens/987654/rotate")
        token = issue(owner, user()).json
        owner.post(f"/api/admin/tokens/{token['token_id']}/revoke")
        inactive = owner.post(f"/api/admin/tokens/{token['token_id']}/rotate")
        sleeper = issue(owner, user(username="sleeper")).json
        session.rollback()
        session.execute(update(User).where(User.username == "sleeper").values(is_active=False))
        session.commit()
        asleep = owner.post(f"/api/admin/tokens/{sleeper['token_id']}/rotate")

        found = [(one.status_code, one.json["detail"]) for one in (missing, inactive, asleep)]
        assert found == [
            (404, "Admin token not found"),
            (409, "Admin token already inactive"),
            (409, "Inactive user cannot rotate token"),
        ]

    def test_a_grace_period_keeps_the_old_one_for_a_while(self, make_app, owner, user, clock):
        client = make_app(ADMIN_TOKEN_ROTATE_GRACE_SECONDS=60).test_client()
        old = issue(owner, user()).json
        headers = {"X-Admin-Token": owner.token}
        new = client.post(f"/api/admin/tokens/{old['token_id']}/rotate", headers=headers).json

        assert new["replaced_token_id"] == old["token_id"]
        assert new["replaced_valid_until"] == (clock.now() + timedelta(seconds=60)).isoformat(timespec="microseconds")
        assert me(client, old["token"]).status_code == 200
        again = client.post(f"/api/admin/tokens/{old['token_id']}/rotate", headers=headers)
        assert (again.status_code, again.json["detail"]) == (409, "Admin token already inactive")
        clock.advance(timedelta(seconds=60))
        assert me(client, old["token"]).status_code == 401
        assert me(client, new["token"]).status_code == 200


class TestQuota:
    def test_the_least_recently_used_go_and_are_named(self, owner, client, user, session, clock):
        user_id = user()
        made = []
        for _ in range(5):
            made.append(issue(owner, user_id).json)
            clock.advance(timedelta(minutes=1))
        assert me(client, made[0]["token"]).status_code == 200
        client.application.extensions["afterwards"].flush()
        clock.advance(timedelta(minutes=1))

        sixth = issue(owner, user_id).json

        assert sixth["revoked_token_ids"] == [made[1]["token_id"]]
        live = owner.get("/api/admin/tokens", query_string={"user_id": user_id, "active_only": "yes"}).json
        assert len(live) == 5
        [(reference, detail)] = trail(session, "admin_token_auto_revoke_quota")
        assert reference == str(made[1]["token_id"])
        assert detail == {
            "user_id": user_id,
            "max_active_per_user": 5,
            "revoked_token_ids": [made[1]["token_id"]],
        }

    def test_expired_ones_do_not_count(self, owner, user, session, clock):
        user_id = user()
        for _ in range(5):
            issue(owner, user_id, expires_at=(clock.now() + DAY).isoformat())
        clock.advance(2 * DAY)

        assert issue(owner, user_id).json["revoked_token_ids"] == []


def test_own_tokens_are_not_revoked_by_their_own_user(owner, session):
    mine = owner.get("/api/auth/me").json["token_id"]
    refused = owner.post(f"/api/admin/tokens/{mine}/revoke")
    missing = owner.post("/api/admin/tokens/987654/revoke")

    assert (refused.status_code, refused.json["detail"]) == (409, "Cannot revoke token of current admin user")
    assert (missing.status_code, missing.json["detail"]) == (404, "Admin token not found")


def test_the_list_has_the_published_fields_newest_first(owner, user, clock, session):
    user_id = user(username="kim")
    first = issue(owner, user_id).json["token_id"]
    clock.advance(timedelta(seconds=1))
    second = issue(owner, user_id).json["token_id"]
    owner.post(f"/api/admin/tokens/{first}/revoke")

    listed = owner.get("/api/admin/tokens", query_string={"user_id": user_id}).json

    assert [token["token_id"] for token in listed] == [second, first]
    assert list(listed[0])[:12] == [
        "token_id",
        "user_id",
        "username",
        "label",
        "is_active",
        "site_scope",
        "expires_at",
        "last_used_at",
        "created_at",
        "rotate_due_at",
        "idle_due_at",
        "must_rotate",
    ]
    assert "hash" not in json.dumps(listed)
    active = owner.get("/api/admin/tokens", query_string={"user_id": user_id, "active_only": "true"}).json
    assert [token["token_id"] for token in active] == [second]


@pytest.mark.parametrize("query", [{"user_id": "x"}, {"active_only": "maybe"}, {"user_id": 10**30}])
def test_queries_that_make_no_sense_are_refused(owner, query):
    assert owner.get("/api/admin/tokens", query_string=query).status_code == 422


def test_the_policy_shows_the_settings(owner, make_app):
    body = owner.get("/api/admin/token-policy").json

    assert list(body)[:6] == [
        "require_expiry",
        "max_ttl_days",
        "rotate_after_days",
        "rotate_warning_days",
        "max_idle_days",
        "max_active_per_user",
    ]
    assert list(body.values())[:6] == [True, 30, 45, 7, 30, 5]
    assert body["meta"]["schema"] == "admin_token_policy_response"
    other = make_app(ADMIN_TOKEN_MAX_TTL_DAYS=7).test_client()
    assert other.get("/api/admin/token-policy", headers={"X-Admin-Token": owner.token}).json["max_ttl_days"] == 7


def test_a_token_inside_its_warning_period_says_so(client, session, clock):
    user = make_user(session, now=clock.now(), role="manager")
    plain = make_token(session, user, now=clock.now(), created_at=clock.now() - 40 * DAY, last_used_at=clock.now())
    session.commit()

    body = me(client, plain).json
    assert (body["token_must_rotate"], body["token_expires_soon"]) == (True, False)
