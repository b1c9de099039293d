"""What the autopilot would do and why: triggers, skipping, the plan item by item, its fingerprint (API contract)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from console.domain.automation.guard import Guard
from console.domain.automation.kpi import KpiMetrics
from console.domain.automation.sla import EscalationPolicy
from console.domain.automation.workload import LEAST_LOADED, NO_CANDIDATE, RETURNED
from console.domain.jobs.runs import Status
from console.domain.text import Text

AUTO_ASSIGN, ESCALATION, SYNC, LEAVE = "auto_assign", "escalation", "sync", "leave"
ACTIONS = (AUTO_ASSIGN, ESCALATION)
OVER_LIMIT, NOT_TRIGGERED, NOTIFY_OFF = "over_limit", "not_triggered", "notify_off"

COOLDOWN, NOTHING, POLICY_DISABLED, DISABLED, ALREADY_RUNNING, PLAN_CHANGED = (
    "cooldown_active",
    "no_triggered_actions",
    "policy_disabled",
    "disabled",
    "already_running",
    "plan_changed",
)
# Why an item is given away or is not; all other rules of a plan are about messages.
ASSIGNMENT_RULES = (LEAST_LOADED, NO_CANDIDATE, RETURNED, OVER_LIMIT, f"{AUTO_ASSIGN}_{NOT_TRIGGERED}")
SKIP_REASONS = (COOLDOWN, NOTHING, POLICY_DISABLED, DISABLED, ALREADY_RUNNING, PLAN_CHANGED)


@dataclass(frozen=True)
class AutopilotPolicy:
    """The values of the policy; the first ten are published, the others came later with safe defaults.

    `paused` is the kill switch: nothing acts by itself while it is on, whatever the other values say.
    """

    enabled: bool = True
    notify_enabled: bool = True
    unassigned_trigger: int = 1
    overdue_trigger: int = 1
    cooldown_minutes: int = 30
    skip_if_no_action: bool = True
    kpi_window_days: int = 14
    kpi_due_soon_hours: int = 24
    escalation_due_soon_hours: int = 12
    auto_assign_max_items: int = 30
    sync_before_run: bool = True
    escalation_repeat_hours: int = 4
    escalation_half_sla: bool = True
    paused: bool = False

    @property
    def acts(self) -> bool:
        """Return whether the autopilot may do anything at all."""
        return self.enabled and not self.paused

    @property
    def escalation(self) -> EscalationPolicy:
        """Return the part that decides about escalations; 0 hours are kept and mean overdue only."""
        return EscalationPolicy(self.escalation_due_soon_hours, self.escalation_half_sla, self.escalation_repeat_hours)


@dataclass(frozen=True)
class Evaluation:
    """Which actions the figures ask for."""

    should_run_auto_assign: bool
    should_run_escalation: bool
    planned_actions: tuple[str, ...]


def evaluate(policy: AutopilotPolicy, metrics: KpiMetrics, *, force: bool = False) -> Evaluation:
    """Compare the figures with the triggers; a trigger of 0 is always met, a disabled policy plans nothing."""
    assign = force or metrics.unassigned_open_count >= policy.unassigned_trigger
    escalate = force or metrics.critical_open_count > 0 or metrics.overdue_count >= policy.overdue_trigger
    wanted = ((AUTO_ASSIGN, assign), (ESCALATION, escalate))
    planned = tuple(action for action, should in wanted if should) if policy.acts else ()
    return Evaluation(assign, escalate, planned)


def skip_reason(policy: AutopilotPolicy, guard: Guard, evaluation: Evaluation) -> str | None:
    """Return why a run would do nothing, or None when it acts; the first that applies."""
    if not policy.acts:
        return POLICY_DISABLED
    if guard.blocked:
        return COOLDOWN
    if not evaluation.planned_actions and policy.skip_if_no_action:
        return NOTHING
    return None


def run_status(metrics: KpiMetrics, planned: Sequence[str], *, errors: int, disabled: bool = False) -> Status:
    """Return the status of a run (API contract): the backlog before the actions decides, unless something broke."""
    if errors:
        return "critical"
    if disabled:
        return "success"
    if metrics.overdue_count or metrics.critical_open_count:
        return "warning"
    return "warning" if metrics.unassigned_open_count and AUTO_ASSIGN not in planned else "success"


@dataclass(frozen=True)
class PlanLine:
    """One item of the plan: what is done, by which rule, with which numbers; `LEAVE` lines say why nothing is.

    `targets` are the user names that get something: the item or the message.
    """

    id: int
    item_id: str
    title: Any
    action: str
    rule: str
    reason: Text
    targets: tuple[str, ...] = ()
    level: int = 0
    due_at: datetime | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PlanCount:
    """How many items an action and rule of the plan concern; `lines` may show fewer."""

    action: str
    rule: str
    count: int

    @property
    def about(self) -> str:
        """Return the action that the count speaks of, done or not."""
        return AUTO_ASSIGN if self.rule in ASSIGNMENT_RULES else ESCALATION


@dataclass(frozen=True)
class Plan:
    """What a run would do at this moment. `truncated` says that there are more items than lines.

    `left_alone` is how many open items nothing is done about; their counts say why, once for the assignment and once
    for the message.
    """

    fingerprint: str = ""
    lines: tuple[PlanLine, ...] = ()
    counts: tuple[PlanCount, ...] = ()
    left_alone: int = 0
    truncated: bool = False

    def count(self, action: str) -> int:
        """Return how many items an action concerns."""
        return sum(part.count for part in self.counts if part.action == action)


@dataclass(frozen=True)
class PlanDigest:
    """What makes two plans the same: who gets what, and which items are told at which level.

    Escalations may be many: `escalated` has, per rule and level, count, sum and newest id of the items.
    """

    assigned: tuple[tuple[int, str], ...] = ()
    escalated: tuple[tuple[str, int, int, int, int], ...] = ()


def fingerprint(policy: AutopilotPolicy, revision: int, planned: Sequence[str], digest: PlanDigest) -> str:
    """Return a plan's fingerprint: another one means that policy or items changed so that the plan did."""
    shown = {
        "policy": asdict(policy),
        "revision": revision,
        "planned": list(planned),
        "assigned": sorted(list(pair) for pair in digest.assigned),
        "escalated": sorted(list(part) for part in digest.escalated),
    }
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
