"""Builders of items."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from console.models.tracker import TrackerItem

HOUR = timedelta(hours=1)


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
