"""What the runbook must know of the automation's jobs: their newest real runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Result, and_, false, func, null, select, union_all

from console.core.context import Context
from console.domain.jobs.runs import FINISHED
from console.domain.runbook.automation_checks import LOOK_BACK, WATCHED, AutomationFacts, Seen, Watched
from console.models.automation import RunFact
from console.models.jobs import JobRun, JobSchedule


def facts(ctx: Context) -> AutomationFacts:
    """Return the newest real runs of each job and since when it is scheduled: one query of index ranges."""
    parts = [
        select(JobRun.id)
        .where(JobRun.job_name == name, JobRun.state == FINISHED, JobRun.dry_run.is_(False))
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(LOOK_BACK)
        .subquery()
        for name in WATCHED
    ]
    ids = union_all(*(select(part.c.id) for part in parts)).subquery()
    broken = and_(RunFact.run_id.is_(None), JobRun.error_code.is_not(None))
    failed = broken | (func.coalesce(RunFact.errors_count, 0) > 0)
    found = (
        select(
            JobRun.job_name,
            JobRun.id.label("run_id"),
            JobRun.finished_at.label("at"),
            failed.label("failed"),
            RunFact.skip_reason,
            JobRun.status,
        )
        .join(ids, ids.c.id == JobRun.id)
        .outerjoin(RunFact, RunFact.run_id == JobRun.id)
    )
    # A line of the schedule has no run: since when it is known stands in the place of its end.
    known = (
        select(JobSchedule.job_name, null(), func.min(JobSchedule.known_since), false(), null(), null())
        .where(JobSchedule.job_name.in_(WATCHED))
        .group_by(JobSchedule.job_name)
    )
    runs: dict[str, list[Seen]] = {name: [] for name in WATCHED}
    since: dict[str, datetime] = {}
    rows: Result[Any] = ctx.session.execute(union_all(found, known))
    for row in rows:
        if row.run_id is None:
            since[row.job_name] = row.at
        else:
            runs[row.job_name].append(Seen(row.run_id, row.at, bool(row.failed), row.skip_reason, row.status))
    for seen in runs.values():
        seen.sort(key=lambda one: (one.finished_at, one.run_id), reverse=True)
    return AutomationFacts(ctx.now(), {name: Watched(tuple(runs[name]), since.get(name)) for name in WATCHED})
