"""Escalation rules: how long a condition has to hold, and the rules of a form."""

import pytest

from console.domain.errors import Invalid
from console.domain.programme.judge import GREEN, RED, YELLOW
from console.domain.programme.kpi_policy import KEYS, RULES, condition_of, red_days, rules_of, typed_rules, with_hold

ROW = {"kpi_key": KEYS[2], "hold_days": "5", "escalate_to": "야간 반장 🌙", "sla_hours": "4", "action": "전화"}


def test_red_days_are_counted_in_a_row_from_today():
    assert [red_days(lights) for lights in ([], [YELLOW, RED], [RED], [RED, RED, GREEN, RED], [RED] * 3)] == [
        *(0, 0, 1, 2, 3)
    ]


def test_old_clients_say_in_words_how_long_a_condition_holds():
    sent = [{part: rule[part] for part in rule if part != "hold_days"} for rule in RULES]
    assert rules_of(sent) == [dict(rule) for rule in RULES]
    assert rules_of([{"id": "X", "condition": "누가 봐도 나쁨"}])[0]["hold_days"] == 1
    for number, kept in ((0, 1), (99, 28), (2.9, 2), (10**400, 28), (" 7 ", 7), ("-1", 1)):
        assert rules_of([{"id": "X", "hold_days": number}])[0]["hold_days"] == kept
    for wrong in ("soon", "1.5", "9" * 5000, True, float("nan"), float("inf"), [], {}):
        assert rules_of([{"id": "X", "hold_days": wrong}]) is None


def test_the_condition_follows_the_days_unless_somebody_wrote_it():
    week = dict(RULES[0])
    assert with_hold(week, 3)["condition"] == "Red for three days"
    assert with_hold(week, 10)["condition"] == "Red for 10 days"
    assert with_hold(with_hold(week, 10), 7) == week
    own = {**week, "condition": "연휴에도 빨강"}
    assert with_hold(own, 10) == {**own, "hold_days": 10}
    assert condition_of(1) == "Red at the close"


def test_the_rows_of_a_form_become_rules():
    first = {"id": "W09-ESC-01", **ROW}
    made = typed_rules([first, {**ROW, "id": ""}, {"id": "", "escalate_to": " "}], RULES)
    assert [(rule["id"], rule["hold_days"], rule["sla_hours"]) for rule in made] == [
        ("W09-ESC-01", 5, 4),
        ("W09-ESC-02", 5, 4),
    ]
    assert {rule["condition"] for rule in made} == {"Red for 5 days"}
    assert rules_of(made) == made
    # What nobody touched comes out as it was.
    rows = [{part: str(value) for part, value in rule.items() if part != "condition"} for rule in RULES]
    assert typed_rules(rows, RULES) == [dict(rule) for rule in RULES]
    assert typed_rules([], RULES) == []
    # A rule without an id is none that a new one takes after.
    nameless = {**RULES[0], "id": "", "condition": "연휴"}
    assert typed_rules([{**ROW, "id": ""}], [nameless])[0]["condition"] == "Red for 5 days"


@pytest.mark.parametrize(
    "wrong", [{"kpi_key": ""}, {"kpi_key": "unknown"}, {"hold_days": ""}, {"sla_hours": "bald"}, {"hold_days": "1.5"}]
)
def test_a_row_that_can_be_no_rule_is_refused(wrong):
    with pytest.raises(Invalid):
        typed_rules([{**ROW, **wrong}], RULES)
