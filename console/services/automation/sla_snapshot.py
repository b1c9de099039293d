"""The SLA snapshot: how the open items stand, and which ones are most at risk (API contract, section 9.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from console.core.context import Context
from console.domain.automation import kpi
from console.domain.automation.sla import minutes_until
from console.domain.tracker.tracker import REMEDIATION, item_number
from console.models.tracker import TrackerItem
from console.services.audit import record as audit
from console.services.automation import kpi_sql
from console.services.policies.automation import READ
from console.services.tracker import rows, tallies
from console.services.tracker import summary as tracker

RISKS = 10


@dataclass(frozen=True)
class SlaMetrics:
    """Counts of active items; `unassigned_open_count` and those after it of open ones."""

    total_items: int
    open_items: int
    pending_count: int
    in_progress_count: int
    done_count: int
    blocked_count: int
    completion_rate_percent: int
    overdue_count: int
    due_soon_count: int
    critical_open_count: int
    unassigned_open_count: int


@dataclass(frozen=True)
class RiskItem:
    """An open item among the most urgent ones; `minutes_until_due` is negative when it is late."""

    id: int
    item_id: str
    rule_id: str
    rule_status: str
    required: bool
    priority: int
    assignee: str | None
    status: str
    due_at: datetime | None
    minutes_until_due: int | None


@dataclass(frozen=True)
class SlaSnapshot:
    """How the open items stand at `generated_at` (aware UTC)."""

    generated_at: datetime
    due_soon_hours: int
    metrics: SlaMetrics
    assignee_open_counts: Mapping[str, int]
    top_risk_items: tuple[RiskItem, ...]


def view(ctx: Context, *, due_soon_hours: int = 24, site: str | None = None) -> SlaSnapshot:
    """Return the snapshot of what the caller sees: four queries. Raises PermissionDenied, SiteDenied."""
    ctx.actor.require(*READ)
    made = snapshot(ctx, ctx.now(), due_soon_hours=due_soon_hours, site=site)
    audit.viewed(
        ctx,
        f"{REMEDIATION.audit_prefix}_sla_view",
        REMEDIATION.audit_prefix,
        "global",
        due_soon_hours=due_soon_hours,
        open_items=made.metrics.open_items,
        overdue_count=made.metrics.overdue_count,
        critical_open_count=made.metrics.critical_open_count,
    )
    return made


def snapshot(ctx: Context, now: datetime, *, due_soon_hours: int, site: str | None = None) -> SlaSnapshot:
    """Return the snapshot at `now`; permissions are the caller's business."""
    counts = tracker.tally(ctx, REMEDIATION, now, site)
    mine = kpi_sql.scope(ctx, site)
    unassigned = tallies.number(ctx.actor, (REMEDIATION,), "unassigned_open", None if site is None else (site,))
    soon = select(func.count()).select_from(TrackerItem).where(*mine, rows.due_soon(now, due_soon_hours))
    more = select(unassigned, soon.scalar_subquery())
    unassigned_count, soon_count = tuple(ctx.session.execute(more).one())
    risks = ctx.session.execute(kpi_sql.first_items(ctx, _COLUMNS, site=site, most=RISKS))
    return SlaSnapshot(
        generated_at=now,
        due_soon_hours=due_soon_hours,
        metrics=SlaMetrics(
            total_items=counts.total,
            open_items=counts.open,
            pending_count=counts.pending,
            in_progress_count=counts.in_progress,
            done_count=counts.done,
            blocked_count=counts.blocked,
            completion_rate_percent=kpi.completion_rate(counts.done, counts.total),
            overdue_count=counts.overdue,
            due_soon_count=soon_count if due_soon_hours else 0,
            critical_open_count=counts.critical_open,
            unassigned_open_count=unassigned_count,
        ),
        assignee_open_counts=kpi_sql.assignee_counts(ctx, site),
        top_risk_items=tuple(_risk(row, now) for row in risks),
    )


_NAMES = ("id", "number", "item_key", "rule_status", "required", "priority", "assignee", "status", "due_at")
_COLUMNS = tuple(getattr(TrackerItem, name) for name in _NAMES)


def _risk(row: Row[Any], now: datetime) -> RiskItem:
    return RiskItem(
        id=row.id,
        item_id=item_number(REMEDIATION.item_prefix, row.number),
        rule_id=row.item_key,
        rule_status=row.rule_status,
        required=row.required,
        priority=row.priority,
        assignee=row.assignee,
        status=row.status,
        due_at=row.due_at,
        minutes_until_due=None if row.due_at is None else minutes_until(row.due_at, now),
    )
