"""Points of a round: what is asked, within which limits, and what an answer means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.domain.inspections import risk
from console.domain.inspections.readings import BY_NAME, FAR, refusal
from console.domain.text import N_, T, Text

NUMBER, CHOICE, TEXT, PHOTO = "number", "choice", "text", "photo"
KINDS = (NUMBER, CHOICE, TEXT, PHOTO)
# What became of a point: outside a limit, within them, without any, or not measured at all.
RECORDED, UNMEASURED = "recorded", "unmeasured"
VERDICTS = (risk.DANGER, risk.WARNING, risk.NORMAL, RECORDED, UNMEASURED)
FINDINGS = (risk.DANGER, risk.WARNING)
MOST_POINTS = 200
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Limits:
    """Bounds of a number in the unit of its point; a value at a bound is outside, as in the published rules."""

    danger_low: float | None = None
    warn_low: float | None = None
    warn_high: float | None = None
    danger_high: float | None = None

    def verdict(self, value: float) -> str:
        """Return what a value means; without any limit it is only recorded."""
        if self._outside(value, self.danger_low, self.danger_high):
            return risk.DANGER
        if self._outside(value, self.warn_low, self.warn_high):
            return risk.WARNING
        return risk.NORMAL if self.any else RECORDED

    @staticmethod
    def _outside(value: float, low: float | None, high: float | None) -> bool:
        return (low is not None and value <= low) or (high is not None and value >= high)

    def crossed(self, value: float) -> tuple[float, bool] | None:
        """Return the limit that a value is at or beyond and whether it is a lower one; None within all limits."""
        if self.verdict(value) not in FINDINGS:
            return None
        danger = self.verdict(value) == risk.DANGER
        low, high = (self.danger_low, self.danger_high) if danger else (self.warn_low, self.warn_high)
        if low is not None and value <= low:
            return low, True
        return None if high is None else (high, False)

    @property
    def any(self) -> bool:
        """Return whether there is a limit at all."""
        return any(one is not None for one in (self.danger_low, self.warn_low, self.warn_high, self.danger_high))


NO_LIMITS = Limits()
# What the published rules say of single values; the unbalance of voltages needs three.
PUBLISHED_LIMITS: Mapping[str, Limits] = {
    "insulation_mohm": Limits(danger_low=risk.INSULATION_AT_MOST),
    "winding_temp_c": Limits(danger_high=risk.TEMP_AT_LEAST),
}


@dataclass(frozen=True)
class Point:
    """One point of a template. `maps_to` is the published measurement that it stands for, None for none.

    `choices` are the words of a choice with the verdict that each of them means.
    """

    code: str
    name: str
    kind: str = NUMBER
    section: str = ""
    guide: str = ""
    unit: str = ""
    maps_to: str | None = None
    limits: Limits = NO_LIMITS
    choices: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    advice: str = ""

    @property
    def own_limits(self) -> Limits:
        """Return the limits that decide: those of the published rule where the point stands for its measurement."""
        return self.limits if self.maps_to is None else PUBLISHED_LIMITS.get(self.maps_to, NO_LIMITS)

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the least and the largest value that can be true."""
        column = BY_NAME.get(self.maps_to or "")
        return (column.least, column.most) if column else (-FAR, FAR)


@dataclass(frozen=True)
class Answer:
    """What somebody found at a point: a value, a chosen word, a text, or why nothing could be measured."""

    code: str
    value: float | None = None
    text: str = ""
    reason: str = ""

    @property
    def empty(self) -> bool:
        """Return whether it says nothing."""
        return self.value is None and not self.text and not self.reason


def verdict(point: Point, answer: Answer) -> str:
    """Return what an answer means; raises ValueError with a sentence (a Text) for one that the point does not take."""
    if answer.reason:
        if answer.value is not None or answer.text:
            raise ValueError(T("is either measured or has a reason why not"))
        return UNMEASURED
    if point.kind == NUMBER:
        if answer.value is None or answer.text:
            raise ValueError(T("needs a number"))
        refused = refusal(answer.value, *point.bounds)
        if refused is not None:
            raise ValueError(refused)
        return point.own_limits.verdict(answer.value)
    if answer.value is not None:
        raise ValueError(T("takes no number"))
    if point.kind == CHOICE:
        meant = dict(point.choices).get(answer.text)
        if meant is None:
            raise ValueError(T("takes one of: %(words)s", words=", ".join(word for word, _ in point.choices)))
        return meant
    if point.kind == TEXT and not answer.text:
        raise ValueError(T("needs some words"))
    return RECORDED


def faults(points: Sequence[Point]) -> list[tuple[str, Text]]:
    """Return what is wrong with the points of a template, as the code of the point and a sentence."""
    if not points:
        return [("", T("A template needs at least one point"))]
    if len(points) > MOST_POINTS:
        return [("", T("A template has at most %(most)s points", most=MOST_POINTS))]
    found: list[tuple[str, Text]] = []
    for index, point in enumerate(points):
        found += [(point.code, sentence) for sentence in _faults(point)]
        if point.code in [one.code for one in points[:index]]:
            found.append((point.code, T("stands there twice")))
        if point.maps_to and point.maps_to in [one.maps_to for one in points[:index]]:
            found.append((point.code, T("another point stands for this measurement already")))
    return found


def _faults(point: Point) -> list[Text]:
    found = []
    if not _CODE.fullmatch(point.code):
        found.append(T("A code has small letters, digits, _ and -, at most 40"))
    if (point.code in BY_NAME and point.maps_to != point.code) or point.code in risk.FLAGS:
        found.append(T("This code is the name of a published measurement"))
    if point.maps_to is not None and (point.maps_to not in BY_NAME or point.kind != NUMBER):
        found.append(T("Only a number can stand for a published measurement"))
    if point.maps_to is not None and point.limits.any:
        found.append(T("Its limits are those of the published rule"))
    if point.kind != NUMBER and point.limits.any:
        found.append(T("Only a number has limits"))
    if (point.kind == CHOICE) != bool(point.choices):
        found.append(T("A choice needs its words, and nothing else has them"))
    if any(meant not in (risk.NORMAL, *FINDINGS) for _word, meant in point.choices):
        found.append(T("A word means normal, warning or danger"))
    lows = [one for one in (point.limits.danger_low, point.limits.warn_low) if one is not None]
    highs = [one for one in (point.limits.warn_high, point.limits.danger_high) if one is not None]
    if any(refusal(one) for one in (*lows, *highs)) or [*lows, *highs] != sorted({*lows, *highs}):
        found.append(T("The limits must rise: danger, warning, warning, danger"))
    return found


UNMEASURED_REASONS: tuple[tuple[str, str], ...] = (
    ("access", N_("No access")),
    ("running", N_("In operation")),
    ("instrument", N_("Instrument missing or broken")),
    ("absent", N_("Not there any more")),
    ("other", N_("Other reason")),
)
