"""The pages of failures: what happened in the reader's words, what to ask with, what to do next."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import InvalidRequestError, OperationalError

from console.domain.errors import Conflict, StoreUnavailable
from console.domain.text import T
from console.ui import frame


def fail_with(app, error):
    def view():
        raise error

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.view_functions["views.page"] = view


@pytest.mark.parametrize("error", [RuntimeError("secret detail"), StoreUnavailable("secret detail")])
def test_a_failure_inside_gives_a_number_and_no_detail(app, browser_client, error):
    fail_with(app, error)
    page = browser_client("owner").get("/views?a=1", headers={"X-Request-Id": "abcdef123456"})

    assert page.status_code in (500, 503)
    assert "secret detail" not in page.text
    assert "Internal Server Error" not in page.text
    assert "오류 번호 <code>abcdef123456</code>" in page.text
    assert 'href="/views?a=1"' in page.text


def test_a_failure_that_reaches_the_menus_is_told_without_them(app, browser_client, monkeypatch):
    owner = browser_client("owner")
    fail_with(app, RuntimeError("secret detail"))
    monkeypatch.setattr(frame.Frame, "sites", property(lambda _self: (_ for _ in ()).throw(OSError("no sites"))))
    page = owner.get("/views", headers={"X-Request-Id": "abcdef123456"})

    assert page.status_code == 500
    assert "오류 번호 <code>abcdef123456</code>" in page.text
    assert 'class="rail"' not in page.text


def test_a_conflict_says_what_and_offers_to_try_again(app, browser_client):
    fail_with(app, Conflict(T("The user was changed meanwhile")))
    page = browser_client("owner").get("/views")

    assert page.status_code == 409
    assert "그사이 사용자 정보가 바뀌었습니다" in page.text
    assert 'href="/views"><svg' in page.text.replace("\n", "")


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/board/items/99999", 404, "없는 조치 항목입니다"),
        ("/alerts/99999", 404, "없는 알림입니다"),
        ("/board?site=별관", 403, "맡지 않은 사업장입니다"),
    ],
)
def test_what_is_missing_or_not_for_the_reader_is_told_in_their_language(browser_client, address, status, words):
    page = browser_client("manager", ("본관",)).get(address)

    assert page.status_code == status
    assert words in page.text


def test_a_page_that_is_not_there_does_not_ask_to_try_again(browser_client):
    page = browser_client("owner").get("/no-such-page")

    assert page.status_code == 404
    assert 'href="/no-such-page"' not in page.text


def full():
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"
    return OperationalError("INSERT", None, error)


def lost():
    error = InvalidRequestError("This connection is closed")
    error.__context__ = OperationalError("SELECT", None, sqlite3.OperationalError("away"))
    return error


@pytest.mark.parametrize(("error", "words"), [(full(), "디스크"), (lost(), "연결할 수 없습니다")])
def test_what_is_wrong_with_the_database_is_told_as_503(app, browser_client, error, words):
    fail_with(app, error)
    owner = browser_client("owner")
    page = owner.get("/views")
    data = owner.get("/views", headers={"Accept": "application/json"})

    assert (page.status_code, data.status_code) == (503, 503)
    assert words in page.text
