"""The cheapest way to GO, held against every other way."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.core.serialize import plain
from console.domain.gate import gate
from console.domain.gate.rules import RULES, GatePolicy, RunbookFacts
from console.domain.remediation.way import BadSnapshot, cheapest, hours_of, read, way
from tests.domain.gate.gate_facts import GOOD, NOW, STREAK, run

BAD = replace(
    GOOD,
    runbook=RunbookFacts("critical", 2, 9, ("a", "b")),
    daily_check=None,
    dr_rehearsal=run(100),
    deploy_smoke=None,
    streak=replace(STREAK, current_streak_weeks=1, target_met=False),
)


def exported(facts, **policy):
    """Return a verdict as it is exported."""
    return plain(gate.as_detail(gate.snapshot(facts, GatePolicy(**policy), NOW)))


def test_a_go_needs_nothing():
    assert cheapest(read(exported(GOOD))) == ()


def test_what_is_required_comes_with_the_fewest_hours_beside_it():
    taken = read(exported(BAD))

    assert [one.rule_id for one in way(taken)] == [
        "runbook_no_critical", "daily_check_recent", "dr_restore_valid_recent",
    ]  # fmt: skip
    assert [one.rule_id for one in cheapest(taken)] == [
        "daily_check_recent", "dr_restore_valid_recent", "runbook_no_critical",
    ]  # fmt: skip


def test_a_streak_takes_its_weeks():
    taken = read(exported(BAD, require_weekly_streak_target_met=True))

    assert {one.rule_id: one.hours for one in way(taken)}["weekly_streak_target_met"] == 3 * 168


def _spoiled(names):
    spoilt = {
        "runbook_no_critical": {"runbook": BAD.runbook},
        "daily_check_recent": {"daily_check": None},
        "dr_restore_valid_recent": {"dr_rehearsal": None},
        "deploy_smoke_binding_recent": {"deploy_smoke": None},
        "weekly_streak_target_met": {"streak": BAD.streak},
    }
    return replace(GOOD, **{key: value for name in names for key, value in spoilt[name].items()})


@given(
    st.sets(st.sampled_from([spec.id for spec in RULES if spec.id in {
        "runbook_no_critical", "daily_check_recent", "dr_restore_valid_recent", "deploy_smoke_binding_recent",
        "weekly_streak_target_met",
    }])),
    st.booleans(),
    st.floats(0, 100),
)  # fmt: skip
def test_no_other_way_is_cheaper_and_it_leads_to_go(names, allow, least):
    taken = read(exported(_spoiled(names), allow_warning=allow, min_weighted_score_percent=least))
    found = way(taken)

    def leads(mended):
        left = gate.snapshot(_spoiled(names - mended), taken.policy, NOW)
        return left.decision == gate.GO

    assert leads({one.rule_id for one in found})
    price = {rule.id: hours_of(rule) for rule in taken.rules}
    ways = (set(chosen) for count in range(len(names) + 1) for chosen in combinations(sorted(names), count))
    assert sum(one.hours for one in found) == min(sum(price[id_] for id_ in chosen) for chosen in ways if leads(chosen))


@pytest.mark.parametrize("field", ["passed", "required", "status", "weight", "detail", "id"])
def test_a_rule_that_was_changed_by_hand_is_refused(field):
    document = exported(BAD)
    document["rules"][3][field] = {"passed": True, "required": True, "weight": 9}.get(field)

    with pytest.raises(BadSnapshot):
        read(document)
