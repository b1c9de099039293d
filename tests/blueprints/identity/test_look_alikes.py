"""User names that can be taken for each other: the page asks, the API keeps them apart, so does the throttle."""

from __future__ import annotations

import unicodedata

import pytest
from sqlalchemy import select

from console.models.identity import User
from tests.support.people import PASSWORD, BrowserClient

NEW = {"role": "operator", "reach": "all"}


def _names(session):
    session.rollback()
    return set(session.scalars(select(User.username)))


@pytest.mark.parametrize("name", ["Keeper", "KEEPER", "ｋｅｅｐｅｒ"])
def test_the_page_asks_before_it_adds_one(browser_client, session, name):
    person = browser_client(username="keeper")

    asked = person.post("/admin/users/new", data={**NEW, "username": name})

    assert asked.status_code == 422
    assert "keeper" in asked.text
    assert f'name="warned" type="hidden" value="{name}"' in asked.text
    assert name not in _names(session)
    assert person.post("/admin/users/new", data={**NEW, "username": name, "warned": name}).status_code == 303
    assert name in _names(session)


def test_a_warning_counts_for_its_name_only(browser_client):
    person = browser_client(username="keeper")

    assert person.post("/admin/users/new", data={**NEW, "username": "KEEPER", "warned": "Keeper"}).status_code == 422


def test_the_api_tells_names_by_case(api):
    assert api(username="keeper").post("/api/admin/users", json={"username": "Keeper"}).status_code == 201


def test_failures_of_one_account_are_none_of_another(make_app, session, clock, browser_client):
    browser_client(username="keeper")
    app = make_app(SIGN_IN_MAX_FAILURES=2)
    stranger = BrowserClient(app, app.response_class)

    assert [stranger.sign_in("KEEPER", "wrong").status_code for _ in range(3)] == [422, 422, 429]
    assert stranger.sign_in("keeper", PASSWORD).status_code == 303


def test_a_name_that_was_stored_decomposed_still_signs_in(app, browser_client, session):
    apart = unicodedata.normalize("NFD", "김시설")

    browser_client(username=apart)  # signs in

    again = BrowserClient(app, app.response_class)
    assert again.sign_in("김시설", PASSWORD).status_code == 303
