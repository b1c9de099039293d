"""Geometry of the charts: numbers to SVG coordinates. The partial draws them, the style sheet colours them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, cos, floor, log10, pi, sin
from typing import Any
from unicodedata import east_asian_width

WIDTH, HEIGHT = 560, 180
LEFT, RIGHT, TOP, BOTTOM = 36, 8, 10, 22
# A letter below the axis and the space between two words, where the chart is narrow and its letters are larger.
LETTER, GAP = 9, 14
# How many times higher than everything drawn a limit may be.
LIMIT_NEAR = 2.5

Value = float | int | None


@dataclass(frozen=True)
class Series:
    """One line or one part of the bars; `tone` is a class of the style sheet such as "1", "late", "ok"."""

    label: str
    values: Sequence[Value]
    tone: str = "1"


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Limit:
    """A dashed line at a height with its word, in a tone of the style sheet."""

    at: float
    label: str
    tone: str


@dataclass(frozen=True)
class Bar:
    """A rectangle with the words that are read out for it."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    title: str


@dataclass(frozen=True)
class Line:
    """A line with the area under it and its last point."""

    tone: str
    path: str
    area: str
    last: tuple[float, float] | None


@dataclass(frozen=True)
class Drawing:
    """Everything that a chart draws, in the coordinates of a `width` by `height` view box."""

    width: int
    height: int
    base: float
    left: float
    right: float
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...] = ()
    lines: tuple[Line, ...] = ()
    target: float | None = None
    limits: tuple[Limit, ...] = ()
    marks: tuple[Tick, ...] = ()
    dots: tuple[Bar, ...] = ()


def ceiling(value: float) -> float:
    """Return the next round number at or above `value`: 1, 2, 2.5 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-9))


def _short(value: float) -> str:
    return f"{value:g}" if value < 10_000 else f"{value / 1000:g}k"


def _y(value: float, top: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top), 1)


def _width(words: str) -> float:
    """Return how wide words are below an axis: a syllable of Hangul is wider than a digit."""
    return LETTER * sum(1.5 if east_asian_width(letter) in "WF" else 1 for letter in words)


def _axes(labels: Sequence[str], top: float, centre: bool) -> tuple[tuple[Tick, ...], tuple[Tick, ...]]:
    # Half a thing is no place on an axis of counts.
    parts = (0.0, 1.0) if top >= 1 and (top / 2) % 1 else (0.0, 0.5, 1.0)
    y_ticks = tuple(Tick(_y(top * part, top), _short(top * part)) for part in parts)
    if not labels:
        return y_ticks, ()
    # At most eight words fit, fewer long ones; the last one always stands because it is the newest.
    widest = max(map(_width, labels))
    step = max(1, ceil(len(labels) / max(2, min(8, floor((WIDTH - LEFT - RIGHT) / (widest + GAP))))))
    shown = [index for index in range(len(labels)) if (len(labels) - 1 - index) % step == 0]
    # The last word of a line ends below its point, where all others have their middle.
    if not centre and len(shown) > 2 and _x(step, len(labels), centre) - LEFT < 1.5 * widest:
        del shown[-2]
    return y_ticks, tuple(Tick(_x(index, len(labels), centre), labels[index]) for index in shown)


def _x(index: float, count: int, centre: bool) -> float:
    width = WIDTH - LEFT - RIGHT
    if centre:
        return round(LEFT + width * (index + 0.5) / count, 1)
    return round(LEFT + width * (index / (count - 1) if count > 1 else 0.5), 1)


def _drawing(y_ticks: tuple[Tick, ...], x_ticks: tuple[Tick, ...], **marks: Any) -> Drawing:
    return Drawing(WIDTH, HEIGHT, HEIGHT - BOTTOM, LEFT, WIDTH - RIGHT, y_ticks, x_ticks, **marks)


def line_chart(
    series: Sequence[Series],
    labels: Sequence[str],
    target: float | None = None,
    limits: Sequence[tuple[float, str, str]] = (),
    marks: Sequence[tuple[float, str]] = (),
) -> Drawing:
    """Return a line per series; a missing value breaks its line.

    `limits` are dashed lines as (value, word, tone); one far above everything drawn is left out, because it would press
    the lines flat. `marks` are instants as (place among the labels, word).
    """
    known = [value for one in series for value in one.values if value is not None]
    near = [limit for limit in limits if known and limit[0] <= max(known) * LIMIT_NEAR]
    top = ceiling(max([*known, target or 0, *(value for value, _word, _tone in near)]) if known else 1)
    y_ticks, x_ticks = _axes(labels, top, centre=False)
    lines = []
    for one in series:
        points = [
            (_x(index, len(one.values), False), _y(value, top)) if value is not None else None
            for index, value in enumerate(one.values)
        ]
        path, area = _paths(points, HEIGHT - BOTTOM)
        last = next((point for point in reversed(points) if point), None)
        lines.append(Line(one.tone, path, area if len(series) == 1 else "", last))
    return _drawing(
        y_ticks,
        x_ticks,
        lines=tuple(lines),
        target=_y(target, top) if target is not None else None,
        limits=tuple(Limit(_y(value, top), word, tone) for value, word, tone in near),
        marks=tuple(Tick(_x(place, len(labels), False), word) for place, word in marks),
    )


def _paths(points: Sequence[tuple[float, float] | None], base: float) -> tuple[str, str]:
    pieces: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            pieces.append([])
        else:
            pieces[-1].append(point)
    whole = [piece for piece in pieces if piece]
    path = " ".join("M" + " L".join(f"{x:g} {y:g}" for x, y in piece) for piece in whole)
    area = " ".join(
        f"M{piece[0][0]:g} {base:g} " + " ".join(f"L{x:g} {y:g}" for x, y in piece) + f" L{piece[-1][0]:g} {base:g}Z"
        for piece in whole
    )
    return path, area


def bar_chart(series: Sequence[Series], labels: Sequence[str], target: float | None = None) -> Drawing:
    """Return a bar per label, the series stacked upon each other in their order."""
    count = max((len(one.values) for one in series), default=0)
    totals = [sum((one.values[index] or 0) for one in series) for index in range(count)]
    top = ceiling(max([*totals, target or 0]) if totals else 1)
    y_ticks, x_ticks = _axes(labels, top, centre=True)
    slot = (WIDTH - LEFT - RIGHT) / max(count, 1)
    width = round(min(28.0, slot * 0.62), 1)
    bars = []
    for index in range(count):
        below = 0.0
        for one in series:
            value = one.values[index] or 0
            if value > 0:
                low, high = _y(below, top), _y(below + value, top)
                title = f"{labels[index] if index < len(labels) else index + 1} · {one.label}: {value:g}"
                height = round(max(low - high - (1 if below else 0), 1), 1)
                bars.append(Bar(round(_x(index, count, True) - width / 2, 1), high, width, height, one.tone, title))
                below += value
    return _drawing(y_ticks, x_ticks, bars=tuple(bars), target=_y(target, top) if target is not None else None)


def paired_bars(series: Sequence[Series], labels: Sequence[str], dots: Series | None = None) -> Drawing:
    """Return bars beside each other, one per series and label; `dots` stand above where they count anything."""
    count = len(labels)
    tall = [max((one.values[index] or 0 for one in series), default=0) for index in range(count)]
    top = ceiling(max(tall, default=0) + 1)
    y_ticks, x_ticks = _axes(labels, top, centre=True)
    slot = (WIDTH - LEFT - RIGHT) / max(count, 1)
    width = round(min(14.0, slot * 0.72 / max(len(series), 1)), 1)
    bars, points = [], []
    for index in range(count):
        left = _x(index, count, True) - width * len(series) / 2
        for place, one in enumerate(series):
            value = one.values[index] or 0
            if value > 0:
                high = _y(value, top)
                title = f"{labels[index]} · {one.label}: {value:g}"
                height = round(HEIGHT - BOTTOM - high, 1)
                bars.append(Bar(round(left + place * width, 1), high, round(width - 1, 1), height, one.tone, title))
        if dots is not None and (value := dots.values[index] or 0) > 0:
            title = f"{labels[index]} · {dots.label}: {value:g}"
            points.append(Bar(_x(index, count, True), round(_y(tall[index], top) - 7, 1), 7, 7, dots.tone, title))
    return _drawing(y_ticks, x_ticks, bars=tuple(bars), dots=tuple(points))


def spark(values: Sequence[Value], width: int = 140, height: int = 28) -> tuple[str, str]:
    """Return `(line, area)` paths of a sparkline in a `width` by `height` box; its floor is zero."""
    known = [value for value in values if value is not None]
    if not known:
        return "", ""
    top = max(known) or 1
    step = width / max(len(values) - 1, 1)
    points = [
        (round(index * step, 1), round(2 + (height - 4) * (1 - max(value, 0) / top), 1)) if value is not None else None
        for index, value in enumerate(values)
    ]
    return _paths(points, height)


def arc(percent: float, radius: float = 40, centre: float = 46) -> str:
    """Return the path of a ring's filled part, clockwise from the top; 100 is closed by two halves."""
    part = min(max(percent, 0), 100) / 100
    if part <= 0:
        return ""
    if part >= 1:
        half, top = f"A{radius:g} {radius:g} 0 1 1 {centre:g}", centre - radius
        return f"M{centre:g} {top:g} {half} {centre + radius:g} {half} {top:g}"
    angle = 2 * pi * part
    x, y = centre + radius * sin(angle), centre - radius * cos(angle)
    return f"M{centre:g} {centre - radius:g} A{radius:g} {radius:g} 0 {int(part > 0.5)} 1 {x:.2f} {y:.2f}"


SHARE_HEIGHT, SHARE_TOP, SHARE_BAR = 44, 16, 18


def share_bar(parts: Sequence[tuple[str, float, str]], target: float | None = None, target_word: str = "") -> Drawing:
    """Return one lying bar: the parts (title, size, tone) side by side in their order, the whole width for all sizes.

    `target` is a mark at that percentage of the width, with its word above.
    """
    total = sum(size for _title, size, _tone in parts) or 1
    bars, start = [], 0.0
    for title, size, tone in parts:
        width = WIDTH * size / total
        # A thin gap keeps neighbours of the same colour apart, in print too.
        bars.append(Bar(round(start, 1), SHARE_TOP, round(max(width - 2, 0), 1), SHARE_BAR, tone, title))
        start += width
    at = None if target is None else round(WIDTH * min(max(target, 0), 100) / 100, 1)
    ticks = () if at is None else (Tick(at, target_word),)
    return Drawing(WIDTH, SHARE_HEIGHT, SHARE_TOP + SHARE_BAR, 0, WIDTH, (), ticks, bars=tuple(bars), target=at)
