"""The published risk rules, with worked numbers and for any numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.inspections.readings import Readings
from console.domain.inspections.risk import FLAGS, Risk, flags_of, judge, unbalance

SOME = st.none() | st.floats(0, 1e6)
READINGS = st.builds(Readings, *([SOME] * 10))


@pytest.mark.parametrize(
    ("readings", "level", "flags"),
    [
        (Readings(), "normal", ()),
        (Readings(insulation_mohm=1.0), "danger", ("insulation_low",)),
        (Readings(insulation_mohm=1.0000001), "normal", ()),
        (Readings(insulation_mohm=0.0), "danger", ("insulation_low",)),
        (Readings(winding_temp_c=90.0), "danger", ("temp_high",)),
        (Readings(winding_temp_c=89.9999), "normal", ()),
        # The mean is 100: 3 % is allowed, more is not.
        (Readings(voltage_r=97, voltage_s=100, voltage_t=103), "normal", ()),
        (Readings(voltage_r=96.99, voltage_s=100, voltage_t=103.01), "warning", ("voltage_unbalance",)),
        # 217, 230, 220: mean 222.33, furthest 7.67, 3.448 %.
        (Readings(voltage_r=220, voltage_s=230, voltage_t=217), "warning", ("voltage_unbalance",)),
        (Readings(voltage_r=0, voltage_s=0, voltage_t=0), "normal", ()),
        (Readings(voltage_r=1, voltage_s=100), "normal", ()),
        (Readings(insulation_mohm=0.1, grounding_ohm=30), "danger", ("insulation_low",)),
    ],
)
def test_the_rules_with_worked_numbers(readings, level, flags):
    assert judge(readings) == Risk(level, flags)


def test_the_unbalance_is_that_of_the_furthest_phase():
    assert unbalance(Readings(voltage_r=220, voltage_s=230, voltage_t=217)) == pytest.approx(3.4483, abs=1e-4)


@given(READINGS)
def test_flags_keep_the_order_of_the_rules_and_decide_the_level(readings):
    found = judge(readings)

    assert list(found.flags) == [flag for flag in FLAGS if flag in found.flags]
    assert (found.level == "danger") == bool({"insulation_low", "temp_high"} & set(found.flags))
    assert (found.level == "normal") == (not found.flags)


@given(READINGS, st.floats(0, 1e6))
def test_currents_grounding_and_size_take_no_part(readings, other):
    changed = Readings(**{**vars(readings), "current_r": other, "grounding_ohm": other, "transformer_kva": other})

    assert flags_of(changed) == flags_of(readings)


@given(st.tuples(*[st.floats(0.001, 1e6)] * 3), st.floats(0.1, 100))
def test_the_unbalance_does_not_depend_on_the_unit(voltages, factor):
    one = unbalance(Readings(**dict(zip(("voltage_r", "voltage_s", "voltage_t"), voltages, strict=True))))
    scaled = [value * factor for value in voltages]
    other = unbalance(Readings(**dict(zip(("voltage_r", "voltage_s", "voltage_t"), scaled, strict=True))))

    assert other == pytest.approx(one, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("warnings", "dangers", "level", "flags"),
    [
        (("oil",), (), "warning", ("point:oil",)),
        (("oil",), ("fan",), "danger", ("point:fan", "point:oil")),
        ((), (), "normal", ()),
    ],
)
def test_points_follow_the_published_flags(warnings, dangers, level, flags):
    assert judge(Readings(), warnings, dangers) == Risk(level, flags)
    hot = judge(Readings(winding_temp_c=95), warnings, dangers)
    assert (hot.level, hot.flags) == ("danger", ("temp_high", *flags))
