import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import Invalid
from console.domain.policies.policy import PolicyField, PolicyWarning, changes, filled, normalise

FIELDS = (
    PolicyField("enabled", "bool", True),
    PolicyField("cooldown_minutes", "int", 30, 0, 1440),
    PolicyField("overdue_trigger", "int", 1, 0, 100000),
    PolicyField("target_percent", "float", 95.0, 0, 100),
    PolicyField("mode", "choice", "quiet", choices=("quiet", "loud")),
    PolicyField("note", "text", "", most=10),
)
DEFAULTS = filled(FIELDS, {})


def test_the_worked_example_of_the_contract():
    made = normalise(FIELDS, DEFAULTS, {"cooldown_minutes": 99999, "enabled": "false", "overdue_trigger": None})

    assert made.values == {**DEFAULTS, "cooldown_minutes": 1440, "enabled": True, "overdue_trigger": 1}
    assert made.warnings == (
        PolicyWarning("enabled", "refused", "false", True),
        PolicyWarning("cooldown_minutes", "clamped", "99999", 1440),
    )


@pytest.mark.parametrize(
    ("name", "sent", "used", "code"),
    [
        ("cooldown_minutes", 45, 45, None),
        ("cooldown_minutes", 45.0, 45, None),
        ("cooldown_minutes", 3.7, 3, "converted"),
        ("cooldown_minutes", "5", 5, "converted"),
        ("cooldown_minutes", " 5 ", 5, "converted"),
        ("cooldown_minutes", True, 1, "converted"),
        ("cooldown_minutes", -1, 0, "clamped"),
        ("cooldown_minutes", "abc", 30, "refused"),
        ("cooldown_minutes", "5.5", 30, "refused"),
        ("cooldown_minutes", "9" * 5000, 30, "refused"),
        ("cooldown_minutes", 10**400, 1440, "clamped"),
        ("cooldown_minutes", "-1" + "0" * 400, 0, "clamped"),
        ("cooldown_minutes", [5], 30, "refused"),
        ("target_percent", 12, 12.0, None),
        ("target_percent", "1e400", 95.0, "refused"),
        ("target_percent", 10**400, 95.0, "refused"),
        ("enabled", False, False, None),
        ("enabled", 0, True, "refused"),
        ("enabled", "false", True, "refused"),
        ("mode", "loud", "loud", None),
        ("mode", "LOUD", "quiet", "refused"),
        ("mode", ["loud"], "quiet", "refused"),
        ("note", "  hi ", "hi", None),
        ("note", "x" * 11, "", "refused"),
        ("note", 7, "", "refused"),
    ],
)
def test_a_value_is_taken_converted_clamped_or_refused(name, sent, used, code):
    made = normalise(FIELDS, DEFAULTS, {name: sent})

    assert made.values[name] == used
    assert type(made.values[name]) is type(DEFAULTS[name])
    assert [warning.code for warning in made.warnings] == ([code] if code else [])


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_number_that_is_not_finite_is_refused_for_good(number):
    with pytest.raises(Invalid) as caught:
        normalise(FIELDS, DEFAULTS, {"enabled": False, "cooldown_minutes": number})

    assert caught.value.detail[0]["loc"] == ["body", "cooldown_minutes"]


def test_null_and_absent_fields_keep_the_stored_value():
    stored = {**DEFAULTS, "cooldown_minutes": 90, "enabled": False}

    made = normalise(FIELDS, stored, {"cooldown_minutes": None})

    assert made.values == stored
    assert made.warnings == ()


def test_unknown_fields_are_named_and_their_values_cut():
    made = normalise(FIELDS, DEFAULTS, {"cooldwon": 5, "x" * 300: "y" * 300})

    assert made.values == DEFAULTS
    assert [(warning.code, len(warning.field) <= 120, len(warning.sent) <= 120) for warning in made.warnings] == [
        ("unknown", True, True)
    ] * 2


def test_a_thousand_unknown_fields_make_a_short_list():
    assert len(normalise(FIELDS, DEFAULTS, {f"f{number}": 1 for number in range(1000)}).warnings) == 50


def test_a_damaged_stored_policy_reads_as_its_defaults_where_it_is_damaged():
    stored = {"enabled": "no", "cooldown_minutes": 5000, "overdue_trigger": 7, "mode": {}, "target_percent": math.nan}

    assert filled(FIELDS, stored) == {
        **DEFAULTS,
        "cooldown_minutes": 1440,
        "overdue_trigger": 7,
    }


def test_changes_name_old_and_new():
    assert changes({"a": 1, "b": 2}, {"a": 1, "b": 3}) == {"b": {"old": 2, "new": 3}}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
bodies = st.dictionaries(st.sampled_from([field.name for field in FIELDS]) | st.text(max_size=8), anything, max_size=8)


@given(bodies)
def test_whatever_is_sent_the_values_stay_within_their_bounds(sent):
    values = normalise(FIELDS, DEFAULTS, sent).values

    assert set(values) == set(DEFAULTS)
    assert filled(FIELDS, values) == values


@given(bodies)
def test_sending_the_result_again_changes_nothing_and_warns_of_nothing(sent):
    values = normalise(FIELDS, DEFAULTS, sent).values

    again = normalise(FIELDS, DEFAULTS, values)

    assert (again.values, again.warnings) == (values, ())
