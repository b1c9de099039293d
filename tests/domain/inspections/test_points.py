"""Points of a template: what an answer means, and which templates make no sense."""

import pytest

from console.domain.inspections.points import Answer, Limits, Point, faults, verdict

OIL = Point("oil", "유온", unit="°C", limits=Limits(danger_low=0, warn_low=5, warn_high=60, danger_high=80))
LEAK = Point("leak", "누수", kind="choice", choices=(("없음", "normal"), ("조금", "warning"), ("많음", "danger")))


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (80, "danger"),
        (79.9, "warning"),
        (60, "warning"),
        (59.9, "normal"),
        (5.1, "normal"),
        (5, "warning"),
        (0.1, "warning"),
        (0, "danger"),
    ],
)
def test_a_value_at_a_limit_is_outside(value, meant):
    assert verdict(OIL, Answer("oil", value)) == meant


@pytest.mark.parametrize(
    ("point", "answer", "meant"),
    [
        (Point("x", "x"), Answer("x", 1e6), "recorded"),
        (Point("i", "절연", maps_to="insulation_mohm"), Answer("i", 1), "danger"),
        (Point("i", "절연", maps_to="insulation_mohm"), Answer("i", 1.1), "normal"),
        (Point("t", "권선", maps_to="winding_temp_c"), Answer("t", 90), "danger"),
        (Point("v", "전압", maps_to="voltage_r"), Answer("v", 0), "recorded"),
        (LEAK, Answer("leak", text="조금"), "warning"),
        (LEAK, Answer("leak", reason="들어갈 수 없음"), "unmeasured"),
        (Point("n", "비고", kind="text"), Answer("n", text="이상 없음"), "recorded"),
        (Point("p", "사진", kind="photo"), Answer("p"), "recorded"),
    ],
)
def test_what_an_answer_means(point, answer, meant):
    assert verdict(point, answer) == meant


@pytest.mark.parametrize(
    ("point", "answer"),
    [
        (OIL, Answer("oil")),
        (OIL, Answer("oil", text="1")),
        (OIL, Answer("oil", 1, reason="x")),
        (OIL, Answer("oil", float("nan"))),
        (OIL, Answer("oil", 1e308)),
        (Point("v", "전압", maps_to="voltage_r"), Answer("v", -1)),
        (LEAK, Answer("leak", text="몰라")),
        (LEAK, Answer("leak", 1)),
        (Point("n", "비고", kind="text"), Answer("n")),
    ],
)
def test_what_a_point_does_not_take(point, answer):
    with pytest.raises(ValueError, match="."):
        verdict(point, answer)


def test_a_template_that_makes_sense():
    assert faults([OIL, LEAK, Point("insulation_mohm", "절연", maps_to="insulation_mohm")]) == []


@pytest.mark.parametrize(
    "points",
    [
        [],
        [OIL, OIL],
        [Point("Oil", "x")],
        [Point("voltage_r", "x")],
        [Point("temp_high", "x")],
        [Point("a", "x", maps_to="nothing")],
        [Point("a", "x", kind="text", maps_to="voltage_r")],
        [Point("a", "x", maps_to="voltage_r"), Point("b", "x", maps_to="voltage_r")],
        [Point("a", "x", maps_to="winding_temp_c", limits=Limits(danger_high=80))],
        [Point("a", "x", kind="text", limits=Limits(danger_high=80))],
        [Point("a", "x", kind="choice")],
        [Point("a", "x", choices=(("y", "normal"),))],
        [Point("a", "x", kind="choice", choices=(("y", "good"),))],
        [Point("a", "x", limits=Limits(danger_low=5, warn_low=1))],
        [Point("a", "x", limits=Limits(warn_low=5, warn_high=5))],
        [Point("a", "x", limits=Limits(danger_high=float("inf")))],
        [Point(f"p{number}", "x") for number in range(201)],
    ],
)
def test_templates_that_make_no_sense(points):
    assert faults(points)
