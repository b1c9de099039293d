from types import SimpleNamespace

import pytest

from console.core.context import ANONYMOUS
from console.ui.frame import nav_items
from console.ui.navigation import NavItem, collect, grouped, tab
from tests.conftest import actor_of


def module(*items):
    return SimpleNamespace(NAV=items)


def test_places_stand_in_the_order_of_groups_and_numbers():
    items = [NavItem("operations", 1, "b.page", "B", "x"), NavItem("work", 9, "a.page", "A", "x")]

    assert [item.label for item in collect([module(*items)])] == ["A", "B"]


def test_an_unknown_group_stops_the_start():
    with pytest.raises(ValueError, match="nowhere"):
        collect([module(NavItem("nowhere", 1, "a.page", "A", "x"))])


def test_a_place_shows_only_to_those_who_may_open_it():
    items = collect(
        [
            module(
                NavItem("work", 1, "a.page", "A", "x"),
                NavItem("operations", 1, "b.page", "B", "x", "admins:manage", any_of=("jobs:read",)),
            )
        ]
    )

    assert [group for group, _items in grouped(items, actor_of("manager"))] == ["work", "operations"]
    assert [group for group, _items in grouped(items, actor_of("operator"))] == ["work"]
    assert grouped(items, ANONYMOUS) == []


def test_tabs_of_a_place_are_one_entry_which_opens_the_first_that_the_reader_may_see():
    tabs = (
        tab("evidence", 1, "a.page", "A", ("admins:manage",)),
        tab("evidence", 2, "b.page", "B", ("security:read", "jobs:read")),
    )
    items = collect([module(*tabs, NavItem("operations", 9, "c.page", "C", "x"))])

    def shown(role):
        return [(item.endpoint, item.label) for _group, mine in grouped(items, actor_of(role)) for item in mine]

    assert shown("owner") == [("a.page", "Operations evidence"), ("c.page", "C")]
    assert shown("manager") == [("b.page", "Operations evidence"), ("c.page", "C")]
    assert shown("operator") == [("c.page", "C")]


def test_a_tab_of_an_unknown_place_stops_the_start():
    with pytest.raises(KeyError, match="nowhere"):
        tab("nowhere", 1, "a.page", "A", ("jobs:read",))


@pytest.mark.parametrize("role", ["owner", "manager", "operator", "auditor"])
def test_the_rail_shows_exactly_the_pages_that_open(app, role):
    actor = actor_of(role)
    wrong = []
    assert nav_items(app)
    for place in nav_items(app):
        demand = app.view_functions[place.endpoint].access
        opens = not demand.permissions or any(actor.can(name) for name in demand.permissions)
        wrong += [place.endpoint] if place.visible(actor) != opens else []

    assert wrong == []
