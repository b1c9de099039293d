"""The verdict of a site over its daily work: worked examples, and what holds for whatever facts."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from console.domain.gate.rules import RULES
from console.domain.gate.site_rules import (
    ROUND_WITHIN,
    SITE_RULES,
    RoundSeen,
    SiteFacts,
    SitePolicy,
    as_detail,
    judge,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
FINE = SiteFacts("본관")


def failing(facts):
    return [(rule.id, rule.status) for rule in judge(facts, NOW).failing]


def test_a_site_without_trouble_goes():
    taken = judge(FINE, NOW)

    assert (taken.decision, taken.summary.weighted_score_percent, taken.failing) == ("go", 100.0, ())


@pytest.mark.parametrize(
    ("facts", "rule", "decision", "score"),
    [
        (
            SiteFacts("본관", dangers=1, oldest_danger_at=NOW - 5 * HOUR),
            ("site_danger_ordered", "fail"),
            "no_go",
            66.67,
        ),
        (
            SiteFacts("본관", critical_late=2, oldest_late_at=NOW - HOUR),
            ("site_critical_in_time", "fail"),
            "no_go",
            66.67,
        ),
        (SiteFacts("본관", unproven=1), ("site_evidence_given", "warning"), "go", 83.33),
        (
            SiteFacts("본관", rounds=(RoundSeen("순회", "daily", NOW - 37 * HOUR),)),
            ("site_rounds_done", "warning"),
            "go",
            83.33,
        ),
    ],
)
def test_each_rule_by_itself(facts, rule, decision, score):
    taken = judge(facts, NOW)

    assert (failing(facts), taken.decision, taken.summary.weighted_score_percent) == ([rule], decision, score)


def test_two_warnings_together_are_too_much():
    facts = SiteFacts("본관", unproven=3, rounds=(RoundSeen("순회", "weekly", NOW - timedelta(days=10)),))
    taken = judge(facts, NOW)

    assert (taken.decision, taken.summary.weighted_score_percent) == ("no_go", 66.67)
    assert [reason.code for reason in taken.reasons] == ["weighted_score_below_minimum"]


def test_nobody_knows_the_next_round_of_a_cycle_in_other_words():
    assert failing(SiteFacts("본관", rounds=(RoundSeen("순회", "when it rains", NOW - timedelta(days=900)),))) == []
    for cycle, within in ROUND_WITHIN.items():
        assert not RoundSeen("순회", cycle, NOW - within).missed(NOW)
        assert RoundSeen("순회", cycle, NOW - within - HOUR).missed(NOW)


def test_the_rules_of_the_platform_are_others():
    assert {spec.id for spec in SITE_RULES}.isdisjoint(spec.id for spec in RULES)
    assert len(RULES) == 7


def test_whatever_the_facts_are_the_decision_follows_from_them_alone():
    chance = random.Random(11)
    for _round in range(500):
        late, dangers, unproven = (chance.choice([0, 0, 1, 7]) for _part in range(3))
        rounds = tuple(
            RoundSeen(f"{n}", chance.choice(list(ROUND_WITHIN)), NOW - timedelta(days=chance.randint(0, 400)))
            for n in range(chance.randint(0, 3))
        )
        facts = SiteFacts(
            "본관",
            dangers=dangers,
            oldest_danger_at=NOW - HOUR if dangers else None,
            critical_late=late,
            oldest_late_at=NOW - HOUR if late else None,
            unproven=unproven,
            rounds=rounds,
        )
        missed = any(one.missed(NOW) for one in rounds)
        wanted = "no_go" if dangers or late or (missed and unproven) else "go"
        taken = judge(facts, NOW)

        assert taken.decision == wanted
        assert judge(facts, NOW) == taken
        # Nothing that gets better makes a verdict worse.
        better = judge(SiteFacts("본관", critical_late=late, oldest_late_at=facts.oldest_late_at), NOW)
        assert better.summary.weighted_score_percent >= taken.summary.weighted_score_percent
        assert (taken.decision, better.decision) != ("go", "no_go")
        strict = judge(facts, NOW, SitePolicy(allow_warning=False))
        assert (strict.decision == "go") == (not taken.failing)
        assert as_detail(taken)["rules"][0]["message"]
