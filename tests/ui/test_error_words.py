"""No error reaches people in another language than theirs."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import BadRequest

from console.domain.errors import Invalid
from console.inputs.tracker import CommentIn
from console.services.home import search

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def _unfit():
    CommentIn.model_validate({"text": "", "other": 1})


FAILURES = {
    "crash": ZeroDivisionError(),
    "stale": StaleDataError(),
    "store": OperationalError("select", {}, Exception("gone")),
    "field": Invalid([{"type": "string_too_long", "loc": ["body", "name"], "msg": "String should have at most 3"}]),
    "request": BadRequest("The browser (or proxy) sent a request that this server could not understand."),
}


def _toast(answer):
    return re.search(r"k-toast-text[^>]*>([^<]*)<", answer.text)[1].strip()


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_a_failure_is_told_in_the_language_of_the_reader(browser_client, app, monkeypatch, failure):
    person = browser_client()
    person.set_cookie("lang", "ko")
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)

    def fail(*_args):
        raise FAILURES[failure]

    monkeypatch.setattr(search, "find", fail)
    told = _toast(person.get("/search?q=x", headers=PARTIAL))

    assert re.search("[가-힣]", told), told
    assert not re.search("[A-Za-z]{4,}", told.removeprefix("name:")), told


def test_words_of_the_validator_are_not_shown_in_korean(browser_client, app, monkeypatch):
    person = browser_client()
    person.set_cookie("lang", "ko")
    monkeypatch.setattr(search, "find", lambda *_args: _unfit())
    answer = person.get("/search?q=x", headers=PARTIAL)

    assert answer.status_code == 422
    assert "should have" not in answer.text
    assert "값을 확인해 주십시오" in answer.text
