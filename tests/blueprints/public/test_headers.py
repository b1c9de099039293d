"""Security headers (API contract, identity sections 14, 22 and 23 D4, D5)."""

from __future__ import annotations

import re

import pytest

from console.web.request import request_id

HSTS = "max-age=63072000"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
}


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/health", "/api/auth/me", "/api/nothing", "/nothing", "/api/service-info"]
)
def test_every_answer_carries_them_errors_included(client, path):
    headers = client.get(path).headers

    assert {name: headers.get(name) for name in ALWAYS} == ALWAYS


def test_pages_allow_nothing_inline_and_nothing_from_elsewhere(client):
    policy = client.get("/sign-in").headers["Content-Security-Policy"]

    assert policy.split("; ") == [
        "default-src 'self'",
        "img-src 'self' data:",
        "style-src 'self'",
        "script-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    ]


def test_an_api_answer_shown_in_a_browser_is_a_page_like_the_others(api):
    shown = api("owner").get("/api/auth/me", headers={"Accept": "text/html"})

    if shown.mimetype == "text/html":
        assert "default-src 'self'" in shown.headers["Content-Security-Policy"]
    assert shown.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("settings", "url", "expected"),
    [
        ({}, "http://localhost", None),
        ({}, "https://localhost", HSTS),
        ({"HSTS": "on"}, "http://localhost", HSTS),
        ({"HSTS": "off"}, "https://localhost", None),
        ({"HSTS_SUBDOMAINS": True}, "https://localhost", f"{HSTS}; includeSubDomains"),
        ({"HSTS_PRELOAD": True}, "https://localhost", HSTS),
        (
            {"HSTS_SUBDOMAINS": True, "HSTS_PRELOAD": True},
            "https://localhost",
            f"{HSTS}; includeSubDomains; preload",
        ),
        ({"ENV": "production", "PREFLIGHT_FAIL_ON_ERROR": False}, "http://localhost", HSTS),
    ],
)
def test_transport_security_follows_the_setting(make_app, monkeypatch, settings, url, expected):
    monkeypatch.setattr("console.core.background.Background.ensure_started", lambda self: None)
    headers = make_app(**settings).test_client().get("/api/auth/me", base_url=url).headers

    assert headers.get("Strict-Transport-Security") == expected


@pytest.mark.parametrize(("hops", "expected"), [(0, None), (1, HSTS)])
def test_a_proxy_is_believed_only_when_it_is_named(make_app, hops, expected):
    client = make_app(TRUSTED_PROXIES=hops).test_client()
    headers = client.get("/api/auth/me", headers={"X-Forwarded-Proto": "https"}).headers

    assert headers.get("Strict-Transport-Security") == expected


@pytest.mark.parametrize("status", [200, 401, 403])
def test_whatever_carries_a_credential_stays_out_of_caches(api, client, status):
    answer = {
        200: lambda: api("owner").get("/api/auth/me"),
        401: lambda: client.get("/api/auth/me", headers={"X-Admin-Token": "wrong"}),
        403: lambda: api("auditor").get("/api/admin/users"),
    }[status]()

    assert (answer.status_code, answer.headers["Cache-Control"], answer.headers["Pragma"]) == (
        status,
        "no-store",
        "no-cache",
    )


def test_answers_to_a_browser_session_stay_out_of_caches(browser_client):
    client = browser_client("manager")

    for path in ("/account", "/api/auth/me", "/admin/users"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_what_is_public_and_asked_for_without_a_credential_may_be_cached(client):
    assert "no-store" not in client.get("/api/service-info").headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    "sent", ["abc\r\nSet-Cookie: x=1", "a" * 100, "short", "a b c d e f g", "한글한글한글한글", "../../../etc"]
)
def test_a_request_id_of_a_stranger_is_not_taken(app, sent):
    with app.test_request_context(environ_overrides={"HTTP_X_REQUEST_ID": sent}):
        assert re.fullmatch(r"[0-9a-f]{32}", request_id())


def test_a_plain_request_id_of_a_proxy_is_kept(app):
    with app.test_request_context(headers={"X-Request-Id": "7f3a-0001-abcd"}):
        assert request_id() == "7f3a-0001-abcd"


def test_a_redirect_cannot_be_bent_by_what_was_typed(client):
    answer = client.get("/admin/users?x=%0d%0aSet-Cookie:%20evil=1")

    assert answer.status_code == 303
    assert "\n" not in answer.location
    assert "evil" not in answer.headers.get("Set-Cookie", "")
