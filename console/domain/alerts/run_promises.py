"""Which runs of the schedule should have been, from its instants alone; compared with the rows that are there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.alerts.accuracy import CLOCK_JUMP, DOUBLED_JOB, LATE_JOB, LOST_JOB, SKEW, Finding
from console.domain.jobs.runs import FINISHED, QUEUED, RUNNING, STORE_LOST, WORKER_LOST

LOST_CODES = (WORKER_LOST, STORE_LOST)


@dataclass(frozen=True)
class RunRow:
    """A run as its row tells it; instants are aware UTC. `by_schedule`: the scheduler asked for it."""

    id: int
    job_name: str
    state: str
    requested_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    scheduled_for: datetime | None = None
    heartbeat_at: datetime | None = None
    lease_seconds: int = 60
    missed_count: int = 0
    retry_of: int | None = None
    error_code: str | None = None
    by_schedule: bool = True
    nested: bool = False


def judge_line(
    job: str, instants: Sequence[datetime], runs: Iterable[RunRow], *, tolerance: timedelta, now: datetime
) -> Iterator[Finding]:
    """Yield what is wrong with the runs of one job between two instants of its schedule, both given oldest first.

    `runs` are those that name an instant. Instants without a run that a later run stood in for were late, others lost;
    what is missing in a row is one finding.
    """
    rows = list(runs)
    known = set(instants)
    yield from (_doubled(run) for run in rows if run.scheduled_for not in known)
    by_instant = {run.scheduled_for: run for run in rows}
    gap: list[datetime] = []
    for instant in instants:
        run = by_instant.get(instant)
        if run is None:
            gap.append(instant)
            continue
        if gap:
            yield _missing(job, gap, run)
        elif _late(run, instant, tolerance, now):
            detail = {"started_at": run.started_at.isoformat() if run.started_at else None}
            yield Finding(LATE_JOB, instant, run.started_at, run_id=run.id, job_name=job, detail=detail)
        gap = []
    if gap:
        yield _missing(job, gap, None)


def _missing(job: str, gap: Sequence[datetime], run: RunRow | None) -> Finding:
    stood_in = run is not None and run.missed_count >= len(gap)
    detail = {"instants": len(gap), "caught_up": stood_in}
    label = LATE_JOB if stood_in else LOST_JOB
    run_id = run.id if run is not None and stood_in else None
    return Finding(label, gap[0], gap[-1], run_id=run_id, job_name=job, detail=detail)


def _late(run: RunRow, instant: datetime, tolerance: timedelta, now: datetime) -> bool:
    began = run.started_at if run.state != QUEUED else None
    return (began or now) - instant > tolerance


def _doubled(run: RunRow) -> Finding:
    at = run.scheduled_for or run.requested_at
    return Finding(DOUBLED_JOB, at, run.finished_at, run_id=run.id, job_name=run.job_name)


def judge_rows(runs: Iterable[RunRow], retried: Collection[int], now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with single runs, given in the order of their ids; `retried` are the ids that were repeated.

    A run whose worker went away and that nobody repeated is lost; a run that began while another one of its job went
    on is doubled; and rows whose instants go backwards tell that a clock was set.
    """
    peak: datetime | None = None
    ends: dict[str, RunRow] = {}
    ended: dict[int, str | None] = {}
    for run in runs:
        if run.by_schedule:
            ended[run.id] = run.error_code
        jump = None if run.nested else _jump(run, peak, now)
        if jump is not None:
            yield jump
        if not run.nested:
            peak = run.requested_at if jump is not None or peak is None else max(peak, run.requested_at)
            # A clock that was set makes runs seem to overlap that did not.
            if jump is not None:
                ends.clear()
            elif _overlaps(run, ends.get(run.job_name)):
                yield _doubled(run)
            if run.started_at is not None and run.finished_at is not None:
                ends[run.job_name] = run
        if run.retry_of in ended and ended[run.retry_of] not in LOST_CODES:
            yield _doubled(run)
        if _lost(run, retried, now):
            yield Finding(LOST_JOB, run.scheduled_for or run.requested_at, run.finished_at, run_id=run.id,
                          job_name=run.job_name, detail={"instants": 1, "worker_lost": True})  # fmt: skip


def _jump(run: RunRow, peak: datetime | None, now: datetime) -> Finding | None:
    began, ended = run.started_at, run.finished_at
    back = peak is not None and run.requested_at < peak - SKEW
    ahead = run.requested_at > now + SKEW
    reversed_ = began is not None and ended is not None and ended < began
    early = began is not None and run.scheduled_for is not None and began < run.scheduled_for - SKEW
    if not (back or ahead or reversed_ or early):
        return None
    seconds = int((peak - run.requested_at).total_seconds()) if back and peak is not None else None
    return Finding(CLOCK_JUMP, run.requested_at, peak if back else None, run_id=run.id, job_name=run.job_name,
                   detail={"seconds": seconds})  # fmt: skip


def _overlaps(run: RunRow, before: RunRow | None) -> bool:
    if before is None or before.finished_at is None or run.started_at is None or before.started_at is None:
        return False
    return before.started_at <= run.started_at < before.finished_at - SKEW


def _lost(run: RunRow, retried: Collection[int], now: datetime) -> bool:
    if not run.by_schedule:
        return False
    if run.state == FINISHED:
        return run.error_code in LOST_CODES and run.id not in retried
    beat = run.heartbeat_at or run.started_at
    return run.state == RUNNING and beat is not None and now - beat > timedelta(seconds=run.lease_seconds) + SKEW
