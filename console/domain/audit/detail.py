"""The detail of an entry as people read it: what changed, field by field, and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The pairs of names under which entries hold the values before and after.
_PAIRS = (("old", "new"), ("before", "after"))


@dataclass(frozen=True)
class FieldChange:
    """One field before and after; None when it had no value."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class ReadDetail:
    """A detail parted into changes and everything else."""

    changes: tuple[FieldChange, ...]
    rest: Mapping[str, Any]


def read_detail(detail: Mapping[str, Any]) -> ReadDetail:
    """Part a detail into the fields that changed and what else it says.

    Entries hold changes as `{"changes": {field: {"old": …, "new": …}}}` or as two objects `old` and `new`; fields that
    stayed the same are left out. What does not look like either is passed on as it is.
    """
    rest = dict(detail)
    found: list[FieldChange] = []
    changes = rest.get("changes")
    if isinstance(changes, Mapping) and changes and all(_is_change(value) for value in changes.values()):
        del rest["changes"]
        found += [FieldChange(name, value.get("old"), value.get("new")) for name, value in changes.items()]
    for before, after in _PAIRS:
        old, new = rest.get(before), rest.get(after)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            del rest[before], rest[after]
            found += [FieldChange(name, old.get(name), new.get(name)) for name in dict.fromkeys([*old, *new])]
    return ReadDetail(tuple(change for change in found if change.old != change.new), rest)


def _is_change(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and set(value) <= {"old", "new"}
