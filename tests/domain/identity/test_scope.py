from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.identity import scope
from console.domain.identity.scope import ALL_SITES, NO_SITES, contains, intersect, normalise_scope, sees

NAMES = st.sampled_from(["HQ", "본관", "Plant 2", "별관", "hq"])
SCOPES = st.one_of(st.just(ALL_SITES), st.lists(NAMES).map(normalise_scope))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["HQ", " HQ ", "본관"], ("HQ", "본관")),
        (["b", "a"], ("a", "b")),
        (["HQ", "*"], ALL_SITES),
        (["*"], ALL_SITES),
        ([], NO_SITES),
        (["", "  "], NO_SITES),
    ],
)
def test_a_list_of_names_becomes_a_scope(values, expected):
    assert normalise_scope(values) == expected


def test_the_old_reading_of_an_empty_list_stays_behind_its_switch():
    assert normalise_scope([], empty_means_all=True) == ALL_SITES
    assert normalise_scope(["HQ"], empty_means_all=True) == ("HQ",)


@pytest.mark.parametrize("bad", ["A,B", "A\tB", "x" * 121])
def test_a_name_that_cannot_be_a_site_is_refused(bad):
    with pytest.raises(ValueError, match="site name"):
        normalise_scope([bad])


@pytest.mark.parametrize("bad", ["", "   ", "*"])
def test_one_site_name_is_neither_blank_nor_the_word_for_all(bad):
    with pytest.raises(ValueError, match="site name"):
        scope.site_name(bad)


@pytest.mark.parametrize(
    ("user", "token", "expected"),
    [
        (("A", "B"), None, ("A", "B")),
        (ALL_SITES, ("A",), ("A",)),
        (("A",), ALL_SITES, ("A",)),
        (("A", "B"), ("B", "C"), ("B",)),
        (("A",), ("B",), NO_SITES),
        (NO_SITES, None, NO_SITES),
        (NO_SITES, ALL_SITES, NO_SITES),
        (ALL_SITES, NO_SITES, NO_SITES),
        (ALL_SITES, None, ALL_SITES),
    ],
)
def test_the_effective_scope_follows_the_table(user, token, expected):
    assert intersect(user, token) == expected


@given(SCOPES, st.one_of(st.none(), SCOPES), NAMES)
def test_a_token_never_sees_more_than_its_user_or_itself(user, token, site):
    effective = intersect(user, token)

    assert contains(user, effective)
    assert token is None or contains(token, effective)
    assert sees(effective, site) is (sees(user, site) and (token is None or sees(token, site)))


@given(SCOPES, SCOPES, NAMES)
def test_what_a_scope_contains_it_also_sees(outer, inner, site):
    if contains(outer, inner) and sees(inner, site):
        assert sees(outer, site)


def test_a_scope_of_all_named_sites_is_not_all_sites():
    assert not contains(("A", "B"), ALL_SITES)
    assert contains(ALL_SITES, ALL_SITES)
    assert contains(("A",), NO_SITES)
