from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.identity import iam
from console.domain.identity.iam import Role

WORDS = st.text(st.characters(categories=("L", "N"), include_characters="_:*"), max_size=12)


@pytest.mark.parametrize(
    ("role", "count"), [(Role.OWNER, 1), (Role.MANAGER, 38), (Role.OPERATOR, 34), (Role.AUDITOR, 19)]
)
def test_the_published_lists_have_the_published_length(role, count):
    assert len(iam.PUBLISHED[role]) == count
    assert len(set(iam.PUBLISHED[role])) == count


@pytest.mark.parametrize(
    ("permission", "holders"),
    [
        ("inspections:read", "manager operator auditor"),
        ("inspections:write", "manager operator"),
        ("work_orders:read", "manager operator auditor"),
        ("work_orders:write", "manager operator"),
        ("work_orders:escalate", "manager"),
        ("reports:read", "manager auditor"),
        ("reports:export", "manager auditor"),
        ("workflow_locks:read", "manager operator auditor"),
        ("workflow_locks:write", "operator"),
        ("workflow_locks:review", "manager"),
        ("workflow_locks:approve", "manager"),
        ("workflow_locks:admin", ""),
        ("adoption_w02:read", "manager operator auditor"),
        ("adoption_w15:write", "manager operator"),
        ("adoption_w01:read", ""),
        ("adoption_w16:read", ""),
        ("admins:manage", ""),
    ],
)
def test_each_role_holds_what_the_table_says(permission, holders):
    found = {role.value for role in Role if permission in iam.PUBLISHED[role]}

    assert found == set(holders.split())


def test_effective_permissions_are_role_and_custom_sorted_without_doubles():
    found = iam.effective_permissions("auditor", ["reports:read", "zz:one", "admins:manage"])

    assert found == tuple(sorted(found))
    assert set(found) == {*iam.PUBLISHED[Role.AUDITOR], "zz:one", "admins:manage"}
    assert iam.effective_permissions("owner", ["a:b"]) == ("*", "a:b")


@pytest.mark.parametrize(
    ("held", "wanted", "passes"),
    [
        (["*"], "admins:manage", True),
        (["admins:*"], "admins:manage", True),
        (["admins:manage"], "admins:manage", True),
        (["admins:manage"], "admins:other", False),
        (["admins:*"], "admins2:manage", False),
        (["admin:*"], "admins:manage", False),
        ([], "admins:manage", False),
        ([":*"], "plain", False),
        (["plain:*"], "plain", False),
    ],
)
def test_a_check_passes_with_star_the_string_or_the_namespace(held, wanted, passes):
    assert iam.allows(held, wanted) is passes


@pytest.mark.parametrize("bad", ["a:b,admins:manage", "a\nb", "x" * 121])
def test_a_permission_text_that_could_smuggle_is_refused(bad):
    with pytest.raises(ValueError, match="permission"):
        iam.normalise_permissions([bad])


@given(st.lists(WORDS))
def test_normalised_permissions_are_stable_and_only_ever_add(values):
    once = iam.normalise_permissions(values)

    assert iam.normalise_permissions(once) == once
    assert all(iam.allows(iam.effective_permissions("operator", once), text) for text in once)
    assert set(iam.PUBLISHED[Role.OPERATOR]) <= set(iam.effective_permissions("operator", once))


@given(st.lists(WORDS), WORDS)
def test_nobody_grants_what_they_do_not_hold(held, wanted):
    beyond = iam.permissions_beyond(held, [wanted])

    assert bool(beyond) is not iam.allows(held, wanted)


@pytest.mark.parametrize(
    ("caller", "roles"),
    [
        ("owner", {"owner", "manager", "operator", "auditor"}),
        ("manager", {"manager", "operator", "auditor"}),
        ("operator", {"operator"}),
        ("auditor", {"auditor"}),
    ],
)
def test_only_owners_hand_out_the_owner_role(caller, roles):
    assert {role.value for role in Role if iam.may_grant_role(caller, role)} == roles


def test_an_unknown_role_is_refused():
    with pytest.raises(ValueError, match="root"):
        iam.effective_permissions("root", [])
