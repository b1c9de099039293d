"""Builders of plans, as the gate makes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from console.domain.remediation.plan import Plan, PlanItem, PlanSummary
from console.domain.text import T

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
