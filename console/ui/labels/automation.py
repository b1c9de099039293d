"""How the autopilot speaks on pages: message ids for the words of its API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from console.domain.text import N_

# What is done about an item: label, tone, icon.
ACTIONS = {
    "auto_assign": (N_("Assign"), "wait", "user-plus"),
    "escalation": (N_("Notify"), "late", "bell"),
    "leave": (N_("No action"), "plain", "minus"),
    "sync": (N_("Sync"), "plain", "refresh"),
}
LEVELS = {1: N_("Notify: due soon"), 2: N_("Notify: late"), 3: N_("Notify: critical")}
# Why items are counted where they are; keys are rules of the plan.
RULES = {
    "least_loaded": N_("To the person with the least load"),
    "no_candidate": N_("Nobody may work on it"),
    "returned": N_("Taken back by a person"),
    "over_limit": N_("More than one run gives away"),
    "auto_assign_not_triggered": N_("Unassigned, but below the trigger"),
    "escalation_not_triggered": N_("Late or due soon, but below the trigger"),
    "notify_off": N_("Messages are switched off"),
    "step": N_("New step"),
    "repeat": N_("Repeated after the interval"),
    "told": N_("Notified already"),
    "not_due": N_("Time is left"),
    "no_deadline": N_("Without deadline"),
}
SKIPS = {
    "cooldown_active": N_("Cooldown"),
    "no_triggered_actions": N_("No action due"),
    "policy_disabled": N_("Switched off"),
    "disabled": N_("Switched off"),
    "already_running": N_("Running already"),
    "plan_changed": N_("Situation changed"),
}
# One sentence for a run that did nothing.
SKIP_SENTENCES = {
    "cooldown_active": N_("Nothing was done: the cooldown is not over."),
    "no_triggered_actions": N_("Nothing was done: no trigger of the policy was met."),
    "policy_disabled": N_("Nothing was done: the autopilot is switched off."),
    "disabled": N_("Nothing was done: the job is switched off."),
    "already_running": N_("Nothing was done: another run was under way."),
    "plan_changed": N_("Nothing was done: the situation had changed since the plan was made."),
}
# The same before it happens.
SKIP_PLANS = {
    "cooldown_active": N_("A run would wait now: the cooldown is not over."),
    "no_triggered_actions": N_("A run would do nothing now: no trigger of the policy is met."),
    "policy_disabled": N_("A run would do nothing now: the autopilot is switched off."),
}
# How a target is said, by its sign.
TARGETS = {
    "<=": N_("target %(value)s or less"),
    ">=": N_("target %(value)s or more"),
    "<": N_("target below %(value)s"),
    "": N_("target %(value)s"),
}
# Why a step of a run did not do its work.
STEP_REASONS = {
    "no_targets": N_("no channel is configured"),
    "policy_disabled": N_("stopped meanwhile"),
    "internal": N_("internal error"),
}
TRENDS = {"up": N_("growing"), "down": N_("shrinking"), "flat": N_("steady")}
SOURCES = {
    "update": N_("Changed directly"),
    "approval": N_("Proposal approved"),
    "pause": N_("Stopped"),
    "resume": N_("Resumed"),
}
PROPOSAL_STATES = {
    "open": N_("Under review"),
    "approved": N_("Approved"),
    "rejected": N_("Rejected"),
    "withdrawn": N_("Withdrawn"),
}


@dataclass(frozen=True)
class FieldWords:
    """How a field of a policy is called, its unit, what it does, and what its choices are called."""

    label: str
    unit: str = ""
    hint: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)


FIELDS = {
    "enabled": FieldWords(N_("Autopilot"), hint=N_("Off: hourly runs do nothing and say so.")),
    "notify_enabled": FieldWords(N_("Messages"), hint=N_("Off: no one is notified about late items.")),
    "unassigned_trigger": FieldWords(N_("Assign from this many unassigned"), N_("items"), N_("0 is always.")),
    "overdue_trigger": FieldWords(N_("Notify from this many late"), N_("items"), N_("Critical items always count.")),
    "cooldown_minutes": FieldWords(
        N_("Cooldown"), N_("min"), N_("Between two runs that act. Skipped runs do not prolong it.")
    ),
    "skip_if_no_action": FieldWords(N_("Skip runs without anything to do")),
    "kpi_window_days": FieldWords(N_("Figures look back"), N_("days")),
    "kpi_due_soon_hours": FieldWords(N_("Due soon in the figures"), N_("h")),
    "escalation_due_soon_hours": FieldWords(
        N_("Notify before the deadline"), N_("h"), N_("0 notifies about late items only.")
    ),
    "auto_assign_max_items": FieldWords(N_("Assign at most at once"), N_("items")),
    "sync_before_run": FieldWords(N_("Sync with the gate first")),
    "escalation_repeat_hours": FieldWords(N_("Repeat messages after"), N_("h"), N_("0 notifies about each step once.")),
    "escalation_half_sla": FieldWords(
        N_("Never before half of the SLA"), hint=N_("Items with a short SLA are not due soon from the start.")
    ),
    "paused": FieldWords(N_("Emergency stop")),
}
