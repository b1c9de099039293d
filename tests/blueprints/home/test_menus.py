"""The menus of the frame are drawn once for all who would see the same: nobody sees those of somebody else."""

import re

import pytest

from tests.factories.work_orders import add_order
from tests.support.people import csrf_of


def menu(html):
    return html[html.index("data-menu", html.index("data-theme-toggle")) : html.index('<nav class="rail"')]


def pressed(html):
    return re.findall(r'value="(\w+)"(?: lang="\w+")?\s+aria-pressed="true"', menu(html))


@pytest.fixture
def people(browser_client):
    """Three people who share what they can: a name, a role, a language."""
    park = browser_client("manager", ("본관",), username="park", display_name="박정비", language="ko")
    other = browser_client("manager", ("별관",), username="park-2", display_name="박정비", language="ko")
    han = browser_client("auditor", username="han", display_name="Han", language="en")
    return {"park": park, "park-2": other, "han": han}


def test_each_sees_the_own_name_role_language_theme_and_token(people):
    people["park-2"].set_cookie("theme", "dark")
    seen = {}
    for _again in range(2):
        for name, client in people.items():
            seen[name] = client.get("/work-orders" if name != "han" else "/overview").text

    names = {
        name: re.search(r'<div class="menu-title">\s*(\S+) · (.+)\s*</div>', menu(page)).groups()
        for name, page in seen.items()
    }
    assert names == {"park": ("park", "시설 관리자"), "park-2": ("park-2", "시설 관리자"), "han": ("han", "Auditor")}
    assert {name: pressed(page) for name, page in seen.items()} == {
        "park": ["ko", "auto"],
        "park-2": ["ko", "dark"],
        "han": ["en", "auto"],
    }
    tokens = {name: set(re.findall(r'name="csrf_token" value="([^"]+)"', menu(page))) for name, page in seen.items()}
    assert all(len(found) == 1 for found in tokens.values())
    assert all(csrf_of(page) in tokens[name] for name, page in seen.items())
    assert len(set.union(*tokens.values())) == 3


def test_the_views_of_orders_count_within_the_sites_of_the_reader_and_those_alone(people, session, clock):
    for number in range(3):
        add_order(session, clock.now(), title=f"Pump {number}", site="본관" if number else "별관")
    session.commit()

    def counted(name, address="/work-orders"):
        return re.findall(
            r'data-figure="orders_open" data-count="(\d+)"(?: aria-current="(page)")?', people[name].get(address).text
        )

    assert counted("park") == [("2", "page")]
    assert counted("park-2") == [("1", "page")]
    assert counted("park", "/work-orders?due=late") == [("2", "")]
    assert 'aria-current="page">달력' in people["park"].get("/work-orders?view=calendar").text
    assert 'aria-current="page">표' in people["park-2"].get("/work-orders").text
