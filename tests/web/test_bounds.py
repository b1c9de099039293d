"""Bounds on addresses: refused before anything is looked at, and never a cause of work."""

import re

import pytest

from console.core.listing import MAX_WORDS
from console.web.bounds import MAX_ADDRESS_BYTES, MAX_PARAMETERS
from tests.support.statements import statements

LISTS = ("/board", "/audit", "/alerts", "/admin/users", "/admin/tokens", "/admin/sites", "/jobs", "/gate/history")
ITEMS = "/api/ops/governance/gate/remediation/tracker/items"
WORDS = "&".join(f"assignee=u{number}" for number in range(3000))


@pytest.mark.parametrize("path", ["/board", ITEMS, "/health", "/nowhere"])
def test_an_address_of_thousands_of_words_is_refused_without_a_query(path, client, engine):
    with statements(engine) as sent:
        answer = client.get(f"{path}?{WORDS}", headers={"Accept": "text/html"})

    assert answer.status_code == 414
    assert len(answer.data) < 10_000
    assert not sent


@pytest.mark.parametrize("length", [MAX_ADDRESS_BYTES, MAX_ADDRESS_BYTES + 1])
def test_the_length_of_an_address_is_bounded(client, length):
    answer = client.get("/health?x=" + "x" * (length - len("/healthx=")))

    assert answer.status_code == (200 if length == MAX_ADDRESS_BYTES else 414)


@pytest.mark.parametrize("count", [MAX_PARAMETERS, MAX_PARAMETERS + 1])
def test_the_parameters_of_an_address_are_bounded(client, count):
    answer = client.get("/health?" + "&".join(["a"] * count))

    assert answer.status_code == (200 if count == MAX_PARAMETERS else 414)


def filters_of(app, path):
    """Return the names of the filters of a list page, as its own links use them."""
    page = app.get(path)
    assert page.status_code == 200, path
    return sorted(set(re.findall(r"[?&;](\w+)=", page.text)) - {"page", "per_page", "sort", "columns", "q", "lang"})


@pytest.mark.parametrize("path", LISTS)
def test_each_filter_of_each_list_takes_a_few_dozen_words(browser_client, path):
    browser = browser_client()
    refused = 0
    for name in filters_of(browser, path):
        few, many = ("&".join(f"{name}=u{number}" for number in range(count)) for count in (MAX_WORDS, MAX_WORDS + 1))
        answer = browser.get(f"{path}?{many}")
        refused += answer.status_code == 422
        assert len(answer.data) < 1_000_000
        assert browser.get(f"{path}?{few}").status_code in (200, 422)
    assert refused


def test_the_board_with_as_many_words_as_it_takes_is_small(browser_client):
    words = "&".join(f"assignee=u{number}" for number in range(MAX_WORDS))

    assert len(browser_client().get(f"/board?{words}").data) < 500_000
