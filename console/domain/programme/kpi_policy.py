"""The policy of W09: five KPIs with owner and thresholds, and who is told when one is red (API contract, W09 policy).

The policy engine keeps every value of a KPI apart, so that a site that changes one threshold inherits all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from console.domain.errors import Invalid
from console.domain.policies.policy import (
    CLAMPED,
    CONVERTED,
    REFUSED,
    SENT_LIMIT,
    UNKNOWN,
    Normalised,
    PolicyWarning,
)
from console.domain.programme.judge import HIGHER, LOWER, RED, in_order
from console.domain.text import N_, T

OPS = "/api/ops/adoption"
LEAST_HOURS, MOST_HOURS, HOURS = 1, 168, 24
# For how many days in a row a KPI has to be red before a rule calls somebody; today counts.
LEAST_HOLD, MOST_HOLD = 1, 28
RULES_MOST = 40
TEXT_MOST = 200


@dataclass(frozen=True)
class Kpi:
    """One KPI as the published matrix has it; `name` is a message id."""

    key: str
    name: str
    direction: str
    green: float
    yellow: float
    owner: str
    source: str


KPIS = (
    Kpi(
        *("two_week_retention_percent", N_("Two-week retention"), HIGHER, 65.0, 55.0, "Ops Manager"),
        f"{OPS}/w05/consistency",
    ),
    Kpi("weekly_active_rate_percent", N_("Weekly active rate"), HIGHER, 75.0, 65.0, "Ops Lead", f"{OPS}/w06/rhythm"),
    Kpi("escalation_rate_percent", N_("Escalation rate"), LOWER, 20.0, 30.0, "Site Champion", f"{OPS}/w07/sla-quality"),
    Kpi(
        *("report_discipline_score", N_("Report discipline score"), HIGHER, 85.0, 75.0, "Audit Lead"),
        f"{OPS}/w08/report-discipline",
    ),
    Kpi(
        *("data_quality_issue_rate_percent", N_("Rate of data quality issues"), LOWER, 5.0, 10.0, "Ops PM"),
        f"{OPS}/w08/report-discipline",
    ),
)
KEYS = tuple(kpi.key for kpi in KPIS)
# The values of a KPI that a policy may change, in the published order.
PARTS = ("kpi_name", "direction", "owner_role", "green_threshold", "yellow_threshold", "target", "source_api")
# The published parts of a rule, and for how many days its condition has to hold.
RULE_PARTS = ("id", "kpi_key", "condition", "escalate_to", "sla_hours", "action", "hold_days")
_NUMBERS = {"sla_hours": (LEAST_HOURS, MOST_HOURS), "hold_days": (LEAST_HOLD, MOST_HOLD)}


WEEK, THREE, CLOSE = N_("Red for a week"), N_("Red for three days"), N_("Red at the close")
# What the published conditions ask for. Clients that know no `hold_days` say it in these words.
HOLDS: Mapping[str, int] = {WEEK: 7, THREE: 3, CLOSE: LEAST_HOLD}


def _rule(number: int, kpi: str, condition: str, to: str, hours: int, action: str) -> dict[str, Any]:
    made = (f"W09-ESC-{number:02d}", kpi, condition, to, hours, action, HOLDS[condition])
    return dict(zip(RULE_PARTS, made, strict=True))


RULES: tuple[Mapping[str, Any], ...] = (
    _rule(1, KEYS[0], WEEK, "Head of Ops", 24, N_("Win people back after a red week of retention")),
    _rule(2, KEYS[1], WEEK, "Owner", 24, N_("Talk to the sites that stay away")),
    _rule(3, KEYS[2], THREE, "Ops Lead + QA", 8, N_("Stop a rise of escalations within three days")),
    _rule(4, KEYS[3], CLOSE, "Audit Lead", 24, N_("Save the report score before the month closes")),
)


def field_of(kpi: str, part: str) -> str:
    """Return the name under which the engine keeps a value of a KPI."""
    return f"{kpi}__{part}"


def defaults(kpi: Kpi) -> dict[str, Any]:
    """Return the built-in values of a KPI by their part."""
    sign = "≥" if kpi.direction == HIGHER else "≤"
    made = (kpi.name, kpi.direction, kpi.owner, kpi.green, kpi.yellow, f"{sign} {kpi.green:g}", kpi.source)
    return dict(zip(PARTS, made, strict=True))


def published(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored values as the API writes the policy."""
    return {
        "enabled": values["enabled"],
        "kpis": [{"kpi_key": key, **{part: values[field_of(key, part)] for part in PARTS}} for key in KEYS],
        "escalation_map": [dict(rule) for rule in values["escalation_map"]],
    }


def arrange(values: Mapping[str, Any]) -> Normalised:
    """Bring the thresholds of every KPI into their order: yellow is never better than green."""
    made, warnings = dict(values), []
    for key in KEYS:
        green, yellow = field_of(key, "green_threshold"), field_of(key, "yellow_threshold")
        made[green] = round(made[green], 2)
        fitting = in_order(made[field_of(key, "direction")], made[green], round(made[yellow], 2))
        if fitting != round(made[yellow], 2):
            warnings.append(PolicyWarning(yellow, CLAMPED, f"{made[yellow]:g}", fitting))
        made[yellow] = fitting
    return Normalised(made, tuple(warnings))


def flattened(sent: Mapping[str, Any], *, strict: bool = True) -> Normalised:
    """Return a body as the engine takes it, and what of it nobody knows.

    Raises Invalid for what is no KPI or rule; without `strict` that is left out and told.
    """
    made: dict[str, Any] = {}
    warnings: list[PolicyWarning] = []
    for name, value in sent.items():
        if value is None:
            continue
        if name == "enabled":
            made[name] = value
        elif name not in ("kpis", "escalation_map"):
            warnings.append(_unknown(str(name), value))
        elif (entries := _objects(value, name, warnings, strict)) is not None:
            if name == "kpis":
                _kpis(entries, made, warnings, strict)
            else:
                made[name] = _rules(entries, warnings, strict)
    return Normalised(made, tuple(warnings))


def told_as(name: str) -> str:
    """Return how clients of the API know a value that the engine keeps under `name`."""
    key, _mark, part = name.partition("__")
    return f"kpis.{key}.{part}" if part else name


def _unknown(name: str, value: Any) -> PolicyWarning:
    return PolicyWarning(name[:SENT_LIMIT], UNKNOWN, _said(value))


def _said(value: Any) -> str:
    return str(value)[:SENT_LIMIT]


def _kpis(
    entries: Sequence[Mapping[str, Any]], made: dict[str, Any], warnings: list[PolicyWarning], strict: bool
) -> None:
    for entry in entries:
        key = entry.get("kpi_key")
        if strict and (not isinstance(key, str) or not key.strip()):
            raise Invalid.field("kpis", T("Every KPI says which one it is: kpi_key"))
        if key not in KEYS:
            warnings.append(_unknown(f"kpis.{key}", key))
            continue
        for part, one in entry.items():
            if part == "kpi_key" or one is None or one == "":
                continue
            if part in PARTS:
                made[field_of(str(key), part)] = one
            else:
                warnings.append(_unknown(f"kpis.{key}.{part}", one))


def _rules(entries: Sequence[Mapping[str, Any]], warnings: list[PolicyWarning], strict: bool) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for entry in entries:
        key = entry.get("kpi_key") or ""
        if key and key not in KEYS:
            warnings.append(_unknown(f"escalation_map.{key}", key))
            continue
        warnings += [_unknown(f"escalation_map.{part}", one) for part, one in entry.items() if part not in RULE_PARTS]
        rule = dict(entry)
        for part, bounds in _NUMBERS.items():
            warning = _numbered(f"escalation_map.{part}", entry.get(part), *bounds)
            if warning is None:
                continue
            if warning.code == REFUSED:
                if strict:
                    raise Invalid.field("escalation_map", T("%(name)s must be a number", name=warning.field))
                del rule[part]
            warnings.append(warning)
        kept.append(rule)
    return kept


def _numbered(name: str, value: Any, least: int, most: int) -> PolicyWarning | None:
    """Return what has to be told of a number: that it was pulled into its bounds, converted, or is none."""
    if value is None:
        return None
    number = _number(value)
    if number is None:
        return PolicyWarning(name, REFUSED, _said(value))
    used = min(max(number, least), most)
    code = CLAMPED if used != number else CONVERTED if number != value else None
    return PolicyWarning(name, code, _said(value), used) if code else None


def _objects(value: Any, name: str, warnings: list[PolicyWarning], strict: bool) -> Sequence[Mapping[str, Any]] | None:
    if isinstance(value, list) and len(value) <= RULES_MOST and all(isinstance(one, Mapping) for one in value):
        return value
    if strict:
        raise Invalid.field(name, T("must be a list of at most %(most)s objects", most=RULES_MOST))
    warnings.append(PolicyWarning(name, REFUSED, _said(value)))
    return None


def rules_of(value: Any) -> list[Any] | None:
    """Return escalation rules as the policy keeps them; None for what can be none."""
    if not isinstance(value, (list, tuple)) or len(value) > RULES_MOST:
        return None
    made = [_rule_of(one) for one in value]
    return None if None in made else made


def _rule_of(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, Mapping):
        return None
    texts = {part: value.get(part) or "" for part in RULE_PARTS if part not in _NUMBERS}
    if not all(isinstance(text, str) and len(text) <= TEXT_MOST for text in texts.values()):
        return None
    kept = {part: text.strip() for part, text in texts.items()}
    missing = {"sla_hours": HOURS, "hold_days": HOLDS.get(kept["condition"], LEAST_HOLD)}
    numbers = {part: _whole(value.get(part), missing[part], *bounds) for part, bounds in _NUMBERS.items()}
    if None in numbers.values():
        return None
    return {part: numbers[part] if part in numbers else kept[part] for part in RULE_PARTS}


def _whole(value: Any, missing: int, least: int, most: int) -> int | None:
    """Return a number within its bounds, `missing` for none, None for what is no number."""
    number = missing if value is None else _number(value)
    return None if number is None else min(max(number, least), most)


def _number(value: Any) -> int | None:
    """Return a whole number, also of a text that says one; None for what is none."""
    if isinstance(value, str):
        return _read(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _finite(value):
        return None
    return int(value)


def _read(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _finite(value: float) -> bool:
    # A whole number is finite, however long.
    return isinstance(value, int) or isfinite(value)


def condition_of(days: int) -> str:
    """Return the condition of a rule in the words of the API, for those that nobody wrote by hand."""
    return next((text for text, held in HOLDS.items() if held == days), f"Red for {days} days")


def with_hold(rule: Mapping[str, Any], days: int) -> dict[str, Any]:
    """Return a rule that holds after another number of days; a condition of somebody's own words stays."""
    told = rule["condition"] in ("", condition_of(rule["hold_days"]))
    return {**rule, "hold_days": days, "condition": condition_of(days) if told else rule["condition"]}


def red_days(lights: Sequence[str]) -> int:
    """Return for how many days in a row a KPI is red; `lights` are of one day each, the newest first."""
    return next((place for place, light in enumerate(lights) if light != RED), len(lights))


def typed_rules(rows: Sequence[Mapping[str, str]], stored: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rules of a form whose rows have the parts of a rule as text.

    A row without anybody to tell is none; a row that carries the id of a stored rule keeps what forms do not ask for.
    Raises Invalid for a KPI that nobody knows and for what is no number.
    """
    known = {rule["id"]: rule for rule in stored if rule["id"]}
    made: list[dict[str, Any]] = []
    for row in rows:
        if not row.get("escalate_to", "").strip():
            continue
        base = known.get(row.get("id", ""), {"id": "", "condition": "", "hold_days": LEAST_HOLD})
        if row.get("kpi_key") not in KEYS:
            raise Invalid.field("escalation_map", T("Choose the KPI of every rule"))
        texts = {part: row.get(part, "").strip() for part in ("kpi_key", "escalate_to", "action")}
        rule = {**base, **texts, "sla_hours": _typed(row.get("sla_hours", ""))}
        made.append(with_hold(rule, _typed(row.get("hold_days", ""))))
    taken = {rule["id"] for rule in made}
    free = (name for name in (f"W09-ESC-{number:02d}" for number in range(1, 10 * RULES_MOST)) if name not in taken)
    return [{part: rule[part] or next(free) if part == "id" else rule[part] for part in RULE_PARTS} for rule in made]


def _typed(text: str) -> int:
    number = _read(text)
    if number is None:
        raise Invalid.field("escalation_map", T("Days and hours of a rule are whole numbers"))
    return number
