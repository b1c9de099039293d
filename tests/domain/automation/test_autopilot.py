from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.automation.autopilot import (
    AutopilotPolicy,
    Plan,
    PlanCount,
    PlanDigest,
    evaluate,
    fingerprint,
    run_status,
    skip_reason,
)
from console.domain.automation.guard import guard
from console.domain.automation.kpi import KpiMetrics

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
POLICY = AutopilotPolicy()
READY = guard(30, last=None, anchor=None, now=NOW)
BLOCKED = replace(READY, ready=False, blocked=True, reason="cooldown_active", minutes_until_ready=5)


@pytest.mark.parametrize(
    ("metrics", "policy", "force", "planned"),
    [
        (KpiMetrics(), POLICY, False, ()),
        (KpiMetrics(unassigned_open_count=1), POLICY, False, ("auto_assign",)),
        (KpiMetrics(overdue_count=1), POLICY, False, ("escalation",)),
        (KpiMetrics(critical_open_count=1), replace(POLICY, overdue_trigger=9), False, ("escalation",)),
        (KpiMetrics(overdue_count=8), replace(POLICY, overdue_trigger=9), False, ()),
        (KpiMetrics(), POLICY, True, ("auto_assign", "escalation")),
        # A trigger of 0 is always met.
        (
            KpiMetrics(),
            replace(POLICY, unassigned_trigger=0, overdue_trigger=0),
            False,
            ("auto_assign", "escalation"),
        ),
        (KpiMetrics(unassigned_open_count=1), replace(POLICY, enabled=False), True, ()),
        (KpiMetrics(unassigned_open_count=1), replace(POLICY, paused=True), True, ()),
        (
            KpiMetrics(),
            replace(POLICY, unassigned_trigger=9999, overdue_trigger=9999),
            True,
            ("auto_assign", "escalation"),
        ),
    ],
)
def test_figures_meet_triggers(metrics, policy, force, planned):
    assert evaluate(policy, metrics, force=force).planned_actions == planned


def test_a_disabled_policy_still_tells_what_the_figures_ask_for():
    found = evaluate(replace(POLICY, enabled=False), KpiMetrics(unassigned_open_count=1))

    assert (found.should_run_auto_assign, found.should_run_escalation) == (True, False)


@pytest.mark.parametrize(
    ("policy", "guard_", "planned", "reason"),
    [
        (POLICY, READY, True, None),
        (POLICY, READY, False, "no_triggered_actions"),
        (replace(POLICY, skip_if_no_action=False), READY, False, None),
        (POLICY, BLOCKED, True, "cooldown_active"),
        (POLICY, BLOCKED, False, "cooldown_active"),
        (replace(POLICY, enabled=False), BLOCKED, True, "policy_disabled"),
        (replace(POLICY, paused=True), READY, True, "policy_disabled"),
    ],
)
def test_the_first_reason_to_skip_counts(policy, guard_, planned, reason):
    metrics = KpiMetrics(unassigned_open_count=int(planned))

    assert skip_reason(policy, guard_, evaluate(policy, metrics)) == reason


@pytest.mark.parametrize(
    ("metrics", "planned", "values", "status"),
    [
        (KpiMetrics(), (), {}, "success"),
        (KpiMetrics(overdue_count=1), ("escalation",), {}, "warning"),
        (KpiMetrics(critical_open_count=1), ("escalation",), {}, "warning"),
        (KpiMetrics(unassigned_open_count=1), ("auto_assign",), {}, "success"),
        (KpiMetrics(unassigned_open_count=1), (), {}, "warning"),
        (KpiMetrics(), (), {"errors": 1}, "critical"),
        (KpiMetrics(overdue_count=1), (), {"disabled": True}, "success"),
    ],
)
def test_the_status_of_a_run(metrics, planned, values, status):
    assert run_status(metrics, planned, **{"errors": 0, **values}) == status


DIGEST = PlanDigest(((1, "kim"), (2, "lee")), (("step", 2, 3, 60, 30),))


def test_the_fingerprint_does_not_depend_on_the_order_of_the_plan():
    turned = PlanDigest(DIGEST.assigned[::-1], DIGEST.escalated)

    assert fingerprint(POLICY, 3, ("auto_assign",), turned) == fingerprint(POLICY, 3, ("auto_assign",), DIGEST)


@pytest.mark.parametrize(
    ("policy", "revision", "planned", "digest"),
    [
        (replace(POLICY, cooldown_minutes=31), 3, ("auto_assign",), DIGEST),
        (POLICY, 4, ("auto_assign",), DIGEST),
        (POLICY, 3, ("auto_assign", "escalation"), DIGEST),
        (POLICY, 3, ("auto_assign",), replace(DIGEST, assigned=((1, "kim"), (2, "park")))),
        (POLICY, 3, ("auto_assign",), replace(DIGEST, assigned=((1, "kim"),))),
        (POLICY, 3, ("auto_assign",), replace(DIGEST, escalated=(("step", 3, 3, 60, 30),))),
        (POLICY, 3, ("auto_assign",), replace(DIGEST, escalated=(("step", 2, 3, 61, 31),))),
        (POLICY, 3, ("auto_assign",), replace(DIGEST, escalated=())),
    ],
)
def test_a_changed_world_changes_the_fingerprint(policy, revision, planned, digest):
    assert fingerprint(policy, revision, planned, digest) != fingerprint(POLICY, 3, ("auto_assign",), DIGEST)


def test_a_plan_counts_its_items_per_action():
    plan = Plan(counts=(PlanCount("escalation", "step", 3), PlanCount("escalation", "repeat", 2)))

    assert (plan.count("escalation"), plan.count("auto_assign")) == (5, 0)


metrics_any = st.builds(
    KpiMetrics,
    open_items=st.integers(0, 9),
    critical_open_count=st.integers(0, 3),
    unassigned_open_count=st.integers(0, 3),
    overdue_count=st.integers(0, 3),
)
policies = st.builds(
    AutopilotPolicy,
    enabled=st.booleans(),
    paused=st.booleans(),
    unassigned_trigger=st.integers(0, 4),
    overdue_trigger=st.integers(0, 4),
    skip_if_no_action=st.booleans(),
)


@given(policies, metrics_any, st.booleans())
def test_nothing_is_planned_while_the_autopilot_may_not_act(policy, metrics, force):
    found = evaluate(policy, metrics, force=force)

    assert policy.acts or not found.planned_actions
    assert set(evaluate(policy, metrics).planned_actions) <= set(evaluate(policy, metrics, force=True).planned_actions)
    assert (skip_reason(policy, READY, found) == "policy_disabled") == (not policy.acts)
