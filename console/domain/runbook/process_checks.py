"""The runbook checks that watch the watchmen: whether workers and schedulers live, and how long runs wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.runbook.runbook import CRITICAL, OK, WARNING, Finding, check
from console.domain.text import T, Text

# A worker tells every minute that it lives, a scheduler moves its cursor every half a minute.
WORKER_WARNING, SCHEDULER_WARNING = timedelta(minutes=2, seconds=30), timedelta(minutes=2)
SILENT_CRITICAL = timedelta(minutes=5)
# How long a run may wait that nothing keeps from beginning.
WAIT_WARNING, WAIT_CRITICAL = timedelta(minutes=5), timedelta(minutes=15)


@dataclass(frozen=True)
class ProcessFacts:
    """The processes at `now` (all instants aware UTC); None is "never".

    `running_since` is when the oldest of the living web processes began: from then on somebody has to work.
    `waiting_count` runs could begin, and the oldest of them was asked for at `waiting_since`.
    """

    now: datetime
    running_since: datetime | None = None
    worker_seen_at: datetime | None = None
    scheduler_seen_at: datetime | None = None
    waiting_count: int = 0
    waiting_since: datetime | None = None


@check(105, owner_role="Ops Lead", needs=("processes",), page="jobs")
def worker_alive(processes: ProcessFacts) -> Finding:
    """Judge whether a worker lives."""
    silence = T(
        "No worker has been seen for %(minutes)s minutes.", minutes=_silent(processes, processes.worker_seen_at)
    )
    return _alive(processes, processes.worker_seen_at, WORKER_WARNING, silence, T("A worker is at work."))


@check(106, owner_role="Ops Lead", needs=("processes",), page="jobs")
def scheduler_alive(processes: ProcessFacts) -> Finding:
    """Judge whether a scheduler lives."""
    minutes = _silent(processes, processes.scheduler_seen_at)
    silence = T("No scheduler has been seen for %(minutes)s minutes.", minutes=minutes)
    return _alive(
        processes, processes.scheduler_seen_at, SCHEDULER_WARNING, silence, T("A scheduler looks at the schedule.")
    )


@check(107, owner_role="Ops Lead", needs=("processes",), page="jobs")
def queue_age(processes: ProcessFacts) -> Finding:
    """Judge how long the oldest run waits that could begin."""
    waited = processes.now - processes.waiting_since if processes.waiting_since else timedelta(0)
    minutes = _minutes(waited)
    fields = {
        "waiting_count": processes.waiting_count,
        "oldest_waiting_since": processes.waiting_since,
        "oldest_waiting_minutes": minutes,
        "warning_minutes": _minutes(WAIT_WARNING),
        "critical_minutes": _minutes(WAIT_CRITICAL),
    }
    if waited >= WAIT_WARNING:
        status = CRITICAL if waited >= WAIT_CRITICAL else WARNING
        return Finding(status, T("A run has waited for %(minutes)s minutes.", minutes=minutes), fields)
    return Finding(OK, T("Runs begin soon after they are asked for."), fields)


def troubles(processes: ProcessFacts) -> tuple[Finding, ...]:
    """Return what the three checks find wrong, in their order."""
    found = (worker_alive(processes), scheduler_alive(processes), queue_age(processes))
    return tuple(finding for finding in found if finding.status != OK)


def _alive(processes: ProcessFacts, seen_at: datetime | None, warning: timedelta, silence: Text, life: Text) -> Finding:
    since = seen_at or processes.running_since
    silent = processes.now - since if since else timedelta(0)
    fields = {
        "last_seen_at": seen_at,
        "silent_minutes": _minutes(silent),
        "warning_minutes": warning.total_seconds() / 60,
        "critical_minutes": _minutes(SILENT_CRITICAL),
    }
    if silent >= warning:
        return Finding(CRITICAL if silent >= SILENT_CRITICAL else WARNING, silence, fields, seen_at=seen_at)
    if seen_at is None:
        return Finding(OK, T("The console has only just begun."), fields)
    return Finding(OK, life, fields, seen_at=seen_at)


def _silent(processes: ProcessFacts, seen_at: datetime | None) -> int:
    since = seen_at or processes.running_since
    return _minutes(processes.now - since) if since else 0


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
