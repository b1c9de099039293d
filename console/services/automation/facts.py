"""The facts of automation runs: written when a run is closed, read by history, summary, guard and runbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from console.core.context import Context
from console.core.serialize import plain
from console.domain.automation.autopilot import AUTO_ASSIGN, ESCALATION
from console.domain.automation.kpi import KpiMetrics
from console.domain.jobs.runs import FINISHED, Status, detail_object
from console.models.automation import RunFact
from console.models.jobs import JobRun
from console.services.jobs.engine import bounded
from console.services.jobs.requests import snapshot_of
from console.services.jobs.runs import Run, view

if TYPE_CHECKING:
    from console.services.automation.assignment import AutoAssigned
    from console.services.automation.escalation import Escalated

AUTOPILOT_TRIGGER = "autopilot"


@dataclass(frozen=True)
class Facts:
    """What is kept of a run in columns; `before` and `after` are figures around its actions."""

    force: bool = False
    skipped: bool = False
    skip_reason: str | None = None
    planned: Sequence[str] = ()
    actions: Sequence[str] = ()
    errors_count: int = 0
    before: KpiMetrics | None = None
    after: KpiMetrics | None = None
    assigned_count: int = 0
    notified_count: int = 0
    suppressed_count: int = 0
    policy_revision: int = 0
    fingerprint: str = ""


@dataclass(frozen=True)
class Nested:
    """A run inside an autopilot run, as it is to be stored when the outer one is closed."""

    job_name: str
    status: Status
    started_at: datetime
    finished_at: datetime
    detail: Any
    dry_run: bool
    facts: Facts


def of_assignment(made: AutoAssigned) -> Facts:
    """Return the facts of an assignment run."""
    seen = made.workload
    figures = KpiMetrics(open_items=seen.total_open_items, unassigned_open_count=seen.unassigned_open_count)
    return Facts(
        skipped=made.skipped,
        skip_reason=made.skip_reason,
        actions=() if made.skipped else (AUTO_ASSIGN,),
        before=figures,
        assigned_count=made.would_assign_count if made.dry_run else made.assigned_count,
    )


def of_escalation(made: Escalated) -> Facts:
    """Return the facts of an escalation run."""
    seen = made.snapshot.metrics
    figures = KpiMetrics(
        open_items=seen.open_items,
        overdue_count=seen.overdue_count,
        unassigned_open_count=seen.unassigned_open_count,
        critical_open_count=seen.critical_open_count,
    )
    return Facts(
        skipped=made.skipped,
        skip_reason=made.skip_reason,
        actions=() if made.skipped else (ESCALATION,),
        before=figures,
        notified_count=made.notified_count,
        suppressed_count=made.suppressed_count,
    )


_FIGURES = ("open_items", "overdue_count", "unassigned_open_count", "critical_open_count")


def keep(ctx: Context, run: Run, facts: Facts, nested: Sequence[Nested] = ()) -> None:
    """Keep the facts of a run that is being closed, and the runs inside it; for dry runs too."""
    _add(ctx, run, facts, parent=None)
    for one in nested:
        row = JobRun(
            job_name=one.job_name,
            trigger=AUTOPILOT_TRIGGER,
            state=FINISHED,
            status=one.status,
            started_at=one.started_at,
            finished_at=max(one.finished_at, one.started_at),
            detail_json=bounded(detail_object(plain(one.detail)), ctx.config["JOB_DETAIL_MAX_BYTES"]),
            dry_run=one.dry_run,
            executed=not one.facts.skipped,
            requested_by=run.requested_by,
            actor_json=snapshot_of(ctx.actor),
            requested_at=one.started_at,
            request_id=run.request_id,
        )
        ctx.session.add(row)
        ctx.session.flush()
        _add(ctx, view(row), one.facts, parent=run.id)


def _add(ctx: Context, run: Run, facts: Facts, *, parent: int | None) -> None:
    before = {name: getattr(facts.before, name) for name in _FIGURES} if facts.before else {}
    after = {f"{name}_after": getattr(facts.after, name) for name in _FIGURES} if facts.after else {}
    ctx.session.add(
        RunFact(
            run_id=run.id,
            job_name=run.job_name,
            parent_run_id=parent,
            finished_at=run.finished_at,
            dry_run=run.dry_run,
            force=facts.force,
            skipped=facts.skipped,
            skip_reason=facts.skip_reason,
            acted=bool(facts.actions) and not facts.skipped,
            planned_auto_assign=AUTO_ASSIGN in facts.planned,
            planned_escalation=ESCALATION in facts.planned,
            did_auto_assign=AUTO_ASSIGN in facts.actions,
            did_escalation=ESCALATION in facts.actions,
            errors_count=facts.errors_count,
            assigned_count=facts.assigned_count,
            notified_count=facts.notified_count,
            suppressed_count=facts.suppressed_count,
            policy_revision=facts.policy_revision,
            fingerprint=facts.fingerprint,
            **before,
            **after,
        )
    )
    ctx.session.flush()


def nested_of(ctx: Context, run_id: int) -> dict[str, Run]:
    """Return the runs inside an autopilot run by job name: one query."""
    wanted = (
        select(JobRun)
        .join(RunFact, RunFact.run_id == JobRun.id)
        .where(RunFact.parent_run_id == run_id, RunFact.parent_run_id.is_not(None))
        .order_by(JobRun.id)
    )
    return {row.job_name: view(row) for row in ctx.session.scalars(wanted)}
