"""Worked numbers of the gate: rules, weights, decision and its reasons."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.gate import gate
from console.domain.gate.rules import (
    RULES,
    GateFacts,
    GatePolicy,
    LatestRun,
    PreflightFacts,
    RunbookFacts,
    SecurityFacts,
)
from console.domain.text import T
from tests.domain.gate.gate_facts import GOOD, GOOD_SMOKE, NOW, STREAK, run

POLICY = GatePolicy()
REQUIRED = {
    "preflight_no_error": "require_preflight_no_error",
    "runbook_no_critical": "require_runbook_no_critical",
    "daily_check_recent": "require_daily_check_recent",
    "dr_restore_valid_recent": "require_dr_restore_valid_recent",
    "deploy_smoke_binding_recent": "require_deploy_smoke_binding_recent",
    "weekly_streak_target_met": "require_weekly_streak_target_met",
}


def _rule(facts: GateFacts, rule_id: str, policy: GatePolicy = POLICY) -> gate.Rule:
    return next(rule for rule in gate.snapshot(facts, policy, NOW).rules if rule.id == rule_id)


def test_all_good_is_go_with_the_full_score():
    taken = gate.snapshot(GOOD, POLICY, NOW)

    assert (taken.decision, taken.job_status) == ("go", "success")
    assert [reason.code for reason in taken.reasons] == ["requirements_met"]
    assert (taken.summary.weighted_total, taken.summary.weighted_passed) == (10.0, 10.0)
    assert (taken.summary.total_rules, taken.summary.required_rules, taken.summary.passed_rules) == (7, 3, 7)


def test_the_rules_stand_in_the_published_order_with_their_weights():
    rules = gate.snapshot(GOOD, POLICY, NOW).rules

    assert [(rule.id, rule.weight) for rule in rules] == [
        ("preflight_no_error", 1.5),
        ("runbook_no_critical", 2.0),
        ("security_risk_within_max", 1.25),
        ("daily_check_recent", 1.0),
        ("dr_restore_valid_recent", 2.0),
        ("deploy_smoke_binding_recent", 1.5),
        ("weekly_streak_target_met", 0.75),
    ]


@pytest.mark.parametrize(
    ("changes", "rule_id", "passed"),
    [
        ({"preflight": PreflightFacts("critical", 1, 0, "web")}, "preflight_no_error", False),
        ({"preflight": PreflightFacts("warning", 0, 3, "web")}, "preflight_no_error", True),
        ({"runbook": RunbookFacts("critical", 1, 9, ("startup_preflight",))}, "runbook_no_critical", False),
        ({"runbook": RunbookFacts("warning", 0, 9)}, "runbook_no_critical", True),
        ({"security": SecurityFacts("high", 79, 30)}, "security_risk_within_max", True),
        ({"security": SecurityFacts("critical", 80, 30)}, "security_risk_within_max", False),
        ({"daily_check": None}, "daily_check_recent", False),
        ({"daily_check": run(36, status="critical")}, "daily_check_recent", True),
        ({"daily_check": run(36.01)}, "daily_check_recent", False),
        ({"dr_rehearsal": None}, "dr_restore_valid_recent", False),
        ({"dr_rehearsal": run(35 * 24, restore_valid=True)}, "dr_restore_valid_recent", True),
        ({"dr_rehearsal": run(35 * 24 + 1, restore_valid=True)}, "dr_restore_valid_recent", False),
        ({"dr_rehearsal": run(1, restore_valid=False)}, "dr_restore_valid_recent", False),
        ({"dr_rehearsal": run(1, restore_valid="true")}, "dr_restore_valid_recent", False),
        ({"dr_enabled": False, "dr_rehearsal": None}, "dr_restore_valid_recent", True),
        ({"deploy_smoke": None}, "deploy_smoke_binding_recent", False),
        ({"deploy_smoke": run(72, **GOOD_SMOKE)}, "deploy_smoke_binding_recent", True),
        ({"deploy_smoke": run(72.01, **GOOD_SMOKE)}, "deploy_smoke_binding_recent", False),
        ({"deploy_smoke": run(1, status="critical", **GOOD_SMOKE)}, "deploy_smoke_binding_recent", True),
        ({"checklist_version": "2026.03.v2"}, "deploy_smoke_binding_recent", False),
        ({"checklist_version": None}, "deploy_smoke_binding_recent", False),
        ({"streak": replace(STREAK, target_met=False)}, "weekly_streak_target_met", False),
    ],
)
def test_a_rule_passes_exactly_when_its_condition_holds(changes, rule_id, passed):
    assert _rule(replace(GOOD, **changes), rule_id).passed is passed


@pytest.mark.parametrize(
    "broken",
    [
        {"rollback_ready": False},
        {"rollback_ready": "true"},
        {"rollback_reference_match": False},
        {"rollback_reference_sha256_match": None},
        {"rollback_reference_sha256_match": False},
        {"runbook_gate_passed": False},
        {"ui_main_shell_checked": False},
        {"ui_main_shell_status": "warning"},
    ],
)
def test_every_part_of_the_deploy_binding_counts(broken):
    smoke = run(1, **{**GOOD_SMOKE, **broken})

    assert not _rule(replace(GOOD, deploy_smoke=smoke), "deploy_smoke_binding_recent").passed


def test_the_runbook_gate_of_a_smoke_counts_only_where_the_policy_asks_for_it():
    smoke = run(1, **{**GOOD_SMOKE, "runbook_gate_passed": False})
    facts = replace(GOOD, deploy_smoke=smoke, require_runbook_gate=False)

    assert _rule(facts, "deploy_smoke_binding_recent").passed


def test_dr_switched_off_fails_where_a_restore_is_required():
    policy = replace(POLICY, require_dr_restore_valid_recent=True)
    facts = replace(GOOD, dr_enabled=False, dr_rehearsal=None)

    assert _rule(facts, "dr_restore_valid_recent", policy).status == "fail"


def test_an_unknown_risk_level_counts_as_high():
    facts = replace(GOOD, security=SecurityFacts("odd", 10, 30))

    assert _rule(facts, "security_risk_within_max", replace(POLICY, max_security_risk_level="odd")).passed
    assert not _rule(facts, "security_risk_within_max", replace(POLICY, max_security_risk_level="medium")).passed


BAD = replace(
    GOOD,
    preflight=PreflightFacts("critical", 2, 0, "web"),
    runbook=RunbookFacts("critical", 1, 9),
    security=SecurityFacts("critical", 90, 30),
    daily_check=None,
    dr_rehearsal=None,
    deploy_smoke=None,
    streak=replace(STREAK, target_met=False, current_streak_weeks=0),
)
NOTHING_RUN_YET = replace(
    GOOD, daily_check=None, dr_rehearsal=None, deploy_smoke=None, streak=replace(STREAK, target_met=False)
)


@pytest.mark.parametrize(
    ("facts", "policy", "decision", "score", "codes"),
    [
        (BAD, POLICY, "no_go", 0.0, ["required_rule_failed", "weighted_score_below_minimum"]),
        (NOTHING_RUN_YET, POLICY, "no_go", 47.5, ["weighted_score_below_minimum"]),
        (replace(GOOD, dr_rehearsal=None), POLICY, "go", 80.0, ["requirements_met", "warnings_accepted"]),
        # optional rules alone: 2.0 + 0.75 of 10 missing
        (replace(GOOD, dr_rehearsal=None, streak=replace(STREAK, target_met=False)), POLICY, "no_go", 72.5,
         ["weighted_score_below_minimum"]),
        (replace(GOOD, daily_check=None), replace(POLICY, allow_warning=False), "no_go", 90.0,
         ["warnings_not_allowed"]),
        (replace(GOOD, daily_check=None), replace(POLICY, require_daily_check_recent=True), "no_go", 90.0,
         ["required_rule_failed"]),
        (NOTHING_RUN_YET, replace(POLICY, min_weighted_score_percent=47.5), "go", 47.5,
         ["requirements_met", "warnings_accepted"]),
        (replace(GOOD, dr_rehearsal=None), replace(POLICY, dr_weight=4.0), "no_go", 66.67,
         ["weighted_score_below_minimum"]),
    ],
)  # fmt: skip
def test_the_decision_names_every_reason(facts, policy, decision, score, codes):
    taken = gate.snapshot(facts, policy, NOW)

    assert (taken.decision, taken.summary.weighted_score_percent) == (decision, score)
    assert [reason.code for reason in taken.reasons] == codes


def test_the_status_of_a_run_follows_the_decision():
    assert gate.snapshot(BAD, POLICY, NOW).job_status == "critical"
    assert gate.snapshot(replace(GOOD, daily_check=None), POLICY, NOW).job_status == "warning"


def test_the_detail_has_the_published_keys_and_every_sentence_twice():
    detail = gate.as_detail(gate.snapshot(BAD, POLICY, NOW))

    assert list(detail) == [
        "generated_at", "decision", "reasons", "summary", "rules", "policy", "failure_count", "warning_count",
    ]  # fmt: skip
    assert list(detail["policy"]) == [
        "allow_warning", "max_security_risk_level", "require_preflight_no_error", "require_runbook_no_critical",
        "require_daily_check_recent", "daily_check_max_age_hours", "require_dr_restore_valid_recent", "dr_max_age_days",
        "require_deploy_smoke_binding_recent", "deploy_smoke_max_age_hours", "require_weekly_streak_target_met",
        "security_dashboard_days", "dr_weight", "min_weighted_score_percent",
    ]  # fmt: skip
    assert (detail["failure_count"], detail["warning_count"]) == (3, 4)
    for entry in detail["rules"] + detail["reasons"]:
        stored = entry["message_text"]
        assert entry["message"] == (stored["msgid"] % stored["params"] if stored["params"] else stored["msgid"])


@pytest.mark.parametrize(
    ("rule_id", "keys"),
    [
        ("preflight_no_error", {"overall_status", "error_count", "warning_count"}),
        ("runbook_no_critical", {"overall_status", "critical_count", "check_count"}),
        ("security_risk_within_max", {"risk_level", "risk_score", "max_risk_level", "window_days"}),
        ("daily_check_recent", {"max_age_hours", "latest_run_at", "latest_status"}),
        (
            "dr_restore_valid_recent",
            {"enabled", "max_age_days", "latest_run_at", "latest_status", "latest_restore_valid"},
        ),
        (
            "deploy_smoke_binding_recent",
            {
                "max_age_hours", "latest_run_at", "latest_status", "rollback_ready", "runbook_gate_passed",
                "rollback_reference_match", "rollback_reference_sha256_match", "current_checklist_version",
                "latest_checklist_version", "checklist_version_match", "ui_main_shell_checked", "ui_main_shell_status",
            },
        ),
        ("weekly_streak_target_met", {"current_streak_weeks", "target_weeks"}),
    ],
)  # fmt: skip
def test_every_rule_has_its_published_detail_with_and_without_facts(rule_id, keys):
    assert keys <= set(_rule(GOOD, rule_id).detail)
    assert keys <= set(_rule(BAD, rule_id).detail)


run_ = st.one_of(
    st.none(),
    st.builds(
        LatestRun,
        st.just(1),
        st.sampled_from(["success", "warning", "critical"]),
        st.integers(-10, 2000).map(lambda hours: NOW - timedelta(hours=hours)),
        st.dictionaries(st.sampled_from([*GOOD_SMOKE, "restore_valid"]), st.sampled_from([True, False, None, "ok", 1])),
    ),
)
facts_ = st.builds(
    GateFacts,
    preflight=st.builds(PreflightFacts, st.just("ok"), st.integers(0, 2), st.integers(0, 2), st.just("web")),
    runbook=st.builds(RunbookFacts, st.just("ok"), st.integers(0, 2), st.just(9)),
    security=st.builds(
        SecurityFacts, st.sampled_from(["low", "medium", "high", "critical", "?"]), st.just(1), st.just(30)
    ),
    streak=st.booleans().map(lambda met: replace(STREAK, target_met=met)),
    daily_check=run_,
    dr_enabled=st.booleans(),
    dr_rehearsal=run_,
    deploy_smoke=run_,
    require_runbook_gate=st.booleans(),
    checklist_version=st.sampled_from([None, "2026.03.v1"]),
)
policy_ = st.builds(
    GatePolicy,
    allow_warning=st.booleans(),
    max_security_risk_level=st.sampled_from(["low", "medium", "high", "critical"]),
    dr_weight=st.floats(1, 50),
    min_weighted_score_percent=st.floats(0, 100),
    **{name: st.booleans() for name in REQUIRED.values()},
)


@given(facts_, policy_)
def test_the_decision_is_go_exactly_when_nothing_speaks_against_it(facts, policy):
    taken = gate.snapshot(facts, policy, NOW)
    summary = taken.summary

    assert summary.passed_rules + summary.failure_count + summary.warning_count == len(RULES)
    assert 0 <= summary.weighted_score_percent <= 100
    go = (
        not summary.failure_count
        and (policy.allow_warning or not summary.warning_count)
        and summary.weighted_score_percent >= policy.min_weighted_score_percent
    )
    assert (taken.decision == "go") is go
    assert bool(taken.blocking_rule_ids) is not go


@given(facts_, policy_)
def test_requiring_a_rule_never_turns_a_no_go_into_a_go(facts, policy):
    strict = replace(policy, **dict.fromkeys(REQUIRED.values(), True))

    if gate.snapshot(facts, policy, NOW).decision == "no_go" and facts.dr_enabled:
        assert gate.snapshot(facts, strict, NOW).decision == "no_go"


def test_details_hold_nothing_that_json_does_not_know():
    for facts in (GOOD, BAD):
        for rule in gate.snapshot(facts, POLICY, NOW).rules:
            assert json.loads(json.dumps(rule.detail)) == rule.detail


def _verdict(states, *, allow_warning, least):
    """Return a verdict of rules of these (required, passed, weight), decided by the domain itself."""
    rules = tuple(
        gate.Rule(f"r{place}", required, "pass" if passed else "fail" if required else "warning", passed, weight,
                  T("m"), {})
        for place, (required, passed, weight) in enumerate(states)
    )  # fmt: skip
    policy = replace(POLICY, allow_warning=allow_warning, min_weighted_score_percent=least)
    summary = gate.summarize(rules)
    decision, reasons = gate.decide(rules, summary, policy)
    return gate.as_detail(gate.GateSnapshot(NOW, decision, reasons, summary, rules, policy))


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 40).map(lambda n: n / 4)), min_size=1, max_size=7),
    st.booleans(),
    st.sampled_from([0.0, 47.5, 75.0, 100.0]),
)
def test_the_rules_that_turn_the_verdict_are_needed_and_enough(states, allow_warning, least):
    def decided(passing):
        changed = [(required, passed or place in passing, weight)
                   for place, (required, passed, weight) in enumerate(states)]  # fmt: skip
        return _verdict(changed, allow_warning=allow_warning, least=least)

    taken = decided(frozenset())
    chosen = {place for place, one in enumerate(gate.shares(taken)) if one.turns}

    assert bool(chosen) == (taken["decision"] == "no_go")
    assert decided(chosen)["decision"] == "go"
    assert all(decided(chosen - {one})["decision"] == "no_go" for one in chosen)


def test_the_shares_of_the_rules_make_the_score():
    taken = gate.as_detail(gate.snapshot(replace(GOOD, daily_check=None), POLICY, NOW))
    found = gate.shares(taken)

    given_points = sum(one.points for one in found if one.status == "pass")
    assert sum(one.points for one in found) == pytest.approx(100, abs=0.1)
    assert given_points == pytest.approx(taken["summary"]["weighted_score_percent"], abs=0.1)
    assert [one.rule_id for one in found] == [rule["id"] for rule in taken["rules"]]
