"""Builders of inspections."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from console.domain.inspections.risk import RULE_VERSION
from console.models.inspections import Inspection


def add_inspection(session: Session, at: datetime, **values: Any) -> Inspection:
    """Add a monthly inspection of the electric room of 본관 in which nothing was found."""
    row = Inspection(
        **{
            "site": "본관",
            "location": "전기실",
            "cycle": "monthly",
            "inspector": "kim",
            "inspected_at": at,
            "risk_level": "normal",
            "rule_version": RULE_VERSION,
            "created_by": "kim",
            "created_at": at,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row
