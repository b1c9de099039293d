"""Figures over time: the KPI of this moment, the backlog that was measured, the run that measures it (API contract)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from console.core.context import Context
from console.domain.automation import kpi as domain
from console.domain.automation.kpi import BacklogPoint, KpiMetrics
from console.domain.jobs.runs import Status
from console.domain.text import Text
from console.domain.tracker.tracker import REMEDIATION, item_number
from console.models.automation import BacklogSample
from console.models.tracker import TrackerItem
from console.services.audit import record as audit
from console.services.automation import kpi_sql
from console.services.common import sql
from console.services.jobs.runs import Run
from console.services.policies.automation import READ, Effective, effective

OVERDUE_MOST = 10


@dataclass(frozen=True)
class OverdueItem:
    """An open item past its deadline; hours with one decimal."""

    id: int
    item_id: str
    rule_id: str
    priority: int
    owner_role: str
    assignee: str | None
    status: str
    due_at: datetime
    overdue_hours: float


@dataclass(frozen=True)
class BacklogHistory:
    """Measured backlogs of a window, oldest first, at most 400; `thinned` says that more were measured."""

    window_days: int
    count: int
    trend: str
    points: tuple[BacklogPoint, ...]
    thinned: bool = False


@dataclass(frozen=True)
class Kpi:
    """The figures at `generated_at` (aware UTC); `status_reasons` are those of a run with these figures."""

    generated_at: datetime
    window_days: int
    due_soon_hours: int
    metrics: KpiMetrics
    status_counts: Mapping[str, int]
    assignee_open_counts: Mapping[str, int]
    backlog_history: BacklogHistory
    top_overdue_items: tuple[OverdueItem, ...]
    recommendations: tuple[Text, ...]
    status_reasons: tuple[str, ...]
    settings_source: str

    @property
    def status(self) -> Status:
        """Return the status of a run with these figures."""
        return domain.status_of(self.metrics)[0]


def view(
    ctx: Context, *, window_days: int | None = None, due_soon_hours: int | None = None, site: str | None = None
) -> Kpi:
    """Return the figures of what the caller sees; what is not said comes from the policy."""
    ctx.actor.require(*READ)
    made = snapshot(ctx, effective(ctx), window_days=window_days, due_soon_hours=due_soon_hours, site=site)
    audit.viewed(
        ctx,
        f"{REMEDIATION.audit_prefix}_kpi_view",
        REMEDIATION.audit_prefix,
        "global",
        window_days=made.window_days,
        due_soon_hours=made.due_soon_hours,
        **heads(made.metrics),
    )
    return made


def heads(metrics: KpiMetrics) -> dict[str, int]:
    """Return the four figures that audit entries and history carry."""
    names = ("open_items", "overdue_count", "unassigned_open_count", "critical_open_count")
    return {name: getattr(metrics, name) for name in names}


def snapshot(
    ctx: Context,
    settings: Effective,
    *,
    window_days: int | None = None,
    due_soon_hours: int | None = None,
    site: str | None = None,
) -> Kpi:
    """Return the figures; permissions are the caller's business. Nine queries, none of which reads all items."""
    now = ctx.now()
    days = settings.policy.kpi_window_days if window_days is None else window_days
    hours = settings.policy.kpi_due_soon_hours if due_soon_hours is None else due_soon_hours
    metrics = kpi_sql.metrics(ctx, now, window_days=days, due_soon_hours=hours, site=site)
    return Kpi(
        generated_at=now,
        window_days=days,
        due_soon_hours=hours,
        metrics=metrics,
        status_counts={
            "pending": metrics.pending_count,
            "in_progress": metrics.in_progress_count,
            "done": metrics.done_count,
            "blocked": metrics.blocked_count,
        },
        assignee_open_counts=kpi_sql.assignee_counts(ctx, site),
        backlog_history=history(ctx, now, window_days=days, site=site),
        top_overdue_items=_overdue(ctx, now, site),
        recommendations=domain.recommendations(metrics),
        status_reasons=domain.status_of(metrics)[1],
        settings_source=settings.source(window_days, due_soon_hours),
    )


_NAMES = ("id", "number", "item_key", "priority", "owner_role", "assignee", "status", "due_at")
_COLUMNS = tuple(getattr(TrackerItem, name) for name in _NAMES)


def _overdue(ctx: Context, now: datetime, site: str | None) -> tuple[OverdueItem, ...]:
    # Walked in the order of the list until there are enough: sorting all late items would take longer.
    late = sql.likely(ctx, TrackerItem.due_at < now)
    found = kpi_sql.first_items(ctx, _COLUMNS, late, site=site, most=OVERDUE_MOST)
    return tuple(
        OverdueItem(
            id=row.id,
            item_id=item_number(REMEDIATION.item_prefix, row.number),
            rule_id=row.item_key,
            priority=row.priority,
            owner_role=row.owner_role,
            assignee=row.assignee,
            status=row.status,
            due_at=row.due_at,
            overdue_hours=domain.hours((now - row.due_at).total_seconds()),
        )
        for row in ctx.session.execute(found)
    )


def history(ctx: Context, until: datetime, *, window_days: int, site: str | None = None) -> BacklogHistory:
    """Return the measured backlog of the days before `until`: two queries.

    Measurements are of all sites; who sees only some of them gets none.
    """
    if site is not None or not ctx.actor.all_sites:
        return BacklogHistory(window_days, 0, domain.FLAT, ())
    window = (
        BacklogSample.tracker == REMEDIATION.key,
        BacklogSample.finished_at >= until - timedelta(days=window_days),
        BacklogSample.finished_at <= until,
    )
    count = ctx.session.scalar(select(func.count()).select_from(BacklogSample).where(*window)) or 0
    columns = [getattr(BacklogSample, name) for name in BacklogPoint.__dataclass_fields__]
    place = func.row_number().over(order_by=(BacklogSample.finished_at.desc(), BacklogSample.id.desc()))
    numbered = select(*columns, BacklogSample.id.label("sample"), place.label("place")).where(*window).subquery()
    shown = [numbered.c[column.key] for column in columns]
    kept = select(*shown).where((numbered.c.place - 1) % domain.stride(count) == 0)
    found = ctx.session.execute(kept.order_by(numbered.c.finished_at, numbered.c.sample))
    points = tuple(BacklogPoint(**row._asdict()) for row in found)
    return BacklogHistory(window_days, len(points), domain.trend(points), points, thinned=count > len(points))


def detail_of(made: Kpi) -> dict[str, Any]:
    """Return what a KPI run keeps: the figures, not the history, which has rows of its own."""
    left_out = {"generated_at", "backlog_history"}
    return {name: getattr(made, name) for name in Kpi.__dataclass_fields__ if name not in left_out}


def keep_sample(ctx: Context, run: Run, metrics: KpiMetrics) -> None:
    """Keep how big the backlog was when a real run measured it."""
    assert run.finished_at is not None
    ctx.session.add(
        BacklogSample(
            tracker=REMEDIATION.key,
            finished_at=run.finished_at,
            source_job=run.job_name,
            status=run.status,
            run_id=run.id,
            **heads(metrics),
        )
    )
    ctx.session.flush()
