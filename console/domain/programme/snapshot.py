"""What a metric found: its values, what it advises, and which values have too little behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.domain.programme.judge import NO_DATA, OK
from console.domain.text import N_, T, Text

ON_TARGET = "on_target"


@dataclass(frozen=True)
class RowsOf:
    """The rows behind a number: the name of a list page, and its filters."""

    page: str
    filters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Advice:
    """One recommendation: its code for programs, its sentence for people, and the rows that it speaks of."""

    code: str
    text: Text
    rows: RowsOf | None = None


@dataclass(frozen=True)
class Snapshot:
    """The values of one metric at `generated_at` (aware UTC); `parts` are its further published keys.

    `no_data` names values that have nothing behind them; `data_state` is `no_data` where that holds for all of them.
    `advice_key` is the published key of the recommendations, None for a metric without.
    """

    generated_at: datetime
    site: str | None
    window_days: int
    metrics: Mapping[str, Any]
    parts: Mapping[str, Any] = field(default_factory=dict)
    advice: Sequence[Advice] = ()
    no_data: Sequence[str] = ()
    data_state: str = OK
    head: Mapping[str, Any] = field(default_factory=dict)
    advice_key: str | None = "recommendations"

    def as_answer(self) -> dict[str, Any]:
        """Return the published shape; what tells about missing data comes last."""
        answer: dict[str, Any] = {
            "generated_at": self.generated_at,
            "site": self.site,
            "window_days": self.window_days,
            **self.head,
            "metrics": dict(self.metrics),
            **self.parts,
        }
        if self.advice_key is not None:
            answer[self.advice_key] = [str(one.text) for one in self.advice]
            answer["recommendation_codes"] = [one.code for one in self.advice]
        return {**answer, "data_state": self.data_state, "no_data": list(self.no_data)}

    def lacks(self, key: str) -> bool:
        """Return whether a value has nothing behind it."""
        return self.data_state == NO_DATA or key in self.no_data


def advised(found: Sequence[Advice | None], fine: Text | None = None) -> tuple[Advice, ...]:
    """Return the advice that is due; without any, to go on."""
    due = tuple(one for one in found if one is not None)
    return due or (Advice(ON_TARGET, fine or T(N_("Everything is on target. Go on like this."))),)
