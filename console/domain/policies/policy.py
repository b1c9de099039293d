"""What a policy may hold, and how values from outside become values of a policy (API contract, policy standard).

Leniency is published: numbers are converted and pulled into their bounds instead of refused. What was changed on the
way is told, booleans are real ones only, and null leaves a field as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from console.domain.errors import Invalid

FieldKind = Literal["bool", "int", "float", "choice", "text", "list"]
# More than this is no mistake of a client any more.
WARNINGS_LIMIT = 50
SENT_LIMIT = 120
CLAMPED, CONVERTED, REFUSED, UNKNOWN = "clamped", "converted", "refused", "unknown"


@dataclass(frozen=True)
class PolicyField:
    """One value of a policy. `least` and `most` bound numbers (and the length of a text); `choices` are the words.

    `read` returns a list as the policy keeps it, or None for what can be none.
    """

    name: str
    kind: FieldKind
    default: Any
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    read: Callable[[Any], list[Any] | None] | None = None


@dataclass(frozen=True)
class PolicyWarning:
    """What was not taken as it was sent: `used` is the value that counts instead.

    `code`: `clamped` to a bound, `converted` to the field's type, `refused` (the old value stays), `unknown` field.
    """

    field: str
    code: str
    sent: str
    used: Any = None


@dataclass(frozen=True)
class Normalised:
    """All values of a policy after a change, and what was said differently."""

    values: Mapping[str, Any]
    warnings: tuple[PolicyWarning, ...] = ()


def filled(fields: Iterable[PolicyField], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return all values of a stored policy: what is missing or does not fit any more is the default."""
    values = {}
    for field in fields:
        value = stored.get(field.name)
        read = None if value is None else _read(field, value)
        values[field.name] = field.default if read is None else read[0]
    return values


def normalise(
    fields: Iterable[PolicyField], stored: Mapping[str, Any], sent: Mapping[str, Any], *, strict: bool = False
) -> Normalised:
    """Merge `sent` over the values in `stored` (all of them, as `filled` gives them).

    Raises Invalid for a number that is not finite; everything else is taken, converted, clamped or left as it was. With
    `strict` a value that can be none of its field is refused instead of left.
    """
    known = {field.name: field for field in fields}
    values = dict(stored)
    warnings = [
        PolicyWarning(str(name)[:SENT_LIMIT], UNKNOWN, _shown(value))
        for name, value in sent.items()
        if name not in known
    ]
    for name, field in known.items():
        value = sent.get(name)
        if value is None:
            continue
        if isinstance(value, float) and not math.isfinite(value):
            raise Invalid.field(name, "must be a finite number")
        read = _read(field, value)
        if read is None:
            if strict:
                raise Invalid.field(name, _expected(field))
            warnings.append(PolicyWarning(name, REFUSED, _shown(value), values[name]))
            continue
        values[name], code = read
        if code:
            warnings.append(PolicyWarning(name, code, _shown(value), values[name]))
    return Normalised(values, tuple(warnings[:WARNINGS_LIMIT]))


def _expected(field: PolicyField) -> str:
    if field.kind == "choice":
        return f"must be one of: {', '.join(field.choices)}"
    if field.kind == "text":
        return f"must be a text of at most {field.most:g} characters" if field.most is not None else "must be a text"
    return {"bool": "must be true or false", "list": "must be a list of objects"}.get(field.kind, "must be a number")


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return `{field: {old, new}}` of the values that differ, in the order of `new`."""
    return {name: {"old": old.get(name), "new": value} for name, value in new.items() if old.get(name) != value}


def _read(field: PolicyField, value: Any) -> tuple[Any, str | None] | None:
    """Return the value as the field takes it and what had to be done to it; None refuses it."""
    if field.kind == "bool":
        return (value, None) if isinstance(value, bool) else None
    if field.kind == "choice":
        return (value, None) if value in field.choices else None
    if field.kind == "text":
        return _text(field, value)
    if field.kind == "list":
        kept = field.read(value) if field.read is not None else None
        return None if kept is None else (kept, None)
    return _number(field, value)


def _text(field: PolicyField, value: Any) -> tuple[str, str | None] | None:
    if not isinstance(value, str):
        return None
    text = value.strip()
    if field.most is not None and len(text) > field.most:
        return None
    return text, None


def _number(field: PolicyField, value: Any) -> tuple[float, str | None] | None:
    if not isinstance(value, (int, float, str)):
        return None
    kind = int if field.kind == "int" else float
    try:
        # Nobody means a zero below zero.
        number = kind(value) + 0
    except (ValueError, OverflowError):
        return None
    # A whole number is finite, however long; asking a very long one would overflow.
    if isinstance(number, float) and not math.isfinite(number):
        return None
    code = None if isinstance(value, (int, float)) and not isinstance(value, bool) and number == value else CONVERTED
    low = number if field.least is None else max(number, kind(field.least))
    used = low if field.most is None else min(low, kind(field.most))
    return used, code if used == number else CLAMPED


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SENT_LIMIT else f"{text[: SENT_LIMIT - 1]}…"
