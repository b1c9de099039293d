"""Builders of what a shift has beside its orders: inspections and alerts that did not arrive."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from console.models.alerts import AlertDelivery
from console.models.inspections import Inspection

_NUMBERS = count(1)


def add_inspection(session: Session, now: datetime, **values: Any) -> Inspection:
    """Add an inspection at 본관 that found something dangerous."""
    made = {
        "site": "본관",
        "location": "B1",
        "cycle": "monthly",
        "inspector": "강야간",
        "inspected_at": now,
        "risk_level": "danger",
        "risk_flags": ["insulation_low"],
        "finding_names": [""],
        "rule_version": "1",
        "created_by": "kim",
        "created_at": now,
        **values,
    }
    row = Inspection(**{**made, "finding_names": [""] * len(made["risk_flags"])})
    session.add(row)
    session.flush()
    return row


def add_delivery(session: Session, now: datetime, named: str, status: str = "failed", **values: Any) -> AlertDelivery:
    """Add an alert whose message names a site, and that was last tried at `now`."""
    made = {
        "message_id": f"made-{next(_NUMBERS)}",
        "event_type": "sla_escalation",
        "channel": "c",
        "target": "https://hooks.test/a",
        "payload_json": {"site": named},
        "status": status,
        "last_attempt_at": now,
        "created_at": now,
        "updated_at": now,
        **values,
    }
    row = AlertDelivery(**made)
    session.add(row)
    session.flush()
    return row
