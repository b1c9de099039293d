"""What the autopilot's runs say together: history, summary, anomalies and their exports (API contract, 13 and 14).

JSON, CSV and page read the same dataclasses; sums are made by the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select

from console.core.context import Context
from console.domain.automation import analytics as domain
from console.domain.automation.analytics import Anomalies, HistoryRow, RunCounts, Summary
from console.domain.automation.autopilot import AUTO_ASSIGN, ESCALATION
from console.domain.days import last_days, midnight
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import FINISHED
from console.models.automation import RunFact
from console.models.jobs import JobRun
from console.services.audit import record as audit
from console.services.policies.automation import AUDIT, READ


@dataclass(frozen=True)
class History:
    """Runs, newest first; `total` is how many there are."""

    generated_at: datetime
    count: int
    limit: int
    items: tuple[HistoryRow, ...]
    total: int


def _may(ctx: Context) -> None:
    ctx.actor.require(*READ)
    ctx.actor.require_all_sites()


def _flag(column: Any) -> ColumnElement[bool]:
    """Return a flag of the facts; a run that broke off has none, and then the flag is down."""
    return func.coalesce(column, False)


def failed() -> ColumnElement[bool]:
    """Return the error of a run without facts: it broke off."""
    return and_(RunFact.run_id.is_(None), JobRun.error_code.is_not(None))


_ERRORS = case((failed(), 1), else_=func.coalesce(RunFact.errors_count, 0))
_COLUMNS = (
    JobRun.id,
    JobRun.status,
    JobRun.trigger,
    JobRun.started_at,
    JobRun.finished_at,
    JobRun.dry_run,
    RunFact.force,
    RunFact.skipped,
    RunFact.skip_reason,
    RunFact.planned_auto_assign,
    RunFact.planned_escalation,
    RunFact.did_auto_assign,
    RunFact.did_escalation,
    _ERRORS.label("errors_count"),
    RunFact.open_items,
    RunFact.overdue_count,
    RunFact.unassigned_open_count,
    RunFact.critical_open_count,
    RunFact.assigned_count,
    RunFact.notified_count,
    RunFact.open_items_after,
)


def _runs(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(JobRun)
        .outerjoin(RunFact, RunFact.run_id == JobRun.id)
        .where(JobRun.job_name == job_names.AUTOPILOT, JobRun.state == FINISHED)
    )


def base(ctx: Context) -> Select[Any]:
    """Return the SELECT of all runs for lists; for callers who see all sites."""
    _may(ctx)
    return _runs(*_COLUMNS)


def _newest(limit: int, *conditions: ColumnElement[bool]) -> Select[Any]:
    order = (JobRun.finished_at.desc(), JobRun.id.desc())
    return _runs(*_COLUMNS).where(*conditions).order_by(*order).limit(limit)


def row_of(row: Row[Any]) -> HistoryRow:
    """Turn a row of `base` into one of the history."""
    planned = ((AUTO_ASSIGN, row.planned_auto_assign), (ESCALATION, row.planned_escalation))
    done = ((AUTO_ASSIGN, row.did_auto_assign), (ESCALATION, row.did_escalation))
    return HistoryRow(
        run_id=row.id,
        status=row.status,
        trigger=row.trigger,
        started_at=row.started_at,
        finished_at=row.finished_at,
        dry_run=row.dry_run,
        force=bool(row.force),
        skipped=bool(row.skipped),
        skip_reason=row.skip_reason,
        planned_actions=tuple(action for action, flag in planned if flag),
        actions=tuple(action for action, flag in done if flag),
        errors_count=row.errors_count,
        open_items=row.open_items or 0,
        overdue_count=row.overdue_count or 0,
        unassigned_open_count=row.unassigned_open_count or 0,
        critical_open_count=row.critical_open_count or 0,
        assigned_count=row.assigned_count or 0,
        notified_count=row.notified_count or 0,
        open_items_after=row.open_items_after,
        duration_ms=int((row.finished_at - row.started_at).total_seconds() * 1000),
    )


def history(ctx: Context, *, limit: int = 20, offset: int = 0, export: str | None = None) -> History:
    """Return the newest runs after the first `offset`: two queries.

    `export` is the name of the file that is made of them, which is audited.
    """
    _may(ctx)
    total = ctx.session.scalar(_runs(func.count())) or 0
    found = ctx.session.execute(_newest(limit).offset(min(offset, total)))
    items = tuple(row_of(row) for row in found)
    _tell(ctx, "autopilot_history", export, limit=limit, count=len(items))
    return History(ctx.now(), len(items), limit, items, total)


def _tell(ctx: Context, what: str, export: str | None, **detail: Any) -> None:
    """Put an export on record; a view leaves a line in the log."""
    if export is None:
        audit.viewed(ctx, f"{AUDIT}_{what}_view", AUDIT, what, **detail)
    else:
        audit.record(ctx, f"{AUDIT}_{what}_csv_export", AUDIT, export, detail=detail)


def _sum(flag: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((flag, 1), else_=0)), 0)


_REAL = and_(_flag(RunFact.acted), JobRun.dry_run.is_(False))
_SUMS = {
    "total": func.count(),
    "skipped": _sum(_flag(RunFact.skipped)),
    **{word: _sum(JobRun.status == word) for word in domain.STATUSES},
    "planned_auto_assign": _sum(_flag(RunFact.planned_auto_assign)),
    "planned_escalation": _sum(_flag(RunFact.planned_escalation)),
    "executed_auto_assign": _sum(_flag(RunFact.did_auto_assign)),
    "executed_escalation": _sum(_flag(RunFact.did_escalation)),
    "errors": _sum(or_(func.coalesce(RunFact.errors_count, 0) > 0, failed())),
    "dry": _sum(JobRun.dry_run.expression),
    "executed_real": _sum(_REAL),
    "executed_real_ok": _sum(and_(_REAL, func.coalesce(RunFact.errors_count, 0) == 0)),
}


def summary(ctx: Context, *, days: int = 7, export: str | None = None) -> Summary:
    """Return the sums over all runs of the last `days` times 24 hours: three queries, whatever the number of runs."""
    _may(ctx)
    made = _summary(ctx, days)
    _tell(
        ctx,
        "autopilot_summary",
        export,
        window_days=days,
        total_runs=made.total_runs,
        executed_runs=made.executed_runs,
        skipped_runs=made.skipped_runs,
        cooldown_blocked_runs=made.cooldown_blocked_runs,
        success_rate_percent=made.success_rate_percent,
    )
    return made


def _summary(ctx: Context, days: int) -> Summary:
    now = ctx.now()
    window = JobRun.finished_at >= now - timedelta(days=days)
    sums = ctx.session.execute(_runs(*(part.label(name) for name, part in _SUMS.items())).where(window)).one()
    reasons = ctx.session.execute(
        _runs(RunFact.skip_reason, func.count())
        .where(window, RunFact.skipped.is_(True), RunFact.skip_reason.is_not(None))
        .group_by(RunFact.skip_reason)
    )
    counts = RunCounts(
        **{name: int(count) for name, count in sums._asdict().items()},
        skip_reasons={reason: int(count) for reason, count in reasons},
    )
    newest = ctx.session.execute(_newest(1, window)).first()
    return domain.summary(counts, domain.latest_of(row_of(newest)) if newest else None, now, days)


def anomalies(ctx: Context, *, days: int = 14, export: str | None = None) -> Anomalies:
    """Judge the runs of the last `days` days: four queries."""
    _may(ctx)
    newest = ctx.session.execute(_newest(domain.history_length(days)))
    made = domain.anomalies(_summary(ctx, days), tuple(row_of(row) for row in newest))
    detail = {
        "window_days": days,
        "health_status": made.health_status,
        "anomaly_count": made.anomaly_count,
        "total_runs": made.metrics.total_runs,
        "success_rate_percent": made.metrics.success_rate_percent,
        "skipped_rate_percent": made.metrics.skipped_rate_percent,
    }
    _tell(ctx, "autopilot_anomalies", export, **detail)
    return made


@dataclass(frozen=True)
class Day:
    """The runs of one day of the business zone."""

    day: date
    executed: int = 0
    skipped: int = 0
    errors: int = 0
    assigned: int = 0
    notified: int = 0
    open_before: int | None = None
    open_after: int | None = None
    skip_reasons: Mapping[str, int] = field(default_factory=dict)


def by_day(ctx: Context, *, days: int = 14) -> tuple[Day, ...]:
    """Return the outcomes of the last days, oldest first, days without runs included; one query.

    Dry runs are left out. A run with errors counts as that and as nothing else.
    """
    _may(ctx)
    zone = ctx.zone
    every_day = last_days(ctx.now(), zone, days)
    start = midnight(every_day[0], zone)
    wanted = _runs(*_COLUMNS).where(JobRun.finished_at >= start, JobRun.dry_run.is_(False))
    found: dict[date, dict[str, Any]] = {}
    for row in ctx.session.execute(wanted.order_by(JobRun.finished_at, JobRun.id)):
        run = row_of(row)
        seen = found.setdefault(
            run.finished_at.astimezone(zone).date(),
            {
                "executed": 0,
                "skipped": 0,
                "errors": 0,
                "assigned": 0,
                "notified": 0,
                "open_before": run.open_items,
                "open_after": None,
                "skip_reasons": Counter(),
            },
        )
        kind = "errors" if run.errors_count else "skipped" if run.skipped else "executed"
        seen[kind] += 1
        if kind == "skipped" and run.skip_reason:
            seen["skip_reasons"][run.skip_reason] += 1
        seen["assigned"] += run.assigned_count
        seen["notified"] += run.notified_count
        seen["open_after"] = run.open_items if run.open_items_after is None else run.open_items_after
    return tuple(Day(day, **found.get(day, {})) for day in every_day)
