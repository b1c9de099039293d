"""What a job run is: its words, how its result is read, when a worker counts as lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from console.domain.text import N_

State = Literal["queued", "running", "finished"]
Status = Literal["success", "warning", "critical"]

QUEUED, RUNNING, FINISHED = "queued", "running", "finished"
STATES: tuple[State, ...] = ("queued", "running", "finished")
# API contract, job runs: these three words and no other.
STATUSES: tuple[Status, ...] = ("success", "warning", "critical")
CRON, API, MANUAL = "cron", "api", "manual"

# Why a run ended without its work: programs test these, people read the translated sentence on the run's page.
CANCELLED = "cancelled"
WORKER_LOST = "worker_lost"
STORE_LOST = "store_lost"
WORK_FAILED = "work_failed"
UNKNOWN_JOB = "unknown_job"
# The work was not begun or not kept because the state of things does not allow it: no failure of the job.
REFUSED = "refused"

# Message ids of what people read for these words.
REASONS = {
    CANCELLED: N_("Stopped on request. Nothing of it was kept."),
    WORKER_LOST: N_("The worker disappeared in the middle. Nothing of it was kept."),
    STORE_LOST: N_("The database went away in the middle. Nothing of it was kept."),
    WORK_FAILED: N_("It failed. Nothing of it was kept."),
    REFUSED: N_("It was refused. Nothing of it was kept."),
    UNKNOWN_JOB: N_("This version of the console does not know the job."),
}
TRIGGERS = {
    CRON: N_("Schedule"),
    API: N_("API"),
    MANUAL: N_("By hand"),
    "autopilot": N_("Autopilot"),
    "mttr_slo_auto": N_("Recovery objective missed"),
    f"{CRON}:ops_daily_check": N_("Daily check"),
    f"{API}:ops_daily_check": N_("Daily check, by API"),
    f"{MANUAL}:ops_daily_check": N_("Daily check, by hand"),
}

NAME_LIMIT = 80
MESSAGE_LIMIT = 300
LOG_LIMIT = 200


class Cancelled(Exception):
    """Somebody asked for the run to stop; raised at the next progress report so that the work rolls back."""


class LeaseLost(Exception):
    """The run was closed or claimed by somebody else while the work went on; the work must not be kept."""


@dataclass(frozen=True)
class Outcome:
    """What a job hands back when its run is more than a plain success.

    `detail` is stored with the run. `skipped` marks a run that decided to do nothing: it never counts as executed, so
    that it cannot prolong a cooldown. `keep(ctx, run)` writes what must stay with the run even when the work of a dry
    run was undone (its facts, never its effect), in the transaction that closes the run.
    """

    detail: Any = field(default_factory=dict)
    status: Status = "success"
    skipped: bool = False
    keep: Callable[[Any, Any], None] | None = None


def outcome_of(result: Any) -> Outcome:
    """Read what a job returned: an Outcome as it is, anything else as the detail of a success."""
    if isinstance(result, Outcome):
        if result.status not in STATUSES:
            raise ValueError(f"not a status of a run: {result.status!r}")
        return result
    return Outcome({} if result is None else result)


def detail_object(value: Any) -> dict[str, Any]:
    """Return the JSON object that clients read as `detail` (API contract, job runs: no object is wrapped)."""
    return dict(value) if isinstance(value, Mapping) else {"value": value}


def beat_interval(lease: timedelta) -> timedelta:
    """Return the pause between two heartbeats: five fit into a lease, and ten seconds are the longest."""
    return min(lease / 5, timedelta(seconds=10))


@dataclass(frozen=True)
class Watch:
    """What a reaper saw of one running run: its last heartbeat, and for how long that has stood still.

    `still_for` is measured by a clock that nobody sets, so that a moved wall clock neither hides a dead worker nor
    kills a living one.
    """

    heartbeat_at: datetime
    still_for: timedelta


def is_lost(watch: Watch, *, lease: timedelta, now: datetime) -> bool:
    """Return whether the worker behind a run is gone.

    Stale by the wall clock and seen unchanged for two heartbeats, or seen unchanged for the whole lease whatever the
    wall clock says (it may have been set back).
    """
    if watch.still_for >= lease:
        return True
    return now - watch.heartbeat_at > lease and watch.still_for >= 2 * beat_interval(lease)
