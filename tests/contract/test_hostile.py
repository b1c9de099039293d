"""Whatever is sent, the answer is an answer: never a 500, and nothing left behind."""

import re
from dataclasses import fields
from io import BytesIO

import pytest
from sqlalchemy import func, select

from console.domain.automation.autopilot import AutopilotPolicy
from console.models.audit import AuditLog
from tests.contract.routes import routes
from tests.contract.test_access import ENDS_ITSELF

LONG = "가" * 10_000
BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"1e999",
    b"\xff\xfe",
    b'{"a": NaN}',
    ("[" * 5_000 + "]" * 5_000).encode(),
]
VALUES = [None, True, -1, 0, 10**30, 1e308, "", " ", LONG, "=1+1", "\x00", "<script>", "../..", [], {}, [[]], {"a": {}}]
WORDS = [
    "",
    "-1",
    "0",
    "1e9",
    "99999999999999999999",
    "NaN",
    "Infinity",
    "true",
    "²",
    LONG[:3000],
    "%00",
    "=cmd",
    "*",
    "본관",
]


# What the doors let through on the one database and the other may take differently.
TO_EITHER = ["", "1e9", "99999999999999999999", "²", LONG[:3000], "%00"]


def fields_of(app, route):
    document = app.api_doc["paths"].get(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule), {})
    operation = document.get(route.method.lower(), {})
    query = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = content.get("$ref", "").rpartition("/")[2]
    schema = app.api_doc["components"]["schemas"].get(name, content)
    # The document leaves the fields of the autopilot's policy open.
    free = [field.name for field in fields(AutopilotPolicy)] if name in {"PolicyIn", "PreviewIn"} else []
    return query, [*schema.get("properties", ()), *free]


def unsafe(app):
    return [r for r in routes(app) if r.is_api and r.method != "GET" and r.rule not in ENDS_ITSELF]


def test_broken_bodies_are_refused_or_ignored_but_never_crash(app, api):
    caller = api("owner")
    crashed = []
    for route in unsafe(app):
        for body in BODIES:
            response = caller.open(route.address, method=route.method, data=body, content_type="application/json")
            if response.status_code >= 500:
                crashed.append(f"{route} {body[:20]!r}: {response.status_code}")

    assert crashed == []


def test_wrong_values_in_any_field_are_refused_in_words(app, api):
    caller = api("owner")
    crashed, tried = [], 0
    for route in unsafe(app):
        _query, names = fields_of(app, route)
        tried += len(names)
        for field in names:
            for value in VALUES:
                response = caller.open(route.address, method=route.method, json={field: value})
                if response.status_code >= 500 or (response.status_code >= 400 and not response.json.get("detail")):
                    crashed.append(f"{route} {field}={str(value)[:20]}: {response.status_code}")

    assert tried > 100
    assert crashed == []


def test_wrong_words_in_any_query_are_refused_in_words(app, api, backend):
    caller, words = api("owner"), WORDS if backend == "postgresql" else TO_EITHER
    crashed, tried = [], 0
    for route in routes(app):
        if not route.is_api or route.rule in ENDS_ITSELF:
            continue
        query, _names = fields_of(app, route)
        tried += len(query)
        for name in query:
            for word in words:
                response = caller.open(route.address, method=route.method, query_string={name: word})
                if response.status_code >= 500:
                    crashed.append(f"{route} {name}={word[:20]}: {response.status_code} {response.text[:80]}")
                response.close()

    assert tried > 100
    assert crashed == []


@pytest.mark.parametrize(
    "header", ["X-Request-Id", "X-Forwarded-For", "Accept-Language", "User-Agent", "Accept", "Cookie"]
)
def test_hostile_headers_do_no_harm(api, header):
    for value in ("a" * 8_000, "é한글".encode().decode("latin-1"), "../../x", "' OR 1=1 --", "q=;q=,;"):
        response = api("owner").get("/api/auth/me", headers={header: value})
        assert response.status_code == 200
        assert value not in str(response.headers)


def test_a_refused_write_leaves_no_audit_row(api, session):
    response = api("operator").post("/api/admin/users", json={"username": "mallory"})

    assert response.status_code == 403
    written = session.scalar(select(func.count()).select_from(AuditLog).where(AuditLog.action == "admin_user_create"))
    assert written == 0


def test_a_body_in_chunks_is_held_to_the_same_limit(app, api):
    limit = app.config["MAX_CONTENT_LENGTH"]
    whole = b'{"username": "many-chunks", "display_name": ""}'
    for body in (whole, whole + b" " * limit, b'{"username": "' + b"x" * limit + b'"}'):
        response = api("owner").post(
            "/api/admin/users",
            input_stream=BytesIO(body),
            content_type="application/json",
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )
        assert response.status_code == (201 if body == whole else 413)


@pytest.mark.parametrize("path", ["/api//auth/me", "//api/auth/me", "/api/auth/me/", "/api/auth/me;x", "/api/auth//me"])
def test_an_address_is_itself_or_unknown(api, path):
    response = api("owner").get(path)

    assert response.status_code == 404
    assert not response.headers.get("Location")


def test_other_methods_are_refused_with_those_that_exist(api, client):
    for caller in (client, api("owner")):
        for method in ("OPTIONS", "DELETE", "PUT"):
            response = caller.open("/api/admin/users", method=method)
            assert (response.status_code, response.json) == (405, {"detail": "Method Not Allowed"})
            assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}
