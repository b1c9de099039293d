"""Measured values of an inspection: what may be measured, in which unit, and which numbers can be true.

The bounds are wider than anything that is built; what lies outside is a slip of the hand or no number at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from console.domain.text import N_, T, Text

# A point of a round takes any unit; beyond this no instrument of a building shows anything.
FAR = 1e9
TEN_TIMES = 10
_TYPED = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\uff0d": "-", "\uff0e": ".", "\uff0c": ",", "\uff0b": "+"})
_MOST_TYPED = 40


@dataclass(frozen=True)
class Column:
    """A published measurement: its name, its unit and the least and largest value that can be true."""

    name: str
    label: str
    unit: str
    least: float
    most: float


COLUMNS: tuple[Column, ...] = (
    Column("transformer_kva", N_("Transformer"), "kVA", 0, 1_000_000),
    Column("voltage_r", N_("Voltage R"), "V", 0, 1_000_000),
    Column("voltage_s", N_("Voltage S"), "V", 0, 1_000_000),
    Column("voltage_t", N_("Voltage T"), "V", 0, 1_000_000),
    Column("current_r", N_("Current R"), "A", 0, 1_000_000),
    Column("current_s", N_("Current S"), "A", 0, 1_000_000),
    Column("current_t", N_("Current T"), "A", 0, 1_000_000),
    Column("winding_temp_c", N_("Winding temperature"), "°C", -90, 1_000),
    Column("grounding_ohm", N_("Grounding resistance"), "Ω", 0, 1_000_000),
    Column("insulation_mohm", N_("Insulation resistance"), "MΩ", 0, 10_000_000),
)
BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}
NO_NUMBER = N_("must be a number, such as 0.4")
AMBIGUOUS = N_("Please write the number without a comma: it could be a thousand or a decimal mark")
BETWEEN = N_("must lie between %(least)s and %(most)s")


@dataclass(frozen=True)
class Readings:
    """The published measurements of one inspection; None where nothing was measured. Units as in `COLUMNS`."""

    transformer_kva: float | None = None
    voltage_r: float | None = None
    voltage_s: float | None = None
    voltage_t: float | None = None
    current_r: float | None = None
    current_s: float | None = None
    current_t: float | None = None
    winding_temp_c: float | None = None
    grounding_ohm: float | None = None
    insulation_mohm: float | None = None

    def measured(self) -> dict[str, float]:
        """Return what was measured, by name and in the published order."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


NO_READINGS = Readings()


def refusal(value: float, least: float = -FAR, most: float = FAR) -> Text | None:
    """Return why a value cannot be true, or None; the bounds belong to what is allowed."""
    if not math.isfinite(value):
        return T("must be a finite number")
    if not least <= value <= most:
        return T(BETWEEN, least=f"{least:,.10g}", most=f"{most:,.10g}")
    return None


def clean(value: float) -> float:
    """Return a value as it is stored: a zero has no sign."""
    return value + 0.0 if value else 0.0


def typed(text: str) -> float:
    """Return the number that somebody typed; a comma is a decimal mark where it cannot part thousands.

    `0,4` is 0.4 and `1,234.5` is 1234.5; `1,234` could be either and is refused, like everything that is no number.
    Raises ValueError with a sentence for people.
    """
    plain = "".join(text.translate(_MINUS).split())[:_MOST_TYPED]
    plain = "".join(str(int(one)) if one.isdecimal() else one for one in plain)
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+\.\d*", plain):
        plain = plain.replace(",", "")
    elif re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+", plain):
        raise ValueError(AMBIGUOUS)
    elif plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    if not _TYPED.fullmatch(plain):
        raise ValueError(NO_NUMBER)
    return clean(float(plain))


def is_jump(value: float, last: float | None) -> bool:
    """Return whether a value is ten times the last one or more, or a tenth of it or less: asked about once."""
    if last is None or not value or not last:
        return False
    ratio = abs(value / last)
    return ratio >= TEN_TIMES or ratio <= 1 / TEN_TIMES
