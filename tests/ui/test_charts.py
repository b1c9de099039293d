import pytest

from console.ui.charts import (
    HEIGHT,
    LETTER,
    TOP,
    WIDTH,
    Series,
    arc,
    bar_chart,
    ceiling,
    line_chart,
    paired_bars,
    share_bar,
    spark,
)


@pytest.mark.parametrize(
    ("value", "round_number"), [(0, 1), (0.3, 0.5), (1, 1), (7, 10), (12, 20), (24, 25), (101, 200), (9999, 10_000)]
)
def test_an_axis_ends_at_a_round_number(value, round_number):
    assert ceiling(value) == pytest.approx(round_number)


def test_the_largest_value_reaches_its_place_and_zero_the_axis():
    drawing = line_chart([Series("late", [0, 10])], ["a", "b"])

    start, end = drawing.lines[0].path.removeprefix("M").split(" L")
    assert float(start.split()[1]) == drawing.base
    assert float(end.split()[1]) == TOP


def test_a_missing_value_breaks_the_line():
    assert line_chart([Series("late", [1, 2, None, 2])], list("abcd")).lines[0].path.count("M") == 2


def test_bars_are_stacked_without_overlap_and_say_their_value():
    drawing = bar_chart([Series("good", [3]), Series("bad", [1], "late")], ["Mon"])

    good, bad = drawing.bars
    assert bad.y + bad.height <= good.y
    assert (good.title, bad.title) == ("Mon · good: 3", "Mon · bad: 1")


def test_a_zero_draws_no_bar():
    assert bar_chart([Series("good", [0, 2])], ["a", "b"]).bars[0].title.startswith("b")


def test_at_most_eight_words_stand_below_a_chart_and_the_newest_among_them():
    drawing = line_chart([Series("late", list(range(30)))], [str(day) for day in range(30)])

    assert len(drawing.x_ticks) <= 8
    assert drawing.x_ticks[-1].label == "29"


@pytest.mark.parametrize("days", range(2, 32))
def test_the_newest_word_does_not_run_into_the_one_before(days):
    """It ends below its point, and half of the one before lies behind its own: syllables are wider than digits."""
    drawing = line_chart([Series("late", list(range(days)))], [f"11월 {day}일" for day in range(1, days + 1)])

    *_others, before, newest = (tick.at for tick in drawing.x_ticks)
    assert newest - before >= 1.5 * (5 * LETTER) or len(drawing.x_ticks) == 2
    assert drawing.x_ticks[-1].label == f"11월 {days}일"


@pytest.mark.parametrize("values", [[], [None], [5], [0, 0]])
def test_little_data_draws_something_or_nothing_but_never_fails(values):
    line_chart([Series("late", values)], [str(number) for number in range(len(values))], target=3)
    bar_chart([Series("late", values)], [str(number) for number in range(len(values))])
    line, area = spark(values)
    assert bool(line) == bool(area) == any(value is not None for value in values)


def test_nothing_lies_outside_of_the_picture():
    drawing = bar_chart([Series("late", [1e6, 3])], ["a", "b"])

    assert all(0 <= bar.y <= bar.y + bar.height <= HEIGHT for bar in drawing.bars)


@pytest.mark.parametrize(("percent", "path"), [(0, ""), (-5, ""), (100, "M46 6"), (140, "M46 6"), (57, "M46 6")])
def test_a_ring_stays_between_empty_and_full(percent, path):
    assert arc(percent).startswith(path)
    assert bool(arc(percent)) == (percent > 0)


def test_the_parts_of_a_share_bar_fill_its_width_in_order_and_the_mark_stands_at_its_percentage():
    drawing = share_bar([("a", 3, "ok"), ("b", 1, "late")], target=75, target_word="GO")

    first, second = drawing.bars
    assert (first.x, second.x, second.x + second.width) == (0, WIDTH * 0.75, WIDTH - 2)
    assert first.x + first.width < second.x
    assert [(tick.at, tick.label) for tick in drawing.x_ticks] == [(WIDTH * 0.75, "GO")]


def test_a_share_bar_without_parts_or_mark_is_empty():
    drawing = share_bar([])

    assert (drawing.bars, drawing.x_ticks, drawing.target) == ((), (), None)


def test_bars_stand_beside_each_other_and_dots_above_the_taller_one():
    made = Series("In", (4, 0), "pale"), Series("Out", (2, 1), "1")
    drawing = paired_bars(made, ("a", "b"), Series("Told", (1, 0), "late"))

    assert [bar.tone for bar in drawing.bars] == ["pale", "1", "1"]
    assert drawing.bars[0].x + drawing.bars[0].width < drawing.bars[1].x + 1
    (dot,) = drawing.dots
    assert dot.y < min(bar.y for bar in drawing.bars)
    assert dot.title == "a · Told: 1"
