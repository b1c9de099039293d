from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.automation.workload import Load, Person, Waiting, candidates, may_work, roles_of, suggest

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
A = Person(1, "a", "owner")
B = Person(2, "b", "manager")
C = Person(3, "c", "operator")


def chosen(items, people, loads=None):
    return [one.assignee for one in suggest(items, people, loads or {})]


def test_the_worked_example_of_the_contract():
    items = [Waiting(1, "Ops PM"), Waiting(2, "Platform Owner")]

    assert chosen(items, [A, B, C], {1: Load(1)}) == ["b", "a"]


@pytest.mark.parametrize(
    ("owner_role", "roles"),
    [
        ("Platform Owner", ("owner", "manager")),
        ("Security Manager", ("owner", "manager")),
        ("Release Manager", ("owner", "manager")),
        ("DR Owner", ("owner", "manager")),
        ("Ops Lead", ("manager", "operator", "owner")),
        ("Ops PM", ("manager", "operator", "owner")),
        ("Operations Excellence Lead", ("manager", "operator", "owner")),
        ("Ops Manager", ("manager", "operator", "owner")),
        ("Caretaker", ("manager", "operator", "owner")),
    ],
)
def test_owner_roles_ask_the_roles_of_the_contract(owner_role, roles):
    assert roles_of(owner_role) == roles


def test_an_item_of_the_platform_role_falls_back_to_operators_when_nobody_else_is_there():
    assert chosen([Waiting(1, "DR Owner")], [C]) == ["c"]


@pytest.mark.parametrize(
    "person",
    [
        Person(9, "eye", "auditor", permissions=("governance:write",)),
        Person(9, "elsewhere", "operator", sites=("B동",)),
        Person(9, "nowhere", "manager", sites=()),
    ],
)
def test_who_cannot_work_on_the_item_is_no_candidate(person):
    found = suggest([Waiting(1, "Ops Lead", "본관")], [person], {})[0]

    assert (found.assignee, found.rule, found.candidates) == (None, "no_candidate", 0)
    assert "Manager, Operator, Owner" in str(found.reason)


def test_items_of_the_platform_may_go_to_people_of_any_site():
    assert may_work(Person(9, "elsewhere", "operator", sites=("B동",)), None)


def test_a_bootstrap_account_is_asked_only_when_nobody_else_is_there():
    robot = Person(1, "legacy-admin", "owner", spare=True)

    assert chosen([Waiting(1, "DR Owner")], [robot, B], {2: Load(50)}) == ["b"]
    assert chosen([Waiting(1, "DR Owner")], [robot, C]) == ["c"]
    assert chosen([Waiting(1, "DR Owner")], [robot]) == ["legacy-admin"]


def test_between_equal_loads_the_one_who_got_something_longest_ago_is_asked():
    people = [
        Person(1, "a", "manager", last_assigned_at=NOW),
        Person(2, "b", "manager", last_assigned_at=NOW - timedelta(days=1)),
        Person(3, "c", "manager"),
    ]

    assert chosen([Waiting(number, "Ops Lead") for number in range(4)], people) == ["c", "b", "a", "c"]


def test_between_people_alike_the_order_of_roles_and_then_the_name_decides():
    people = [Person(1, "z", "manager"), Person(2, "a", "operator"), Person(3, "y", "manager")]

    assert chosen([Waiting(1, "Ops Lead")], people) == ["y"]


def test_work_orders_weigh_as_much_as_items():
    people = [Person(1, "a", "manager"), Person(2, "b", "manager")]

    assert chosen([Waiting(1, "Ops Lead")], people, {1: Load(1, 3), 2: Load(3, 0)}) == ["b"]


def test_the_reason_names_the_load_before_the_choice():
    first, second = suggest([Waiting(1, "DR Owner"), Waiting(2, "DR Owner")], [B], {2: Load(4, 1)})

    assert str(first.reason) == "Least load of 1 candidates: 5 open"
    assert (first.load, second.load) == (5.0, 6.0)
    assert second.load_detail == {"tracker": 5, "work_orders": 1, "weighted": 6.0}


people_lists = st.lists(
    st.builds(
        lambda number, role, sites, spare: Person(number, f"u{number}", role, (), sites, spare),
        st.integers(1, 12),
        st.sampled_from(["owner", "manager", "operator", "auditor"]),
        st.sampled_from([("*",), (), ("본관",), ("본관", "B동")]),
        st.booleans(),
    ),
    unique_by=lambda person: person.user_id,
    max_size=8,
)
item_lists = st.lists(
    st.builds(
        Waiting,
        st.integers(1, 10**6),
        st.sampled_from(["DR Owner", "Ops Lead", "?"]),
        st.sampled_from([None, "본관", "B동"]),
    ),
    unique_by=lambda item: item.id,
    max_size=20,
)
load_maps = st.dictionaries(st.integers(1, 12), st.builds(Load, st.integers(0, 9), st.integers(0, 9)))


@given(item_lists, people_lists, load_maps)
def test_whoever_is_chosen_may_work_on_the_item_and_had_the_least_to_do(items, people, loads):
    extra = dict.fromkeys((person.user_id for person in people), 0)
    by_id = {person.user_id: person for person in people}
    for item, found in zip(items, suggest(items, people, loads), strict=True):
        pool = candidates(people, item.owner_role, item.site)
        assert (found.user_id is None) == (not pool)
        if found.user_id is None:
            continue
        weights = {one.user_id: loads.get(one.user_id, Load()).weighted + extra[one.user_id] for one in pool}
        assert may_work(by_id[found.user_id], item.site)
        assert found.load == min(weights.values()) == weights[found.user_id]
        extra[found.user_id] += 1


@given(item_lists, people_lists, load_maps)
def test_the_order_in_which_people_are_listed_does_not_matter(items, people, loads):
    assert chosen(items, people, loads) == chosen(items, people[::-1], loads)


@given(st.integers(0, 60))
def test_equal_people_get_equal_shares(number):
    people = [Person(1, "a", "manager"), Person(2, "b", "manager"), Person(3, "c", "manager")]
    names = chosen([Waiting(one, "Ops Lead") for one in range(number)], people)

    shares = [names.count(name) for name in "abc"]
    assert max(shares) - min(shares) <= 1
