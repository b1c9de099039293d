"""Inspections in words: levels, verdicts, findings, limits and values."""

from __future__ import annotations

from collections.abc import Mapping

from babel.numbers import format_decimal
from flask_babel import gettext as _

from console.domain.inspections.points import Limits
from console.domain.inspections.risk import VOLTAGE_UNBALANCE
from console.domain.text import N_
from console.services.inspections.lists import FLAG_LABELS
from console.services.inspections.read import ResultView
from console.services.inspections.rows import InspectionView
from console.ui.labels.common import Word
from console.ui.reader import locale

LEVELS: Mapping[str, Word] = {
    "danger": Word(N_("Danger"), "late", "alert-triangle"),
    "warning": Word(N_("Caution"), "soon", "info-circle"),
    "normal": Word(N_("Normal"), "ok", "check"),
    "recorded": Word(N_("On record"), "plain"),
    "unmeasured": Word(N_("Not measured"), "wait", "ban"),
}


# What clients call a cycle by convention; any other text stands for itself.
CYCLES: Mapping[str, str] = {
    "daily": N_("daily"),
    "weekly": N_("weekly"),
    "monthly": N_("monthly"),
    "quarterly": N_("quarterly"),
    "yearly": N_("yearly"),
}


KIND_LABELS: Mapping[str, str] = {
    "number": N_("A number"),
    "choice": N_("Choice of words"),
    "text": N_("Free text"),
    "photo": N_("Photo"),
}


def cycle(word: str) -> str:
    """Return a cycle in the reader's language."""
    return _(CYCLES[word]) if word in CYCLES else word


def level(word: str) -> Word:
    """Return how a level or a verdict is shown, in the reader's language."""
    known = LEVELS.get(word, Word(word))
    return Word(_(known.label), known.tone, known.icon)


def findings(found: InspectionView) -> str:
    """Return what was found, in the reader's language: published flags by their words, points by their names."""
    return ", ".join(_(FLAG_LABELS[flag]) if flag in FLAG_LABELS else name for flag, name in found.findings)


def measure(value: float | None, *, signed: bool = False) -> str:
    """Return a measured value with at most three decimals; nothing is a dash, and a change has its sign."""
    if value is None:
        return "–"
    small = value != 0 and abs(value) < 0.001
    said = f"{value:.3g}" if small else format_decimal(round(value, 3) + 0, "#,##0.###", locale=locale())
    plain = said.replace("-", "−")
    return f"+{plain}" if signed and value > 0 else plain


def limit_words(found: ResultView) -> str:
    """Return within which limits a result is normal: "above 1", "below 90", "above 1, below 90"; empty without any."""
    return bounds_words(found.bounds, found.code)


def bounds_words(limits: Limits, code: str = "", unit: str = "") -> str:
    """Return the same of limits alone, with a unit where one is named.

    The limits of danger are told where there are no nearer ones; the unbalance of voltages may be its limit.
    """
    low = limits.warn_low if limits.warn_low is not None else limits.danger_low
    high = limits.warn_high if limits.warn_high is not None else limits.danger_high
    parts = [_("above %(value)s", value=f"{measure(low)} {unit}".strip())] if low is not None else []
    if high is not None:
        bound = f"{measure(high)} {unit}".strip()
        last = code == VOLTAGE_UNBALANCE
        parts.append(_("%(value)s or less", value=bound) if last else _("below %(value)s", value=bound))
    return ", ".join(parts)


def crossed_words(found: ResultView) -> str:
    """Return the limit that a result lies at or beyond, such as "1 or less"; empty for words and within all limits."""
    crossed = None if found.value is None else found.bounds.crossed(found.value)
    if crossed is None:
        return ""
    limit = f"{measure(crossed[0])} {found.unit}".strip()
    if found.code == VOLTAGE_UNBALANCE:
        return _("more than %(value)s", value=limit)
    return _("%(value)s or less", value=limit) if crossed[1] else _("%(value)s or more", value=limit)


def limit_lines(found: ResultView) -> list[tuple[float, str, str]]:
    """Return the limits of a result as dashed lines of its chart: value, words, tone."""
    limits = found.bounds
    known = (
        (limits.danger_low, _("Danger"), "late", True),
        (limits.warn_low, _("Caution"), "soon", True),
        (limits.warn_high, _("Caution"), "soon", False),
        (limits.danger_high, _("Danger"), "late", False),
    )
    lines = []
    for value, word, tone, low in known:
        if value is not None:
            said = measure(value)
            bound = _("%(value)s or less", value=said) if low else _("%(value)s or more", value=said)
            lines.append((value, f"{word} {bound}", tone))
    return lines


def value_words(value: float | None, answer: str, unit: str = "") -> str:
    """Return what was found: the value with its unit, or the word; a dash for nothing."""
    if value is None:
        return answer or "–"
    return f"{measure(value)} {unit}".strip()
