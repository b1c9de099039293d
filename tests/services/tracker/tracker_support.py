"""Plans, items and shortcuts for tests of the tracker."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.core.context import Context
from console.models.audit import AuditLog
from console.services.remediation import apply as tracker_apply
from tests.factories.remediation import make_plan, plan_item


def synced(ctx: Context, *rules: str, passed: Iterable[str] = (), **values: Any) -> tracker_apply.SyncResult:
    """Sync with a plan of these rules."""
    now = ctx.now()
    result = tracker_apply.apply(ctx, make_plan(now, [plan_item(rule, now, **values) for rule in rules], passed), now)
    ctx.commit()
    return result


def audited(session: Session, action: str) -> list[tuple[str, str, str, Mapping[str, Any]]]:
    """Return resource type, id, status and detail of the audit rows of one tracker action."""
    rows = session.scalars(
        select(AuditLog).where(AuditLog.action == f"ops_governance_remediation_tracker_{action}").order_by(AuditLog.id)
    )
    return [(row.resource_type, row.resource_id, row.status, json.loads(row.detail_json)) for row in rows]
