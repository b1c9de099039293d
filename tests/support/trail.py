"""What stands in the audit trail, once what is under way has been committed."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.models.audit import AuditLog


def actions(session: Session) -> list[str]:
    """Return the actions on record, oldest first."""
    session.rollback()
    return list(session.scalars(select(AuditLog.action).order_by(AuditLog.id)))


def entries(session: Session, action: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what an action was done to, and the details, oldest first."""
    session.rollback()
    rows = session.scalars(select(AuditLog).where(AuditLog.action == action).order_by(AuditLog.id))
    return [(row.resource_type, row.resource_id, json.loads(row.detail_json)) for row in rows]
