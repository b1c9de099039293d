"""The published risk rules (API contract, risk rules): flags from measurements, a level from flags.

They are evaluated once, when an inspection is stored, and kept with the version of the rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from console.domain.inspections.readings import Readings

# Goes up whenever a rule or a limit changes; inspections keep the one they were judged by.
RULE_VERSION = "1"

NORMAL, WARNING, DANGER = "normal", "warning", "danger"
LEVELS = (NORMAL, WARNING, DANGER)
INSULATION_LOW, TEMP_HIGH, VOLTAGE_UNBALANCE = "insulation_low", "temp_high", "voltage_unbalance"
FLAGS = (INSULATION_LOW, TEMP_HIGH, VOLTAGE_UNBALANCE)
POINT = "point:"
INSULATION_AT_MOST = 1.0
TEMP_AT_LEAST = 90.0
UNBALANCE_ABOVE = 3.0


@dataclass(frozen=True)
class Risk:
    """What the rules found: flags in the order of the rules, and the level."""

    level: str
    flags: tuple[str, ...]


def unbalance(readings: Readings) -> float | None:
    """Return how far the furthest phase voltage lies from the mean, in percent of the mean.

    None unless all three were measured and their mean is above zero.
    """
    voltages = (readings.voltage_r, readings.voltage_s, readings.voltage_t)
    known = [value for value in voltages if value is not None]
    if len(known) != len(voltages):
        return None
    mean = sum(known) / len(known)
    return max(abs(value - mean) for value in known) / mean * 100 if mean > 0 else None


def is_uneven(apart: float | None) -> bool:
    """Return whether the voltages lie too far apart: `apart` is what `unbalance` found."""
    return apart is not None and apart > UNBALANCE_ABOVE


def flags_of(readings: Readings) -> tuple[str, ...]:
    """Return the published flags of measurements, in the order of the rules."""
    found = []
    if readings.insulation_mohm is not None and readings.insulation_mohm <= INSULATION_AT_MOST:
        found.append(INSULATION_LOW)
    if readings.winding_temp_c is not None and readings.winding_temp_c >= TEMP_AT_LEAST:
        found.append(TEMP_HIGH)
    if is_uneven(unbalance(readings)):
        found.append(VOLTAGE_UNBALANCE)
    return tuple(found)


def judge(readings: Readings, warnings: Iterable[str] = (), dangers: Iterable[str] = ()) -> Risk:
    """Return the risk of an inspection; `warnings` and `dangers` are codes of points outside their own limits.

    Points follow the published flags as `point:<code>`, the dangerous ones first.
    """
    bad, doubtful = [f"{POINT}{code}" for code in dangers], [f"{POINT}{code}" for code in warnings]
    flags = (*flags_of(readings), *bad, *doubtful)
    if INSULATION_LOW in flags or TEMP_HIGH in flags or bad:
        return Risk(DANGER, flags)
    return Risk(WARNING if flags else NORMAL, flags)
