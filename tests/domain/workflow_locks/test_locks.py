"""The matrix of workflow locks: who may do what in which state (API contract, workflow locks)."""

import pytest

from console.domain.errors import Conflict, PermissionDenied
from console.domain.workflow_locks import locks as rules

ALL = frozenset(step.permission for step in rules.STEPS.values())
MATRIX = {
    "read": {"operator", "manager", "owner", "auditor"},
    "create": {"operator"},
    "update_draft": {"operator"},
    "submit": {"operator"},
    "approve": {"manager", "owner"},
    "reject": {"manager", "owner"},
    "lock": {"owner"},
    "unlock": set(),
}


@pytest.mark.parametrize("role", ["operator", "manager", "owner", "auditor"])
@pytest.mark.parametrize("action", MATRIX)
def test_the_role_decides_and_the_permission_is_asked_as_well(role, action):
    caller = rules.Caller(role, ALL, override=False)

    assert rules.may(caller, action) == (role in MATRIX[action])
    assert not rules.may(rules.Caller(role, frozenset(), override=False), action)


@pytest.mark.parametrize("action", MATRIX)
def test_an_override_opens_locks_and_nothing_else(action):
    caller = rules.Caller("manager", ALL, override=True)

    assert rules.may(caller, action) == ("manager" in MATRIX[action] or action == "unlock")


def test_a_denial_names_the_action():
    with pytest.raises(PermissionDenied, match="^Workflow lock action denied: lock$"):
        rules.require(rules.Caller("manager", ALL, override=False), "lock")


@pytest.mark.parametrize(
    ("action", "needs"),
    [("update_draft", "draft"), ("submit", "draft"), ("approve", "review"), ("reject", "review"), ("lock", "approved"),
     ("unlock", "locked")],
)  # fmt: skip
def test_each_step_needs_its_state(action, needs):
    for status in rules.STATES:
        if status == needs:
            rules.require_state(action, status)
        else:
            with pytest.raises(Conflict, match=f"^{action} requires {needs} status$"):
                rules.require_state(action, status)


def test_every_way_through_the_states_is_one_of_the_published():
    ways = {(step.needs, name, step.leads_to) for name, step in rules.STEPS.items() if step.needs}

    assert ways == {
        ("draft", "update_draft", "draft"), ("draft", "submit", "review"), ("review", "approve", "approved"),
        ("review", "reject", "draft"), ("approved", "lock", "locked"), ("locked", "unlock", "approved"),
    }  # fmt: skip


def test_nobody_approves_what_they_handed_in():
    rules.require_another("approve", "kim", "lee")
    rules.require_another("reject", "kim", "kim")
    with pytest.raises(Conflict, match="self-approved"):
        rules.require_another("approve", "kim", "kim")
