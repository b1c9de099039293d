"""Escalation of late orders: once per order and cycle, told in the transaction that flags them (API contract, 5).

A pass over the orders is remembered with its instant and its limits, so that a replay can walk the same passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, Table, insert, select, update

from console.core.context import SYSTEM, Context
from console.core.records import JsonObject
from console.domain.alerts import snooze as rules
from console.domain.alerts.alerts import SLA_ESCALATED
from console.models.work_orders import SlaPass, WorkOrder, WorkOrderEvent
from console.services.alerts import outbox as alerts
from console.services.alerts.addresses import order_address
from console.services.alerts.outbox import ChannelResult, Raised
from console.services.audit import record as audit
from console.services.facility_sla import moment
from console.services.facility_sla.policies import Policies, all_in_force
from console.services.identity.names import names_of
from console.services.jobs.progress import current
from console.services.work_orders import snooze
from console.services.work_orders.rows import visible
from console.services.work_orders.store import Event, event_row

ESCALATE = "work_orders:escalate"
ALERT_ORDERS_MOST = 20
_EVENTS = cast("Table", WorkOrderEvent.__table__)
_FIELDS = (
    *("id", "site", "status", "priority", "due_at", "policy_revision_id", "waiting_reason", "title"),
    *("assignee", "is_escalated"),
)


@dataclass(frozen=True)
class Escalated:
    """What a run found and did (API contract, SLA escalation batch); `checked_at` is aware UTC."""

    checked_at: datetime
    dry_run: bool
    site: str | None
    limit: int
    allowed_sites: tuple[str, ...] | None
    candidate_count: int
    escalated_count: int
    work_order_ids: tuple[int, ...]
    grace_minutes_by_site: JsonObject
    alert_dispatched: bool
    alert_error: str | None
    alert_channels: tuple[ChannelResult, ...]


def escalate(ctx: Context, *, site: str | None = None, limit: int = 200, dry_run: bool = False) -> Escalated:
    """Flag the orders of the caller's sites that are past their due date and grace, the earliest due first.

    Flags, events, alert, audit entry and the memory of the pass are one transaction, or none of them exists.
    Raises PermissionDenied, SiteDenied.
    """
    ctx.actor.require(ESCALATE)
    if site is not None:
        ctx.actor.require_site(site)
    now, force = ctx.now(), all_in_force(ctx)
    found = _due(ctx, site, limit, force, now, lock=not dry_run)
    raised = None
    if not dry_run:
        _remember(ctx, site, limit, len(found), now)
    if found and not dry_run:
        _flag(ctx, found, now)
        _write_events(ctx, found, force, now)
        snooze.end(ctx, [row.id for row in found], rules.ESCALATED, now)
        # Each channel is told of the first of its orders; whoever has one of the others is told as well.
        raised = alerts.raise_alert(
            ctx, SLA_ESCALATED, _payload(ctx, site, found, now), site=_one_site(found), most_lines=ALERT_ORDERS_MOST
        )
        _record(ctx, site, found, raised)
    return Escalated(
        checked_at=now,
        dry_run=dry_run,
        site=site,
        limit=limit,
        allowed_sites=None if ctx.actor.all_sites else tuple(ctx.actor.site_scope),
        candidate_count=len(found),
        escalated_count=0 if dry_run else len(found),
        work_order_ids=tuple(row.id for row in found),
        grace_minutes_by_site={
            name: force.of(name).policy.escalation_grace_minutes for name in sorted({row.site for row in found})
        },
        alert_dispatched=raised is not None and raised.queued > 0,
        alert_error=raised.error if raised else None,
        alert_channels=raised.channels if raised else (),
    )


def _due(
    ctx: Context, site: str | None, limit: int, force: Policies, now: datetime, *, lock: bool
) -> Sequence[Row[Any]]:
    """Return the orders that escalate now, locked when they will be: one query over the index of open orders.

    What changed after `now` is left to the next pass: its events are younger than this one.
    """
    wanted = select(*(getattr(WorkOrder, name) for name in _FIELDS)).where(
        moment.OPEN,
        WorkOrder.is_escalated.is_(False),
        WorkOrder.due_at < now,
        WorkOrder.updated_at <= now,
        moment.late(force, now),
        visible(ctx.actor),
    )
    if site is not None:
        wanted = wanted.where(WorkOrder.site == site)
    first = wanted.order_by(WorkOrder.due_at, WorkOrder.id).limit(limit)
    return ctx.session.execute(first.with_for_update() if lock else first).all()


def _flag(ctx: Context, found: Sequence[Row[Any]], now: datetime) -> None:
    values = {"is_escalated": True, "updated_at": now, "updated_by": ctx.actor.username}
    for start in range(0, len(found), 500):
        ids = [row.id for row in found[start : start + 500]]
        flagged = update(WorkOrder).where(WorkOrder.id.in_(ids), moment.OPEN, WorkOrder.is_escalated.is_(False))
        ctx.session.execute(
            flagged.values(**values, version=WorkOrder.version + 1),
            execution_options={"synchronize_session": False},
        )


def _write_events(ctx: Context, found: Sequence[Row[Any]], force: Policies, now: datetime) -> None:
    rows = []
    for row in found:
        counts = force.of(row.site)
        detail = {
            "due_at": row.due_at.isoformat(),
            "grace_minutes": counts.policy.escalation_grace_minutes,
            "policy_source": counts.source,
            "policy_revision_id": counts.revision_id,
        }
        event = Event("escalated", row.status, row.status, detail=detail)
        rows.append({**event_row(ctx, row, event, now), "is_escalated": True})
    ctx.session.execute(insert(_EVENTS), rows)


def _remember(ctx: Context, site: str | None, limit: int, count: int, now: datetime) -> None:
    handle = current(ctx)
    ctx.session.add(
        SlaPass(
            at=now,
            site=site,
            sites=None if ctx.actor.all_sites else list(ctx.actor.site_scope),
            row_limit=limit,
            escalated_count=count,
            run_id=handle.run_id if handle else None,
            actor=ctx.actor.username,
        )
    )
    ctx.session.flush()


def _one_site(found: Sequence[Row[Any]]) -> str | None:
    sites = {row.site for row in found}
    return sites.pop() if len(sites) == 1 else None


def _payload(ctx: Context, site: str | None, found: Sequence[Row[Any]], now: datetime) -> dict[str, Any]:
    """Return the alert: the published fields, then all orders with their sites and how late they are."""
    names = names_of(ctx, (row.assignee for row in found))
    return {
        "event": SLA_ESCALATED,
        "site": site or "ALL",
        "checked_at": now,
        "escalated_count": len(found),
        "work_order_ids": [row.id for row in found],
        "sites": sorted({row.site for row in found}),
        "orders": [_line(ctx, row, names, now) for row in found],
    }


def _line(ctx: Context, row: Row[Any], names: Mapping[str, str], now: datetime) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "site": row.site,
        "priority": row.priority,
        "due_at": row.due_at,
        "hours_late": round((now - row.due_at).total_seconds() / 3600, 1),
        "assignee": row.assignee,
        "assignee_name": names.get(row.assignee, row.assignee) if row.assignee else None,
        **order_address(ctx.config, row.id),
    }


def _record(ctx: Context, site: str | None, found: Sequence[Row[Any]], raised: Raised) -> None:
    detail = {
        "site": site,
        "sites": sorted({row.site for row in found}),
        "escalated_count": len(found),
        "work_order_ids": [row.id for row in found],
        "alert_error": raised.error,
    }
    own = replace(ctx, actor=SYSTEM)
    audit.record(own, "sla_escalation_batch", "work_order", "batch", status=_status(raised), detail=detail)


def record_run(ctx: Context, made: Escalated) -> None:
    """Put on record who asked for a run."""
    detail = {
        "site": made.site,
        "limit": made.limit,
        "candidate_count": made.candidate_count,
        "escalated_count": made.escalated_count,
    }
    audit.record(ctx, "work_order_sla_escalation_run", "work_order", "batch", detail=detail)


def _status(raised: Raised) -> str:
    return "warning" if raised.error else "success"
