"""Limits of requests (API contract, identity sections 13 and 22)."""

from __future__ import annotations

import pytest

from tests.factories import make_token, make_user

STRICT = {
    "API_RATE_LIMIT_MAX_PUBLIC": 3,
    "API_RATE_LIMIT_MAX_AUTH": 3,
    "API_RATE_LIMIT_MAX_AUTH_HEAVY": 2,
    "API_RATE_LIMIT_MAX_AUTH_ADMIN": 2,
    "API_RATE_LIMIT_MAX_AUTH_WRITE": 2,
}


@pytest.fixture
def make_app(make_app):
    """Give applications that limit requests."""
    return lambda **settings: make_app(**{"API_RATE_LIMIT_ENABLED": True, **settings})


@pytest.fixture
def app(make_app):
    return make_app()


@pytest.fixture
def strict(make_app, session, clock):
    """A client of the published strict profile, and the header of an owner."""
    user = make_user(session, now=clock.now(), role="owner")
    headers = {"X-Admin-Token": make_token(session, user, now=clock.now())}
    session.commit()
    return make_app(**STRICT).test_client(), headers


def limits(response):
    return {name: response.headers.get(f"X-RateLimit-{name}") for name in ("Limit", "Remaining", "Policy", "Backend")}


def test_the_fourth_public_call_is_refused_with_every_header(strict):
    client, _ = strict
    found = [client.get("/api/auth/me") for _ in range(4)]

    assert [response.status_code for response in found] == [401, 401, 401, 429]
    last = found[-1]
    assert last.json == {"detail": "Rate limit exceeded", "code": "rate_limited"}
    assert limits(last) == {"Limit": "3", "Remaining": "0", "Policy": "public-read", "Backend": "memory"}
    assert 1 <= int(last.headers["Retry-After"]) <= 60
    assert last.headers["Retry-After"] == last.headers["X-RateLimit-Reset"]
    assert last.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Request-Duration-Ms" in last.headers
    assert "Retry-After" not in found[0].headers
    assert limits(found[0])["Remaining"] == "2"


def test_the_third_call_of_administration_is_refused_in_its_own_class(strict):
    client, headers = strict
    found = [client.get("/api/admin/users", headers=headers) for _ in range(3)]

    assert [response.status_code for response in found] == [200, 200, 429]
    assert limits(found[-1]) == {"Limit": "2", "Remaining": "0", "Policy": "auth-admin", "Backend": "memory"}
    assert found[-1].headers["Cache-Control"] == "no-store"
    assert client.get("/api/auth/me", headers=headers).headers["X-RateLimit-Policy"] == "auth-read"


@pytest.mark.parametrize(
    ("method", "path", "policy"),
    [
        ("GET", "/api/auth/me", "auth-read"),
        ("POST", "/api/auth/logout", "auth-write"),
        ("GET", "/api/admin/tokens", "auth-admin"),
        ("POST", "/api/admin/users", "auth-admin"),
        ("GET", "/api/x/completion-package", "auth-heavy"),
        ("GET", "/api/x/archive.csv", "auth-heavy"),
        ("GET", "/api/x/1/download", "auth-heavy"),
        ("POST", "/api/x/1/download", "auth-write"),
        ("GET", "/api/x/nothing", "auth-read"),
    ],
)
def test_the_class_follows_the_published_table(api, method, path, policy):
    assert api("owner").open(path, method=method, json={}).headers["X-RateLimit-Policy"] == policy


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/api/x/csv", "public-heavy"),
        ("/api/x/pdf", "public-heavy"),
        ("/api/x.csv", "public-read"),
        ("/api/x", "public-read"),
    ],
)
def test_without_a_token_downloads_have_their_own_class(client, path, policy):
    assert client.get(path).headers["X-RateLimit-Policy"] == policy


def test_random_tokens_do_not_buy_fresh_budgets(make_app):
    client = make_app(API_RATE_LIMIT_MAX_AUTH_FAILURES=3).test_client()
    found = [client.get("/api/auth/me", headers={"X-Admin-Token": f"guess-{n}"}).status_code for n in range(5)]

    assert found == [401, 401, 401, 429, 429]
    elsewhere = client.get(
        "/api/auth/me", headers={"X-Admin-Token": "guess"}, environ_overrides={"REMOTE_ADDR": "192.0.2.1"}
    )
    assert elsewhere.status_code == 401


def test_wrong_tokens_never_stop_a_right_one_behind_the_same_address(make_app, session, clock):
    user = make_user(session, now=clock.now(), role="owner")
    issued = make_token(session, user, now=clock.now())
    session.commit()
    client = make_app(ADMIN_TOKEN="test-owner-token").test_client()

    def ask(token, method="get"):
        return getattr(client, method)("/api/auth/me", headers={"X-Admin-Token": token}).status_code

    assert [ask("stale") for _ in range(25)] == [401] * 20 + [429] * 5
    assert [ask("test-owner-token"), ask(issued)] == [200, 200]
    posted = client.post("/api/auth/logout", headers={"X-Admin-Token": issued})
    assert (posted.status_code, posted.headers["X-RateLimit-Policy"]) == (200, "auth-write")


def test_unverified_tokens_count_under_the_address_unless_old_clients_need_otherwise(make_app):
    verified = make_app(API_RATE_LIMIT_MAX_PUBLIC=2).test_client()
    by_header = make_app(API_RATE_LIMIT_MAX_PUBLIC=2, API_RATE_LIMIT_IDENTITY="header").test_client()

    def ask(client):
        answers = [client.get("/api/auth/me", headers={"X-Admin-Token": f"t{n}"}) for n in range(3)]
        return [(one.status_code, one.headers["X-RateLimit-Policy"]) for one in answers]

    assert ask(verified) == [(401, "public-read"), (401, "public-read"), (429, "public-read")]
    assert ask(by_header) == [(401, "auth-read")] * 3


def test_callers_have_budgets_of_their_own(strict, session, clock):
    client, headers = strict
    other = make_token(session, make_user(session, now=clock.now()), now=clock.now())
    session.commit()
    for _ in range(4):
        client.get("/api/auth/me", headers=headers)

    assert client.get("/api/auth/me", headers=headers).status_code == 429
    assert client.get("/api/auth/me", headers={"X-Admin-Token": other}).status_code == 200


def test_neighbours_of_one_ipv6_network_share_a_budget(make_app):
    client = make_app(API_RATE_LIMIT_MAX_PUBLIC=1).test_client()

    def ask(address):
        return client.get("/api/auth/me", environ_overrides={"REMOTE_ADDR": address}).status_code

    assert [ask("2001:db8::1"), ask("2001:db8::2"), ask("2001:db8:0:1::1")] == [401, 429, 401]


def test_forwarded_addresses_count_only_from_believed_proxies(make_app):
    def ask(hops):
        client = make_app(API_RATE_LIMIT_MAX_PUBLIC=1, TRUSTED_PROXIES=hops).test_client()
        found = [client.get("/api/auth/me", headers={"X-Forwarded-For": f"192.0.2.{n}"}) for n in (1, 2)]
        return [response.status_code for response in found]

    assert ask(0) == [401, 429]
    assert ask(1) == [401, 401]


@pytest.mark.parametrize(("settings", "method"), [({"API_RATE_LIMIT_ENABLED": False}, "GET"), ({}, "OPTIONS")])
def test_switched_off_or_asked_for_options_nothing_is_counted(make_app, settings, method):
    client = make_app(API_RATE_LIMIT_MAX_PUBLIC=1, **settings).test_client()
    found = [client.open("/api/auth/me", method=method) for _ in range(3)]

    assert all(response.status_code != 429 and "X-RateLimit-Limit" not in response.headers for response in found)


def test_pages_have_a_wide_limit_without_the_headers_of_the_api(make_app):
    client = make_app(PAGE_RATE_LIMIT_MAX=2).test_client()
    found = [client.get("/sign-in") for _ in range(3)]

    assert [response.status_code for response in found] == [200, 200, 429]
    assert int(found[-1].headers["Retry-After"]) >= 1
    assert "X-RateLimit-Limit" not in found[-1].headers
