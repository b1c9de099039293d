"""What has to be done about a gate verdict, by whom and by when (API contract, governance remediation plan)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.domain.gate.gate import FAIL, PASS, WARNING, GateSnapshot
from console.domain.gate.rules import Rule
from console.domain.text import T, Text

DEFAULT_MAX_ITEMS = 30


@dataclass(frozen=True)
class Remedy:
    """Who repairs a rule, within how many hours, and what they do."""

    owner_role: str
    sla_hours: int
    action: Text


REMEDIES = {
    "preflight_no_error": Remedy(
        "Platform Owner", 4, T("Fix required settings and storage at once, then check the preflight again.")
    ),
    "runbook_no_critical": Remedy(
        "Ops Lead", 4, T("Assign every critical runbook check, then run the checks again to confirm.")
    ),
    "security_risk_within_max": Remedy(
        "Security Manager", 8, T("Treat token and permission anomalies first to lower the security risk.")
    ),
    "daily_check_recent": Remedy("Ops PM", 12, T("Repair the daily check job and produce a fresh run.")),
    "dr_restore_valid_recent": Remedy(
        "DR Owner", 24, T("Repeat the recovery rehearsal until the restore is proven valid.")
    ),
    "deploy_smoke_binding_recent": Remedy(
        "Release Manager", 8, T("Repeat the deploy smoke test with the matching rollback guide and checksum.")
    ),
    "weekly_streak_target_met": Remedy(
        "Operations Excellence Lead", 24, T("Restore the weekly quality report and its streak.")
    ),
}
_PRIORITY = {(FAIL, True): 1, (FAIL, False): 2, (WARNING, True): 3, (WARNING, False): 4}


@dataclass(frozen=True)
class PlanItem:
    """One thing to do. `action` is what, `reason` why; `item_id` is only the rank in this plan."""

    item_id: str
    rule_id: str
    rule_status: str
    required: bool
    priority: int
    owner_role: str
    sla_hours: int
    due_at: datetime
    action: Text
    reason: Text
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class PlanSummary:
    """Counts of a plan; candidates, failures and warnings before the cut, items and critical path after it."""

    total_candidates: int
    fail_count: int
    warning_count: int
    item_count: int
    critical_path_count: int


@dataclass(frozen=True)
class Plan:
    """The plan for one verdict. `plan_source` is `fresh` or the id of the gate run it was made from.

    `passed_rule_ids` are the rules that were seen to pass in that very snapshot.
    """

    generated_at: datetime
    gate_generated_at: datetime
    decision: str
    include_warnings: bool
    max_items: int
    plan_source: str
    summary: PlanSummary
    items: tuple[PlanItem, ...]
    passed_rule_ids: frozenset[str]


def remedy_for(rule: Rule) -> Remedy:
    """Return owner role, hours and action of a rule.

    An unknown rule goes to the operations manager with its message.
    """
    return REMEDIES.get(rule.id) or Remedy("Ops Manager", 24, rule.message)


def priority_of(status: str, required: bool) -> int:
    """Return 1 (required failure) to 4 (optional warning), 9 for anything else."""
    return _PRIORITY.get((status, required), 9)


def plan(
    gate: GateSnapshot,
    *,
    now: datetime,
    include_warnings: bool = True,
    max_items: int = DEFAULT_MAX_ITEMS,
    offset: int = 0,
    source: str = "fresh",
) -> Plan:
    """Turn a verdict into a plan, most urgent first.

    Without warnings the plan still has the warnings that made the verdict NO-GO (weighted score, warnings not
    allowed): a plan that cannot lead to GO would be none. `offset` leaves out the most urgent ones; ranks stay.
    """
    blocking = gate.blocking_rule_ids
    chosen = sorted(
        (
            rule
            for rule in gate.rules
            if rule.status != PASS and (include_warnings or rule.status == FAIL or rule.id in blocking)
        ),
        key=lambda rule: (priority_of(rule.status, rule.required), remedy_for(rule).sla_hours, rule.id),
    )
    cut = enumerate(chosen[offset : offset + max_items], start=offset + 1)
    items = tuple(_item(rule, rank, gate.generated_at) for rank, rule in cut)
    return Plan(
        generated_at=now,
        gate_generated_at=gate.generated_at,
        decision=gate.decision,
        include_warnings=include_warnings,
        max_items=max_items,
        plan_source=source,
        summary=PlanSummary(
            total_candidates=len(chosen),
            fail_count=sum(rule.status == FAIL for rule in chosen),
            warning_count=sum(rule.status == WARNING for rule in chosen),
            item_count=len(items),
            critical_path_count=sum(item.rule_status == FAIL and item.required for item in items),
        ),
        items=items,
        passed_rule_ids=frozenset(rule.id for rule in gate.rules if rule.status == PASS),
    )


def _item(rule: Rule, rank: int, gate_at: datetime) -> PlanItem:
    remedy = remedy_for(rule)
    return PlanItem(
        item_id=f"GR-{rank:03d}",
        rule_id=rule.id,
        rule_status=rule.status,
        required=rule.required,
        priority=priority_of(rule.status, rule.required),
        owner_role=remedy.owner_role,
        sla_hours=remedy.sla_hours,
        due_at=gate_at + timedelta(hours=remedy.sla_hours),
        action=remedy.action,
        reason=rule.message,
        detail=rule.detail,
    )
