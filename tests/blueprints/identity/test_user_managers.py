"""Managers administer the users of their own sites, and nobody above them (API contract, identity 21)."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from console.domain.identity.scope import contains
from console.models.audit import AuditLog
from console.models.identity import User
from tests.factories import make_site, make_user

USERS = "/api/admin/users"
ROLES = ("owner", "manager", "operator", "auditor")
SCOPES = (("*",), ("HQ",), ("HQ", "본관"), ("본관",), ("별관",), ())
OWN_SCOPES = (("*",), ("HQ", "본관"), ("HQ",), ())
OWNERS = "Manager cannot manage owner accounts"
OUTSIDE = "Manager cannot manage users outside their site scope"


@pytest.fixture
def everybody(session, clock):
    """Add one user for every role and scope; return the ids by both."""
    ids = {}
    for role in ROLES:
        for number, sites in enumerate(SCOPES):
            user = make_user(session, now=clock.now(), username=f"{role}.{number}", role=role, site_scope=sites)
            ids[role, sites] = user.id
    session.commit()
    return ids


def last(session):
    session.rollback()
    row = session.scalars(select(AuditLog).order_by(AuditLog.id.desc()).limit(1)).one()
    return row.action, row.actor_username, json.loads(row.detail_json)


@pytest.mark.parametrize("own", OWN_SCOPES, ids=str)
def test_every_role_and_scope_is_managed_or_refused_in_words(api, everybody, own):
    manager = api("manager", own, username="boss")
    listed = {user["username"] for user in manager.get(USERS).json}
    assert listed == {"boss"} | {
        f"{role}.{SCOPES.index(sites)}" for role, sites in everybody if role != "owner" and contains(own, sites)
    }
    for (role, sites), user_id in everybody.items():
        text = OWNERS if role == "owner" else None if contains(own, sites) else OUTSIDE
        tried = [
            manager.get(f"{USERS}/{user_id}"),
            manager.patch(f"{USERS}/{user_id}", json={"display_name": "x"}),
            manager.post(f"{USERS}/{user_id}/password", json={}),
            manager.patch(f"{USERS}/{user_id}/active", json={"is_active": False}),
            manager.delete(f"{USERS}/{user_id}"),
        ]
        if text is None:
            assert [one.status_code for one in tried] == [200] * 5, (role, sites)
        else:
            assert [(one.status_code, one.json["detail"]) for one in tried] == [(403, text)] * 5, (role, sites)


@pytest.mark.parametrize("own", OWN_SCOPES, ids=str)
def test_every_role_and_scope_is_granted_or_refused_in_words(api, session, clock, own):
    manager = api("manager", own)
    made = 0
    for role in ROLES:
        for sites in SCOPES:
            made += 1
            body = {"username": f"new.{made}", "role": role, "site_scope": list(sites)}
            answer = manager.post(USERS, json=body)
            if role == "owner":
                expected = (403, "Manager cannot assign owner role")
            elif not contains(own, sites):
                expected = (403, "Manager cannot assign site scope outside their own scope")
            else:
                expected = (201, None)
            assert (answer.status_code, answer.json.get("detail")) == expected, body


@pytest.mark.parametrize("caller", ["operator", "auditor"])
def test_the_permission_alone_makes_no_user_manager(api, caller):
    assert api(caller).get(USERS).json["detail"] == "Missing permission: admins:manage"
    held = api(caller, username="kim", permissions=("users:manage",))
    for answer in (held.get(USERS), held.post(USERS, json={"username": "new", "role": caller})):
        assert (answer.status_code, answer.json["detail"]) == (403, "User management requires owner or manager role")


@pytest.mark.parametrize(
    ("permission", "text"),
    [
        ("*", "Manager cannot grant admin control permissions"),
        ("admins:*", "Manager cannot grant admin control permissions"),
        ("admins:manage", "Manager cannot grant admin control permissions"),
        ("audit:read", "Cannot grant permissions you do not hold: audit:read"),
        ("reports:read", None),
        ("alerts:manage", None),
    ],
)
def test_grants_stay_within_the_own_also_where_containment_is_off(api, make_app, session, permission, text):
    manager = api("manager", ("HQ",))
    free = make_app(GRANT_CONTAINMENT=False).test_client()
    body = {"role": "operator", "site_scope": ["HQ"], "permissions": [permission]}
    answers = [
        manager.post(USERS, json={"username": "kim", **body}),
        free.post(USERS, json={"username": "lee", **body}, headers={"X-Admin-Token": manager.token}),
    ]
    assert [(one.status_code, one.json.get("detail")) for one in answers] == [(403 if text else 201, text)] * 2
    mine = session.scalars(select(User.id).where(User.role == "manager")).one()
    raised = manager.patch(f"{USERS}/{mine}", json={"permissions": [permission]})
    assert (raised.status_code, raised.json.get("detail")) == (403 if text else 200, text)


def test_accounts_with_more_permissions_are_neither_listed_nor_touched(api, session, clock):
    more = make_user(session, now=clock.now(), username="more", site_scope=("HQ",), permissions=("audit:read",)).id
    manager = api("manager", ("HQ",), username="boss")

    assert [user["username"] for user in manager.get(USERS).json] == ["boss"]
    answer = manager.post(f"{USERS}/{more}/password", json={})
    assert (answer.status_code, answer.json["code"]) == (403, "account_above_own")


def test_what_a_manager_does_is_on_record_and_the_published_list_is_as_before(api, session):
    manager = api("manager", ("HQ",), username="boss")
    me = manager.get("/api/auth/me").json
    assert ("users:manage" in me["permissions"], len(me["permissions"])) == (False, 38)
    assert "users:manage" in me["added_permissions"]

    made = manager.post(USERS, json={"username": "kim", "site_scope": ["HQ"]}).json
    assert last(session)[:2] == ("admin_user_create", "boss")
    manager.patch(f"{USERS}/{made['id']}", json={"role": "auditor"})
    changes = {"role": {"old": "operator", "new": "auditor"}}
    assert last(session) == ("admin_user_update", "boss", {"username": "kim", "changes": changes})
    refused = [
        manager.post(f"{USERS}/{made['id']}/tokens", json={}),
        manager.get("/api/admin/tokens"),
        manager.get("/api/admin/sites"),
    ]
    assert [answer.status_code for answer in refused] == [403] * 3


def test_the_pages_show_a_manager_their_own_people_without_tokens(browser_client, session, clock):
    make_site(session, "HQ", now=clock.now())
    near = make_user(session, now=clock.now(), username="near", site_scope=("HQ",)).id
    far = make_user(session, now=clock.now(), username="far.away", site_scope=("*",)).id
    session.commit()
    boss = browser_client("manager", ("HQ",))
    page = boss.get("/admin/users").text
    assert ("near" in page, "far.away" in page, "/admin/tokens" in page) == (True, False, False)
    assert "far.away" not in boss.get("/admin/users/csv").text
    detail = boss.get(f"/admin/users/{near}")
    assert (detail.status_code, "tokens/new" in detail.text, 'id="tokens"' in detail.text) == (200, False, False)
    assert boss.get(f"/admin/users/{far}").status_code == 403
    assert boss.get(f"/admin/users/{near}/tokens/new").status_code == 403
    assert boss.post(f"/admin/users/{far}/handover", data={"to": "near"}).status_code == 403
