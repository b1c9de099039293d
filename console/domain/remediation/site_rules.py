"""What has to be done about the verdict of a site, by whom and by when: one item of that site for each rule.

These items stand on the same board as those of the platform's rules, under the site. None of them is required: what the
gate needs for its release is the work of its own rules.
"""

from __future__ import annotations

from datetime import timedelta

from console.domain.gate.gate import FAIL
from console.domain.gate.rules import Rule
from console.domain.gate.site_rules import SiteVerdict
from console.domain.remediation.plan import PlanItem, Remedy, priority_of
from console.domain.text import N_, T

# The kind of these items, and what people call it.
SITE_RULE = "site_rule"
KIND_NAME = N_("Rule of the site")
REMEDIES = {
    "site_danger_ordered": Remedy(
        "Manager", 2, T("Make a work order of every danger, or say why nothing is to be done.")
    ),
    "site_critical_in_time": Remedy(
        "Manager", 4, T("Finish the urgent work orders that are late, or say what they wait for.")
    ),
    "site_rounds_done": Remedy("Manager", 24, T("Do the rounds that were missed.")),
    "site_evidence_given": Remedy("Manager", 24, T("Add the photos after the work to urgent work orders.")),
}


def items_of(verdict: SiteVerdict, *, include_warnings: bool = True) -> list[PlanItem]:
    """Return what has to stand on the board of a site by its verdict, most urgent first."""
    chosen = [rule for rule in verdict.failing if include_warnings or rule.status == FAIL]
    items = [_item(rule, verdict) for rule in chosen]
    return sorted(items, key=lambda item: (item.priority, item.sla_hours, item.rule_id))


def _item(rule: Rule, verdict: SiteVerdict) -> PlanItem:
    remedy = REMEDIES[rule.id]
    return PlanItem(
        item_id=rule.id,
        rule_id=rule.id,
        rule_status=rule.status,
        required=False,
        priority=priority_of(rule.status, False),
        owner_role=remedy.owner_role,
        sla_hours=remedy.sla_hours,
        due_at=verdict.generated_at + timedelta(hours=remedy.sla_hours),
        action=remedy.action,
        reason=rule.message,
        detail=rule.detail,
    )
