"""Builders of what the metrics of the weeks count: events, inspections, exports, sign-ins, deliveries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.core.serialize import to_json
from console.models.alerts import AlertDelivery
from console.models.audit import AuditLog
from console.models.inspections import Inspection
from console.models.work_orders import WorkOrder, WorkOrderEvent
from tests.factories.work_orders import add_order

SITE, OTHER = "본관", "별관"


def answered(session: Session, at: datetime, minutes: float, **values: Any) -> WorkOrder:
    """Add an order that was answered so many minutes after it was made."""
    return add_order(session, at, **{"status": "acked", "acknowledged_at": at + timedelta(minutes=minutes), **values})


def completed(session: Session, at: datetime, minutes: float, **values: Any) -> WorkOrder:
    """Add an order that was completed so many minutes after it was made."""
    return add_order(session, at, **{"status": "completed", "completed_at": at + timedelta(minutes=minutes), **values})


def act(session: Session, order: WorkOrder, actor: str, at: datetime, **values: Any) -> WorkOrderEvent:
    """Add a line to the history of an order."""
    row = WorkOrderEvent(
        **{
            "work_order_id": order.id,
            "event_type": "comment",
            "actor_username": actor,
            "created_at": at,
            "priority": order.priority or "medium",
            "due_at": order.due_at,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def complete_event(session: Session, order: WorkOrder, actor: str, at: datetime) -> WorkOrderEvent:
    """Add the completion of an order to its history."""
    return act(session, order, actor, at, event_type="status_changed", from_status="acked", to_status="completed")


def inspect(session: Session, actor: str, at: datetime, **values: Any) -> Inspection:
    """Add an inspection."""
    row = Inspection(
        **{
            "site": SITE,
            "location": "B1",
            "cycle": "daily",
            "inspector": actor,
            "inspected_at": at,
            "risk_level": "normal",
            "rule_version": "1",
            "created_by": actor,
            "created_at": at,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def entry(session: Session, action: str, actor: str, at: datetime, **values: Any) -> AuditLog:
    """Add an audit entry, in its place but without hashes."""
    newest = session.scalar(select(func.max(AuditLog.seq))) or 0
    detail = values.pop("detail", {})
    row = AuditLog(
        **{
            "actor_username": actor,
            "action": action,
            "resource_type": "report",
            "resource_id": "x",
            "detail_json": to_json(detail),
            "created_at": at,
            "created_text": at.isoformat(),
            "seq": newest + 1,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def delivery(session: Session, at: datetime, status: str = "success", **values: Any) -> AlertDelivery:
    """Add an alert to one channel."""
    row = AlertDelivery(
        **{
            "message_id": f"msg_{uuid4().hex}",
            "event_type": "sla_escalation",
            "channel": "webhook-1",
            "target": "https://…",
            "site": SITE,
            "status": status,
            "last_attempt_at": at,
            "created_at": at,
            "updated_at": at,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row
