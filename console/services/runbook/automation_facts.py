"""What the runbook must know of the automation's jobs: their newest real runs."""

from __future__ import annotations

from sqlalchemy import and_, func, select, union_all

from console.core.context import Context
from console.domain.jobs.runs import FINISHED
from console.domain.runbook.automation_checks import LOOK_BACK, WATCHED, AutomationFacts, Seen, Watched
from console.models.automation import RunFact
from console.models.jobs import JobRun, JobSchedule


def facts(ctx: Context) -> AutomationFacts:
    """Return the newest real runs of each job and since when it is scheduled: two queries of index ranges."""
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
    statement = (
        select(JobRun.job_name, JobRun.id, JobRun.finished_at, failed.label("failed"), RunFact.skip_reason)
        .join(ids, ids.c.id == JobRun.id)
        .outerjoin(RunFact, RunFact.run_id == JobRun.id)
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
    )
    runs: dict[str, list[Seen]] = {name: [] for name in WATCHED}
    for row in ctx.session.execute(statement):
        runs[row.job_name].append(Seen(row.id, row.finished_at, bool(row.failed), row.skip_reason))
    known = (
        select(JobSchedule.job_name, func.min(JobSchedule.known_since).label("since"))
        .where(JobSchedule.job_name.in_(WATCHED))
        .group_by(JobSchedule.job_name)
    )
    since = {row.job_name: row.since for row in ctx.session.execute(known)}
    return AutomationFacts(ctx.now(), {name: Watched(tuple(runs[name]), since.get(name)) for name in WATCHED})
