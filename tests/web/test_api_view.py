import html
import json
import re

import pytest

from console.web.api_view import coloured, table_of

HTML = {"Accept": "text/html,application/xhtml+xml"}


def test_a_browser_sees_a_page_with_the_status_of_the_answer(client):
    fine = client.get("/api/public/modules", headers=HTML)
    refused = client.get("/api/auth/me", headers=HTML)

    assert (fine.status_code, fine.mimetype) == (200, "text/html")
    assert (refused.status_code, refused.mimetype) == (401, "text/html")
    assert "Missing admin token" in refused.text


@pytest.mark.parametrize("raw", ["1", "true", "YES", "on"])
def test_raw_always_gives_the_json(client, raw):
    response = client.get(f"/api/public/modules?raw={raw}", headers=HTML)

    assert response.json["public"] is True


def test_the_way_to_the_json_leads_there_whatever_was_asked_before(client):
    page = client.get("/api/service-info?raw=0&x=1", headers=HTML).text
    way = html.unescape(re.search(r'href="(/api/service-info\?[^"]*)"', page)[1])

    assert way == "/api/service-info?x=1&raw=1"
    assert client.get(way, headers=HTML).mimetype == "application/json"


def test_programs_get_json_whatever_they_do_not_say(client):
    assert client.get("/api/public/modules").mimetype == "application/json"
    assert client.get("/api/public/modules", headers={"Accept": "*/*"}).mimetype == "application/json"


def test_an_unsafe_request_is_never_wrapped(client):
    assert client.post("/api/auth/login", json={}, headers=HTML).mimetype == "application/json"


def test_too_many_requests_stay_json(make_app):
    client = make_app(API_RATE_LIMIT_ENABLED=True, API_RATE_LIMIT_MAX_PUBLIC=1).test_client()

    client.get("/api/public/modules", headers=HTML)
    second = client.get("/api/public/modules", headers=HTML)

    assert (second.status_code, second.mimetype) == (429, "application/json")


def test_caches_keep_the_two_shapes_apart(client):
    for headers in ({}, HTML):
        assert "Accept" in client.get("/api/public/modules", headers=headers).headers["Vary"]


def test_what_the_answer_says_cannot_become_markup():
    shown = str(coloured(json.dumps({"<b>": "</pre><script>alert(1)</script>", "n": -1.5, "t": None}, indent=2)))

    assert "<script>" not in shown
    assert "<b>" not in shown
    assert '<span class="json-number">-1.5</span>' in shown
    assert '<span class="json-word">null</span>' in shown


@pytest.mark.parametrize("value", [{}, [], [1], ["a"], None, [{"a": 1}, 2]])
def test_only_lists_of_objects_become_tables(value):
    assert table_of(value) is None


def test_a_table_has_every_column_and_short_cells():
    columns, rows = table_of([{"a": 1}, {"b": {"c": "x" * 200}}])

    assert columns == ["a", "b"]
    assert rows[0] == [1, None]
    assert len(rows[1][1]) == 80
