"""May the autopilot act now? Only the cooldown is asked here (API contract, autopilot guard)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

FORCE, NO_RUN, ACTIVE, PASSED = "force_override", "no_recent_run", "cooldown_active", "cooldown_passed"
# A run that ended further in the future than this was written by a clock that was set back since.
SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Anchor:
    """A run that a cooldown may be counted from."""

    run_id: int
    finished_at: datetime


@dataclass(frozen=True)
class RunMark:
    """What the guard must know of a finished run: `acted` is true when it tried at least one action."""

    run_id: int
    finished_at: datetime
    dry_run: bool = False
    skipped: bool = False
    acted: bool = True


@dataclass(frozen=True)
class Guard:
    """The published guard. `last_run_*` is the newest run of any kind, `anchor_run_*` the one that is counted from."""

    checked_at: datetime
    force: bool
    cooldown_minutes: int
    ready: bool
    blocked: bool
    reason: str
    last_run_id: int | None
    last_run_at: datetime | None
    next_allowed_at: datetime | None
    minutes_until_ready: int
    dry_run: bool = False
    anchor_run_id: int | None = None
    anchor_run_at: datetime | None = None


def anchor_of(runs: Iterable[RunMark], now: datetime, *, dry_run: bool) -> Anchor | None:
    """Return the run that a run at `now` has to keep its distance from.

    A real run only from real runs that acted; a dry run from any run that acted. Skipped runs prolong nothing.
    """
    counted = [
        run
        for run in runs
        if run.acted and not run.skipped and (dry_run or not run.dry_run) and run.finished_at <= now + SKEW
    ]
    newest = max(counted, key=lambda run: (run.finished_at, run.run_id), default=None)
    return Anchor(newest.run_id, newest.finished_at) if newest else None


def guard(
    cooldown_minutes: int,
    *,
    last: Anchor | None,
    anchor: Anchor | None,
    now: datetime,
    force: bool = False,
    dry_run: bool = False,
) -> Guard:
    """Judge at `now` (aware UTC): forced, never ran, still within the cooldown, or past it."""
    next_allowed = anchor.finished_at + timedelta(minutes=cooldown_minutes) if anchor and cooldown_minutes else None
    wait = math.ceil((next_allowed - now).total_seconds() / 60) if next_allowed else 0
    reason, ready, minutes = PASSED, True, 0
    if force:
        reason, next_allowed = FORCE, None
    elif next_allowed is None:
        reason = NO_RUN
    elif wait > 0:
        # Never longer than the cooldown itself, whatever a clock did in between.
        reason, ready, minutes = ACTIVE, False, min(wait, cooldown_minutes)
    return Guard(
        checked_at=now,
        force=force,
        cooldown_minutes=cooldown_minutes,
        ready=ready,
        blocked=not ready,
        reason=reason,
        last_run_id=last.run_id if last else None,
        last_run_at=last.finished_at if last else None,
        next_allowed_at=next_allowed,
        minutes_until_ready=minutes,
        dry_run=dry_run,
        anchor_run_id=anchor.run_id if anchor else None,
        anchor_run_at=anchor.finished_at if anchor else None,
    )
