"""The remediation plan of a fresh verdict, and its CSV (API contract, governance remediation plan)."""

from __future__ import annotations

from typing import Any

from console.core.context import Context
from console.core.i18n import DEFAULT_LOCALE, text_in
from console.core.serialize import CsvColumn, columns_of
from console.domain.remediation import plan as remediation
from console.domain.remediation.plan import Plan, PlanItem
from console.services.audit import record as audit
from console.services.gate import gate

READ = gate.READ


def plan(
    ctx: Context,
    *,
    include_warnings: bool = True,
    max_items: int = remediation.DEFAULT_MAX_ITEMS,
    offset: int = 0,
) -> Plan:
    """Return the plan for a fresh verdict; raises PermissionDenied."""
    ctx.actor.require(*READ)
    return remediation.plan(
        gate.snapshot(ctx), now=ctx.now(), include_warnings=include_warnings, max_items=max_items, offset=offset
    )


def action_of(item: PlanItem) -> str:
    """Return what is to be done, in Korean as the API promises."""
    return text_in(DEFAULT_LOCALE, item.action)


CSV_COLUMNS = (
    *columns_of("item_id", "rule_id", "rule_status", "required", "priority", "owner_role", "sla_hours", "due_at"),
    CsvColumn("action", action_of),
    CsvColumn("reason", lambda item: str(item.reason)),
)


def as_answer(made: Plan) -> dict[str, Any]:
    """Return the published shape; action and reason stand beside their translatable forms."""
    return {
        "generated_at": made.generated_at,
        "gate_generated_at": made.gate_generated_at,
        "decision": made.decision,
        "include_warnings": made.include_warnings,
        "max_items": made.max_items,
        "plan_source": made.plan_source,
        "summary": made.summary,
        "items": [_item(item) for item in made.items],
    }


def _item(item: PlanItem) -> dict[str, Any]:
    return {
        "item_id": item.item_id,
        "rule_id": item.rule_id,
        "rule_status": item.rule_status,
        "required": item.required,
        "priority": item.priority,
        "owner_role": item.owner_role,
        "sla_hours": item.sla_hours,
        "due_at": item.due_at,
        "action": action_of(item),
        "reason": str(item.reason),
        "detail": item.detail,
        "action_text": item.action.as_dict(),
        "reason_text": item.reason.as_dict(),
    }


def export(ctx: Context, *, filename: str, include_warnings: bool = True, max_items: int, offset: int = 0) -> Plan:
    """Return the plan for a download and put the export on record; status `warning` when the verdict is not GO."""
    made = plan(ctx, include_warnings=include_warnings, max_items=max_items, offset=offset)
    audit.record(
        ctx,
        "ops_governance_gate_remediation_csv_export",
        "ops_governance_gate",
        filename,
        status="success" if made.decision == "go" else "warning",
        detail={"decision": made.decision, "include_warnings": include_warnings, "item_count": len(made.items)},
    )
    return made
