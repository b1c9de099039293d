"""Every route against every kind of caller."""

import pytest

from tests.conftest import actor_of
from tests.contract.routes import routes

ROLES = ("owner", "manager", "operator", "auditor")
# Whoever may end the session or token of this very test would lock the rest of it out.
ENDS_ITSELF = {"/api/auth/logout", "/api/auth/me", "/sign-out", "/account/sessions/end-all"}


def ask(client, route):
    body = {"json": {}} if route.is_api and route.method != "GET" else {}
    return client.open(route.address, method=route.method, **body)


def test_without_a_credential_only_public_routes_answer(app, client):
    leaks = []
    for route in routes(app):
        response = ask(client, route)
        if route.access.public:
            leaks += [f"{route}: {response.status_code}"] if response.status_code in (401, 403, 500) else []
        elif route.is_api:
            right = response.status_code == 401 and response.json["detail"] == "Missing admin token"
            leaks += [] if right else [f"{route}: {response.status_code} {response.text[:80]}"]
        else:
            away = response.status_code in (302, 303) and "/sign-in" in response.headers.get("Location", "")
            leaks += [] if away or response.status_code in (400, 401) else [f"{route}: {response.status_code}"]

    assert leaks == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("sites", [("*",), ("본관",), ()], ids=["all", "one", "none"])
def test_a_permission_is_asked_before_anything_else(app, api, role, sites):
    caller = api(role, sites)
    held = actor_of(role, sites)
    wrong = []
    for route in routes(app):
        if not route.is_api or route.access.public or route.rule in ENDS_ITSELF:
            continue
        response = ask(caller, route)
        allowed = not route.access.permissions or any(held.can(name) for name in route.access.permissions)
        denied = response.status_code == 403 and str(response.json["detail"]).startswith("Missing permission")
        if response.status_code >= 500 or response.status_code == 401 or denied == allowed:
            wrong.append(f"{route}: {response.status_code} {response.text[:80]}")
        if denied and route.access.permissions:
            assert response.json["detail"] == f"Missing permission: {route.access.permissions[0]}"

    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("sites", [("*",), ("본관",), ()], ids=["all", "one", "none"])
def test_every_page_answers_or_says_why_not(app, browser_client, role, sites):
    person = browser_client(role, sites)
    held = actor_of(role, sites)
    wrong = []
    for route in routes(app):
        # Whether the whole installation is ready is no matter of the caller.
        if route.is_api or route.method != "GET" or route.rule in ENDS_ITSELF | {"/ready"}:
            continue
        status = ask(person, route).status_code
        allowed = not route.access.permissions or any(held.can(name) for name in route.access.permissions)
        # Some pages also want every site.
        refused = status == 403 and not (allowed and sites != ("*",))
        if status >= 500 or status == 401 or refused == allowed:
            wrong.append(f"{route}: {status}")

    assert wrong == []


def test_answers_to_a_credential_are_never_stored_by_caches(app, api):
    caller = api("owner")
    stored = [
        str(route)
        for route in routes(app)
        if route.is_api and route.method == "GET" and not route.access.public
        if ask(caller, route).headers.get("Cache-Control") != "no-store"
    ]

    assert stored == []


def test_every_answer_carries_the_security_headers(app, api, client):
    bare = []
    for route in routes(app):
        if route.method != "GET" or route.rule in ENDS_ITSELF:
            continue
        response = ask(client, route)
        headers = response.headers
        fine = headers.get("X-Content-Type-Options") == "nosniff" and headers.get("X-Frame-Options") == "DENY"
        if response.mimetype == "text/html":
            policy = headers.get("Content-Security-Policy", "")
            fine = fine and "default-src 'self'" in policy and "unsafe" not in policy
        bare += [] if fine else [str(route)]

    assert bare == []
