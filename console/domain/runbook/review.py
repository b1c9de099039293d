"""The monthly review of the runbook gate: which deploys it may have let through or held up by mistake.

Source: API contract, runbook review.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

MISSING = "missing"
LEAST_LOOKBACK_DAYS = 7
PROBLEM = ("warning", "critical")
# Checks of a smoke test that speak of the runbook gate itself, or of the smoke test having broken off.
NOT_PROBLEMS = frozenset({"fatal", "runbook_gate", "runbook_checks"})


@dataclass(frozen=True)
class ReviewFacts:
    """What the runbook must know of this month's review; `latest_at` (aware UTC) is None before it was made."""

    month: str
    smoke_count: int = 0
    false_positive_count: int = 0
    false_negative_count: int = 0
    latest_at: datetime | None = None
    run_id: int | None = None


@dataclass(frozen=True)
class Smoke:
    """A recorded deploy smoke test as the review reads it; `finished_at` is aware UTC."""

    run_id: int
    status: str
    finished_at: datetime
    deploy_id: str | None
    checklist_version: str | None
    runbook_gate_passed: bool
    checks: Sequence[Mapping[str, Any]] = ()

    @property
    def problem_check_ids(self) -> tuple[str, ...]:
        """Return the checks that found something wrong and are not the gate's own."""
        return tuple(
            str(one.get("id"))
            for one in self.checks
            if one.get("status") in PROBLEM and one.get("id") not in NOT_PROBLEMS
        )


@dataclass(frozen=True)
class Candidate:
    """A deploy that somebody should look at again."""

    run_id: int
    status: str
    finished_at: datetime
    deploy_id: str | None
    checklist_version: str | None
    runbook_gate_passed: bool
    problem_check_ids: tuple[str, ...]


@dataclass(frozen=True)
class ReviewMetrics:
    """What a review looks at; the counts are of all, the lists are cut at `sample_limit`."""

    month: str
    window_start: datetime
    window_end: datetime
    deploy_smoke_count: int
    false_positive_candidate_count: int
    false_negative_candidate_count: int
    candidate_count: int
    false_positive_candidates: tuple[Candidate, ...]
    false_negative_candidates: tuple[Candidate, ...]
    sample_limit: int
    lookback_days: int


def window(start: datetime, end: datetime, *, now: datetime, lookback_days: int) -> tuple[datetime, datetime]:
    """Return begin (inclusive) and end (exclusive) of what a month's review looks at, not further back than asked."""
    earliest = now - timedelta(days=max(LEAST_LOOKBACK_DAYS, lookback_days))
    return max(start, min(earliest, end)), end


def review(
    smokes: Iterable[Smoke], *, month: str, bounds: tuple[datetime, datetime], sample_limit: int, lookback_days: int
) -> ReviewMetrics:
    """Sort the smoke tests of a month into what the gate may have missed and what it may have held up for nothing."""
    seen = list(smokes)
    missed = [one for one in seen if one.runbook_gate_passed and one.status in PROBLEM and one.problem_check_ids]
    false = [one for one in seen if not one.runbook_gate_passed and not one.problem_check_ids]
    return ReviewMetrics(
        month=month,
        window_start=bounds[0],
        window_end=bounds[1],
        deploy_smoke_count=len(seen),
        false_positive_candidate_count=len(false),
        false_negative_candidate_count=len(missed),
        candidate_count=len(false) + len(missed),
        false_positive_candidates=tuple(map(_candidate, false[:sample_limit])),
        false_negative_candidates=tuple(map(_candidate, missed[:sample_limit])),
        sample_limit=sample_limit,
        lookback_days=lookback_days,
    )


def _candidate(smoke: Smoke) -> Candidate:
    return Candidate(
        smoke.run_id,
        smoke.status,
        smoke.finished_at,
        smoke.deploy_id,
        smoke.checklist_version,
        smoke.runbook_gate_passed,
        smoke.problem_check_ids,
    )
