"""What a finding becomes as a work order: how urgent it is, what it is called, what stands in it."""

from __future__ import annotations

from collections.abc import Mapping

from console.domain.inspections import risk
from console.domain.inspections.points import Limits

# A dangerous finding is done first; one that is only doubtful comes after what burns.
PRIORITIES: Mapping[str, str] = {risk.DANGER: "critical", risk.WARNING: "high"}
MOST_TITLE = 200


def priority_of(verdict: str) -> str:
    """Return the priority that a verdict gives its order."""
    return PRIORITIES.get(verdict, "medium")


def title_of(section: str, name: str, value: float | None, answer: str, unit: str) -> str:
    """Return the title of an order: what it is, what was found, and in which part of the place."""
    said = f"{value:.10g} {unit}".strip() if value is not None else answer
    where = f" ({section})" if section else ""
    title = f"{name} {said}".strip()
    return title[: MOST_TITLE - len(where)].rstrip() + where if len(where) < MOST_TITLE else title[:MOST_TITLE]


def facts_of(limits: Limits, value: float | None, unit: str, last: float | None) -> str:
    """Return the measured value beside the limit that it crossed and the value before; empty for words.

    Signs instead of words: whoever reads it has a language of his own.
    """
    if value is None:
        return ""
    parts = [f"{value:.10g} {unit}".strip()]
    crossed = limits.crossed(value)
    if crossed is not None:
        sign = "≤" if crossed[1] else "≥"
        parts.append(f"{sign} {crossed[0]:.10g} {unit}".strip())
    found = " ".join(parts)
    return found if last is None else f"{last:.10g} → {found}"
