"""The door of all texts: the same answer at every page and API, on both databases, with and without a sign-in."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.models.home import SavedView
from console.models.identity import User
from console.models.tracker import TrackerEvent, TrackerItem
from console.web.request import demanded
from tests.support.people import PASSWORD, BrowserClient

NUL, HALF = "%00", "%ED%A0%80"
SENTENCE = "쓸 수 없는 문자"
ITEM = {"title": "t", "sla_hours": "24", "priority": "4"}


def _plain_gets(app: Flask) -> list[tuple[str, bool]]:
    """Every GET without values in its address, with whether it is open to all."""
    found = []
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.arguments and rule.endpoint != "static":
            with app.test_request_context(rule.rule):
                found.append((rule.rule, demanded().public))
    return sorted(found)


@pytest.mark.parametrize("bad", [NUL, HALF, "a" + NUL])
def test_no_address_takes_characters_that_no_text_has(
    app: Flask, browser_client: Callable[..., FlaskClient], bad: str
) -> None:
    person, stranger = browser_client(), app.test_client()
    for path, public in _plain_gets(app):
        for name in ("q", "site", "next"):
            assert person.get(f"{path}?{name}={bad}").status_code == 422, path
        assert stranger.get(f"{path}?q={bad}").status_code in ((422,) if public else (303, 401)), path


def test_a_person_reads_a_sentence_in_their_language(app: Flask, browser_client: Callable[..., FlaskClient]) -> None:
    person = browser_client()
    page = person.get("/search?q=%00", headers={"Accept-Language": "ko"})
    assert SENTENCE in page.text
    fragment = person.get("/board?q=%00", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert fragment.status_code == 422
    assert SENTENCE in fragment.text
    assert SENTENCE in app.test_client().get("/sign-in?next=%00", headers={"Accept-Language": "ko"}).text


def test_a_name_of_a_parameter_is_text_as_well(browser_client: Callable[..., FlaskClient]) -> None:
    person = browser_client()
    assert person.get("/search?a%00=1").status_code == 422
    assert person.post("/board/new", data={**ITEM, "x\x00": "1"}).status_code == 422


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_no_form_stores_characters_that_no_text_has(
    app: Flask, browser_client: Callable[..., Any], session: Session, content_type: str
) -> None:
    person = browser_client()
    sent = {**ITEM, "title": "a\x00b"}
    assert person.post("/board/new", data=sent, content_type=content_type).status_code == 422
    assert session.scalar(select(func.count()).select_from(TrackerItem)) == 0
    stranger = app.test_client()
    refused = stranger.post("/sign-in", data={"username": "a\x00", "password": "x"}, content_type=content_type)
    assert refused.status_code == 422


def test_half_a_pair_in_a_form_is_refused(browser_client: Callable[..., Any]) -> None:
    person = browser_client()
    body = f"title=a{HALF}&sla_hours=24&priority=4"
    form = {"content_type": "application/x-www-form-urlencoded"}
    assert person.post("/board/new", data=body, **form).status_code == 422
    # The same characters as a text that somebody writes.
    assert person.post("/board/new", data=body.replace("%", "%25"), **form).status_code == 303


def test_the_api_names_the_field(api: Callable[..., FlaskClient]) -> None:
    answer = api().get("/api/admin/audit-logs?action=%00")
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["detail"][0]["loc"] == ["query", "action"]


def test_the_api_asks_who_it_is_first(client: FlaskClient) -> None:
    assert client.get("/api/admin/users?user_id=%00").status_code == 401


def test_bytes_that_are_no_text_are_no_failure(browser_client: Callable[..., FlaskClient]) -> None:
    person = browser_client()
    for path in ("/search?q=%ff", "/board?q=%c3%28"):
        assert person.get(path).status_code == 200
    assert person.get("/search", environ_overrides={"QUERY_STRING": "q=\xff\xfe"}).status_code == 200
    plain = "냉각탑".encode().decode("latin-1")
    assert 'value="냉각탑"' in person.get("/search", environ_overrides={"QUERY_STRING": f"q={plain}"}).text


def _item(session: Session) -> TrackerItem:
    session.rollback()
    found = session.scalar(select(TrackerItem).order_by(TrackerItem.id.desc()))
    assert found is not None
    return found


def test_line_breaks_are_counted_as_the_browser_counts_them(
    browser_client: Callable[..., Any], session: Session
) -> None:
    person = browser_client()
    assert person.post("/board/new", data=ITEM).status_code == 303
    item = _item(session)
    words = "\r\n".join("가" * n for n in (3990 - 8, *[1] * 8))
    assert len(words) > 4000 - 2
    assert person.post(f"/board/items/{item.id}/comments", data={"text": words}).status_code == 303
    session.rollback()
    stored = session.scalar(select(TrackerEvent.new).where(TrackerEvent.kind == "comment"))
    assert stored == {"text": words.replace("\r\n", "\n")}
    longest = "a\r\n" * 1999 + "bc"
    sent = {"version": str(_item(session).version), "completion_note": longest}
    assert person.post(f"/board/items/{item.id}", data=sent).status_code == 303
    assert _item(session).completion_note == "a\n" * 1999 + "bc"


def test_names_are_stored_composed_and_found_however_they_are_typed(
    api: Callable[..., FlaskClient], browser_client: Callable[..., Any], session: Session
) -> None:
    apart = unicodedata.normalize("NFD", "냉각탑 점검")
    person, program = browser_client(), api(username="program")
    assert person.post("/board/new", data={**ITEM, "title": apart}).status_code == 303
    assert "냉각탑 점검" in str(_item(session).item_name)
    for words in (apart, "냉각탑 점검"):
        found = program.get("/api/ops/governance/gate/remediation/tracker/items", query_string={"q": words})
        assert len(found.json or ()) == 1
        assert "냉각탑 점검" in person.get("/board", query_string={"q": words, "view": "table"}).text
        assert "냉각탑 점검" in person.get("/search", query_string={"q": words}).text


def test_one_name_is_one_user_however_it_is_typed(api: Callable[..., FlaskClient], session: Session) -> None:
    owner = api()
    assert owner.post("/api/admin/users", json={"username": "김시설"}).status_code == 201
    again = owner.post("/api/admin/users", json={"username": unicodedata.normalize("NFD", "김시설")})
    assert again.status_code == 409
    assert session.scalar(select(func.count()).select_from(User).where(User.username == "김시설")) == 1


@pytest.mark.parametrize("nothing", ["\u200b", "\u3164", " \ufeff "], ids=ascii)
def test_a_name_shows_something(
    browser_client: Callable[..., Any], api: Callable[..., FlaskClient], session: Session, nothing: str
) -> None:
    person, program = browser_client(), api(username="program")
    assert person.post("/board/new", data={**ITEM, "title": nothing}).status_code == 422
    view = {"list": "board", "address": "/board", "name": nothing}
    assert person.post("/views", data=view).status_code == 422
    item = {"title": nothing}
    assert program.post("/api/ops/governance/gate/remediation/tracker/items", json=item).status_code == 422
    assert program.post("/api/admin/users", json={"username": nothing * 3}).status_code == 422
    assert program.post("/api/admin/sites", json={"name": nothing}).status_code == 422
    for table in (TrackerItem, SavedView):
        assert session.scalar(select(func.count()).select_from(table)) == 0


def test_a_password_keeps_its_blanks(browser_client: Callable[..., Any], app: Flask) -> None:
    spaced = "  long enough to be one  "
    person = browser_client(username="blanks")
    sent = {"current": PASSWORD, "new": spaced, "again": spaced}
    assert person.post("/account/password", data=sent).status_code == 303
    again = BrowserClient(app, app.response_class)
    assert again.sign_in("blanks", spaced.strip()).status_code == 422
    assert again.sign_in("blanks", spaced).status_code == 303
