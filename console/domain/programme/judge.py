"""Formulas of the metrics that all weeks share: rates, percentiles, traffic lights (API contract, metric APIs)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

GREEN, YELLOW, RED = "green", "yellow", "red"
LIGHTS = (GREEN, YELLOW, RED)
HIGHER, LOWER = "higher_better", "lower_better"
OK, NO_DATA = "ok", "no_data"
POINTS: Mapping[str, float] = {RED: 0.0, YELLOW: 50.0, GREEN: 100.0}


def rate(part: float, whole: float) -> float:
    """Return the share in percent with two decimals, 0 of nothing."""
    return round(part / whole * 100, 2) if whole else 0.0


def known_rate(part: float, whole: float) -> float | None:
    """Return the same, None of nothing: where 0 would be read as a bad result."""
    return rate(part, whole) if whole else None


def judged(direction: str, value: float | None, green: float, yellow: float) -> str:
    """Return the light of a value. Nothing known is neither good nor bad: yellow."""
    if value is None:
        return YELLOW
    if direction == HIGHER:
        return GREEN if value >= green else YELLOW if value >= yellow else RED
    return GREEN if value <= green else YELLOW if value <= yellow else RED


def in_order(direction: str, green: float, yellow: float) -> float:
    """Return the yellow threshold so that it is never better than the green one."""
    return min(yellow, green) if direction == HIGHER else max(yellow, green)


def worst(lights: Iterable[str]) -> str:
    """Return the worst light; green of none."""
    return max(lights, key=LIGHTS.index, default=GREEN)


def points(lights: Iterable[str]) -> float:
    """Return the mean of the points of the lights, with two decimals."""
    found = [POINTS[light] for light in lights]
    return round(sum(found) / len(found), 2) if found else 0.0


def improvement(baseline: float | None, current: float | None) -> float | None:
    """Return by how many percent `current` lies below `baseline`; 0 for a baseline of 0, None when one is unknown."""
    if baseline is None or current is None:
        return None
    return round((baseline - current) / baseline * 100, 2) if baseline else 0.0
