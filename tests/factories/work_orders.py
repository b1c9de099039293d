"""Builders of work orders and assets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from console.domain.work_orders.words import rank
from console.models.assets import Asset
from console.models.work_orders import WorkOrder, WorkOrderHold


def add_order(session: Session, now: datetime, **values: Any) -> WorkOrder:
    """Add an order at 본관, due in a day."""
    made = {
        "title": "Pump leaks",
        "site": "본관",
        "location": "B1",
        "due_at": now + timedelta(hours=24),
        "created_by": "kim",
        "updated_by": "kim",
        "created_at": now,
        "updated_at": now,
        **values,
    }
    row = WorkOrder(**made, priority_rank=rank(made.get("priority", "medium")))
    session.add(row)
    session.flush()
    return row


def add_hold(session: Session, order: WorkOrder, start: datetime, end: datetime | None) -> WorkOrderHold:
    """Let an order wait for parts from `start` to `end`, None: it still does."""
    row = WorkOrderHold(work_order_id=order.id, reason="parts", started_at=start, started_by="kim", ended_at=end)
    session.add(row)
    session.flush()
    return row


def add_asset(session: Session, now: datetime, code: str = "TR-01", **values: Any) -> Asset:
    """Add a transformer in the electric room of 본관."""
    row = Asset(
        **{
            "site": "본관",
            "code": code,
            "name": "변압기",
            "kind": "transformer",
            "place": "전기실",
            "created_by": "kim",
            "updated_by": "kim",
            "created_at": now,
            "updated_at": now,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row
