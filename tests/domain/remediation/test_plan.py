"""Worked examples of the plan: order, ids, owners, hours, and what is never left out."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.gate import gate
from console.domain.gate.rules import GatePolicy, PreflightFacts, Rule, RunbookFacts, SecurityFacts
from console.domain.remediation.plan import plan, priority_of, remedy_for
from console.domain.text import T
from tests.domain.gate.gate_facts import GOOD, NOW, STREAK

ALL_BAD = replace(
    GOOD,
    preflight=PreflightFacts("critical", 1, 0, "web"),
    runbook=RunbookFacts("critical", 1, 9),
    security=SecurityFacts("critical", 90, 30),
    daily_check=None,
    dr_rehearsal=None,
    deploy_smoke=None,
    streak=replace(STREAK, target_met=False),
)
OPTIONAL_BAD = replace(GOOD, daily_check=None, dr_rehearsal=None)


def _plan(facts, policy=None, **options):
    return plan(gate.snapshot(facts, policy or GatePolicy(), NOW), now=NOW, **options)


def test_all_rules_failing_give_the_published_order():
    made = _plan(ALL_BAD)

    assert [(i.item_id, i.rule_id, i.priority, i.sla_hours, i.owner_role) for i in made.items] == [
        ("GR-001", "preflight_no_error", 1, 4, "Platform Owner"),
        ("GR-002", "runbook_no_critical", 1, 4, "Ops Lead"),
        ("GR-003", "security_risk_within_max", 1, 8, "Security Manager"),
        ("GR-004", "deploy_smoke_binding_recent", 4, 8, "Release Manager"),
        ("GR-005", "daily_check_recent", 4, 12, "Ops PM"),
        ("GR-006", "dr_restore_valid_recent", 4, 24, "DR Owner"),
        ("GR-007", "weekly_streak_target_met", 4, 24, "Operations Excellence Lead"),
    ]
    assert vars(made.summary) == {
        "total_candidates": 7, "fail_count": 3, "warning_count": 4, "item_count": 7, "critical_path_count": 3,
    }  # fmt: skip
    assert all(item.due_at == NOW + timedelta(hours=item.sla_hours) for item in made.items)


def test_a_good_gate_has_an_empty_plan():
    made = _plan(GOOD)

    assert (made.items, made.summary.total_candidates, made.decision) == ((), 0, "go")
    assert len(made.passed_rule_ids) == 7


def test_the_cut_keeps_the_counts_before_it():
    made = _plan(ALL_BAD, max_items=2)

    assert [item.rule_id for item in made.items] == ["preflight_no_error", "runbook_no_critical"]
    assert (made.summary.total_candidates, made.summary.item_count, made.summary.critical_path_count) == (7, 2, 2)


def test_warnings_that_were_accepted_can_be_left_out():
    made = _plan(replace(GOOD, daily_check=None), include_warnings=False)

    assert (made.decision, made.items) == ("go", ())


@pytest.mark.parametrize(
    ("facts", "policy"),
    [
        (OPTIONAL_BAD, GatePolicy()),  # 70 percent
        (replace(GOOD, daily_check=None), GatePolicy(allow_warning=False)),
    ],
)
def test_warnings_that_made_the_verdict_stay_in_the_plan(facts, policy):
    without, with_warnings = _plan(facts, policy, include_warnings=False), _plan(facts, policy)

    assert without.decision == "no_go"
    assert without.items == with_warnings.items != ()


@pytest.mark.parametrize(
    ("status", "required", "priority"),
    [("fail", True, 1), ("fail", False, 2), ("warning", True, 3), ("warning", False, 4), ("pass", True, 9)],
)
def test_priorities(status, required, priority):
    assert priority_of(status, required) == priority


def test_an_unknown_rule_goes_to_the_operations_manager_with_its_message():
    remedy = remedy_for(Rule("new_rule", True, "fail", False, 1.0, T("Something is off."), {}))

    assert (remedy.owner_role, remedy.sla_hours, str(remedy.action)) == ("Ops Manager", 24, "Something is off.")


@given(
    st.booleans(), st.integers(1, 9), st.booleans(), st.floats(0, 100),
    st.sets(st.sampled_from(["preflight", "daily_check", "dr_rehearsal", "deploy_smoke", "streak"])),
)  # fmt: skip
def test_a_no_go_always_has_a_plan_and_ids_count_up(include, most, allow, least, bad):
    facts = replace(GOOD, **{name: getattr(ALL_BAD, name) for name in bad})
    made = _plan(
        facts,
        GatePolicy(allow_warning=allow, min_weighted_score_percent=least),
        include_warnings=include,
        max_items=most,
    )

    assert bool(made.items) or made.decision == "go"
    assert [item.item_id for item in made.items] == [f"GR-{n:03d}" for n in range(1, len(made.items) + 1)]
    assert made.summary.item_count == min(most, made.summary.total_candidates)
