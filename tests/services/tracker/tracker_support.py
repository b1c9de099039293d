"""Plans, items and shortcuts for tests of the tracker."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.core.context import Context
from console.domain.remediation.plan import Plan, PlanItem, PlanSummary
from console.domain.text import T
from console.models.audit import AuditLog
from console.models.tracker import TrackerItem
from console.services.remediation import apply as tracker_apply

HOUR = timedelta(hours=1)


def plan_item(rule: str, at: datetime, **values: Any) -> PlanItem:
    sla = values.get("sla_hours", 24)
    return PlanItem(
        **{
            "item_id": "GR-001",
            "rule_id": rule,
            "rule_status": "warning",
            "required": False,
            "priority": 4,
            "owner_role": "DR Owner",
            "sla_hours": sla,
            "due_at": at + sla * HOUR,
            "action": T("Repeat the recovery rehearsal until the restore is proven valid."),
            "reason": T("No rehearsal yet"),
            "detail": {"rule": rule},
            **values,
        }
    )


def make_plan(
    at: datetime, items: Iterable[PlanItem] = (), passed: Iterable[str] = (), decision: str = "no_go"
) -> Plan:
    items = tuple(items)
    return Plan(
        generated_at=at,
        gate_generated_at=at,
        decision=decision,
        include_warnings=True,
        max_items=30,
        plan_source="fresh",
        summary=PlanSummary(len(items), 0, len(items), len(items), 0),
        items=items,
        passed_rule_ids=frozenset(passed),
    )


def synced(ctx: Context, *rules: str, passed: Iterable[str] = (), **values: Any) -> tracker_apply.SyncResult:
    """Sync with a plan of these rules."""
    now = ctx.now()
    result = tracker_apply.apply(ctx, make_plan(now, [plan_item(rule, now, **values) for rule in rules], passed), now)
    ctx.commit()
    return result


def add_item(session: Session, now: datetime, number: int, **values: Any) -> TrackerItem:
    """Add an open item of a rule."""
    done = values.get("status") == "done"
    row = TrackerItem(
        **{
            "tracker": "remediation",
            "item_type": "rule",
            "item_key": f"rule_{number}",
            "number": number,
            "priority": 4,
            "owner_role": "Ops Manager",
            "action": f"Repair rule {number}",
            "due_at": now + 24 * HOUR,
            "completion_checked": done,
            "completed_at": now if done else None,
            "first_seen_at": now,
            "opened_at": now,
            "created_at": now,
            "updated_at": now,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def audited(session: Session, action: str) -> list[tuple[str, str, str, Mapping[str, Any]]]:
    """Return resource type, id, status and detail of the audit rows of one tracker action."""
    rows = session.scalars(
        select(AuditLog).where(AuditLog.action == f"ops_governance_remediation_tracker_{action}").order_by(AuditLog.id)
    )
    return [(row.resource_type, row.resource_id, row.status, json.loads(row.detail_json)) for row in rows]
