"""The registry of runbook checks: each is one small function with an id, an owner role and the facts it needs.

A check exists here only once its facts exist; the places follow the API contract (runbook checks).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from console.domain.reliability.policy import worst
from console.domain.text import Text

OK, WARNING, CRITICAL = "ok", "warning", "critical"
# How pages show what nobody has looked at yet; the published status knows no such word.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """What a check says: status, sentence, and its own published fields.

    `shown` is the word that pages show where the published status says less than is known. `seen_at` (aware UTC) is
    when the fact behind it came to be; None is "this very moment".
    """

    status: str
    message: Text
    fields: Mapping[str, Any] = field(default_factory=dict)
    shown: str | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True)
class CheckSpec:
    """A registered check. `needs` are the names of the facts that are handed to `look`; `page` shows what is behind."""

    id: str
    place: int
    owner_role: str
    needs: tuple[str, ...]
    page: str
    look: Callable[..., Finding]


@dataclass(frozen=True)
class CheckResult:
    """The finding of one check at one moment; pages show `shown`, the published answer says `status`.

    `seen_at` (aware UTC) is when the fact behind it came to be.
    """

    id: str
    status: str
    message: Text
    owner_role: str
    page: str
    fields: Mapping[str, Any]
    shown: str
    seen_at: datetime

    @property
    def fails(self) -> bool:
        """Return whether somebody has to do something: what nobody can tell yet is no work."""
        return self.status != OK and self.shown != UNKNOWN


@dataclass(frozen=True)
class Runbook:
    """All checks at one moment (aware UTC); `overall_status` is the worst of them."""

    generated_at: datetime
    overall_status: str
    checks: tuple[CheckResult, ...]

    def count(self, status: str) -> int:
        """Return how many checks have this published status."""
        return sum(check.status == status for check in self.checks)

    @property
    def critical_ids(self) -> tuple[str, ...]:
        """Return the ids of the critical checks."""
        return tuple(check.id for check in self.checks if check.status == CRITICAL)


_registry: dict[str, CheckSpec] = {}
Look = TypeVar("Look", bound=Callable[..., Finding])


def check(place: int, *, owner_role: str, needs: tuple[str, ...], page: str) -> Callable[[Look], Look]:
    """Register a function as the check of its own name; `place` is its number in the published list."""

    def register(look: Look) -> Look:
        name = look.__name__
        if any(spec.place == place and spec.id != name for spec in _registry.values()):
            raise ValueError(f"place {place} of the runbook is taken")
        _registry[name] = CheckSpec(name, place, owner_role, needs, page, look)
        return look

    return register


def registered() -> tuple[CheckSpec, ...]:
    """Return all checks in the published order."""
    return tuple(sorted(_registry.values(), key=lambda spec: spec.place))


def needed_facts() -> tuple[str, ...]:
    """Return the names of all facts that some check needs, each once."""
    return tuple(dict.fromkeys(name for spec in registered() for name in spec.needs))


def look_through(facts: Mapping[str, Any], now: datetime) -> Runbook:
    """Judge all checks on the facts; every name of `needed_facts` must be there."""
    results = tuple(_judge(spec, facts, now) for spec in registered())
    return Runbook(now, worst(result.status for result in results), results)


def _judge(spec: CheckSpec, facts: Mapping[str, Any], now: datetime) -> CheckResult:
    found = spec.look(**{name: facts[name] for name in spec.needs})
    return CheckResult(
        id=spec.id,
        status=found.status,
        message=found.message,
        owner_role=spec.owner_role,
        page=spec.page,
        fields=found.fields,
        shown=found.shown or found.status,
        seen_at=min(found.seen_at or now, now),
    )
