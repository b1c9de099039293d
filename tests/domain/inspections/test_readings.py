"""Which numbers can be true, and how people type them."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.inspections.readings import BY_NAME, clean, is_jump, refusal, typed


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308, -1e308, 1e9 + 1])
def test_what_no_instrument_shows_is_refused(value):
    assert refusal(value) is not None


@pytest.mark.parametrize(("name", "value"), [("voltage_r", -0.001), ("winding_temp_c", -91), ("grounding_ohm", 1e7)])
def test_a_measurement_has_its_own_bounds(name, value):
    column = BY_NAME[name]

    assert refusal(value, column.least, column.most) is not None
    assert refusal(column.least, column.least, column.most) is None
    assert refusal(column.most, column.least, column.most) is None


@given(st.floats(-1e9, 1e9))
def test_every_other_number_is_taken_and_a_zero_has_no_sign(value):
    assert refusal(value) is None
    assert clean(value) == value
    assert not (clean(value) == 0 and math.copysign(1, clean(value)) < 0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.4", 0.4),
        ("0,4", 0.4),
        (" 12,5 ", 12.5),
        ("1,234.5", 1234.5),
        ("−3", -3.0),
        ("１２．５", 12.5),
        (".5", 0.5),
        ("7.", 7.0),
        ("+2", 2.0),
        ("-0", 0.0),
        ("1 000", 1000.0),
        ("0,123", 0.123),
    ],
)
def test_numbers_as_people_type_them(text, value):
    assert typed(text) == value
    assert math.copysign(1, typed(text)) == math.copysign(1, value)


@pytest.mark.parametrize(
    "text", ["", " ", "x", "1e3", "1,234", "12,345,678", "1,2,3", "NaN", "inf", "=1+1", "0x1", "--1"]
)
def test_what_is_no_number_or_two_is_refused(text):
    with pytest.raises(ValueError, match="."):
        typed(text)


@given(st.text(max_size=60))
def test_any_text_gives_a_finite_number_or_a_sentence(text):
    with suppress(ValueError):
        assert math.isfinite(typed(text))


@pytest.mark.parametrize(
    ("value", "last", "asked"),
    [(124, 12.4, True), (1.24, 12.4, True), (120, 12.4, False), (0, 12, False), (12, None, False), (12, 0, False)],
)
def test_ten_times_the_last_value_is_asked_about(value, last, asked):
    assert is_jump(value, last) is asked
