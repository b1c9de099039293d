"""How the lists of a week are published: order, CSV (API contract, CSV headers and row mapping), items of a tracker.

A document names its layout; a new week takes one that is there. A cell is the name of a field; lists are joined by
` | `, with a comma behind the name by `, `. `@time` is `start-end` of an entry with hours, `@when` has its date before
it, and a text behind `=` stands in every row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from console.domain.text import N_


@dataclass(frozen=True)
class Tracked:
    """How entries of a list become items of the week's tracker: their type, and which fields name and own them."""

    word: str
    label: str
    name: str
    owner: str
    evidence: bool = False


@dataclass(frozen=True)
class ListKind:
    """One list of a week: its field, its heading for people, the `section` and cells of its rows in the CSV.

    Lists without `cells` are not part of the CSV; those that are not `embedded` have an address of their own alone.
    """

    field: str
    label: str
    section: str = ""
    cells: tuple[str, ...] = ()
    tracked: Tracked | None = None
    embedded: bool = True


@dataclass(frozen=True)
class Extra:
    """A list that has an address of its own: which list, its title, and whether `timeline` or `count` goes with it."""

    field: str
    title: str
    key: str
    timeline: bool = True


@dataclass(frozen=True)
class Layout:
    """The lists of a week in their order, and the file that they fill (`checklist` or `missions`)."""

    header: tuple[str, ...]
    lists: tuple[ListKind, ...]
    file: str = "checklist"
    extras: Mapping[str, Extra] = field(default_factory=dict)

    def kind(self, name: str) -> ListKind:
        """Return the list of that field; raises KeyError."""
        return {one.field: one for one in self.lists}[name]


EVENTS = "scheduled_events"


def _columns(names: str) -> tuple[str, ...]:
    return ("section", *names.split(","))


def _events(*cells: str) -> ListKind:
    tracked = Tracked("scheduled_event", N_("Scheduled event"), "title", "owner")
    return ListKind(EVENTS, N_("Events of the week"), "scheduled_event", cells, tracked)


LAYOUTS: dict[str, Layout] = {
    "sop_sandbox": Layout(
        _columns(
            "id,name,owner,target_or_module,trigger_or_objective,checkpoints_or_pass_criteria,duration_min,"
            "definition_of_done_or_output"
        ),
        (
            ListKind(
                "sop_runbooks",
                N_("SOPs"),
                "sop_runbook",
                ("id", "name", "owner", "target_roles,", "trigger", "checkpoints", "", "definition_of_done"),
                Tracked("sop_runbook", N_("SOP"), "name", "owner"),
            ),
            ListKind(
                "sandbox_scenarios",
                N_("Practice scenarios"),
                "sandbox_scenario",
                ("id", "module", "", "module", "objective", "pass_criteria", "duration_min", "api_flow"),
                Tracked("sandbox_scenario", N_("Sandbox scenario"), "objective", "owner", evidence=True),
            ),
            _events("id", "title", "owner", "date", "@time", "", "", "output"),
        ),
    ),
    "onboarding": Layout(
        _columns(
            "id,name_or_role,owner_or_trainer,schedule,objective_or_focus,checklist_or_channel,duration_min,"
            "expected_output_or_success"
        ),
        (
            ListKind(
                "kickoff_agenda",
                N_("Agenda of the kick-off"),
                "kickoff_agenda",
                ("id", "topic", "owner", "", "objective", "", "duration_min", "expected_output"),
                Tracked("kickoff_agenda", N_("Kick-off agenda"), "topic", "owner"),
            ),
            ListKind(
                "role_workshops",
                N_("Workshops by role"),
                "role_workshop",
                ("id", "role", "trainer", "", "objective", "checklist", "duration_min", "success_criteria"),
                Tracked("role_workshop", N_("Role workshop"), "objective", "trainer", evidence=True),
            ),
            ListKind(
                "office_hours",
                N_("Office hours"),
                "office_hour",
                ("id", "=Daily office hour", "host", "@when", "focus", "channel", "", ""),
                Tracked("office_hour", N_("Office hour"), "focus", "host"),
            ),
            _events("id", "title", "owner", "@when", "", "", "", "output"),
        ),
    ),
    "coaching": Layout(
        _columns("id,champion_role,action,owner,due_hint,objective,evidence_required,quick_fix"),
        (
            ListKind(
                "coaching_actions",
                N_("Coaching actions"),
                "coaching_action",
                (
                    *("id", "champion_role", "action", "owner", "due_hint", "objective", "evidence_required"),
                    "quick_fix",
                ),
                Tracked("coaching_action", N_("Coaching action"), "action", "owner", evidence=True),
            ),
            _events("id", "", "title", "owner", "@when", "", "", "output"),
            ListKind("common_mistakes", N_("Common mistakes"), embedded=False),
        ),
    ),
    "missions": Layout(
        _columns("id,role,mission,weekly_target,owner,evidence_required,evidence_hint"),
        (
            ListKind(
                "role_missions",
                N_("Missions by role"),
                "role_mission",
                ("id", "role", "mission", "weekly_target", "owner", "evidence_required", "evidence_hint"),
            ),
            _events("id", "", "title", "@when", "owner", "", "output"),
            ListKind("help_docs", N_("Help texts")),
        ),
        file="missions",
        extras={"help-docs": Extra("help_docs", N_("W05 Help Docs"), "help_docs")},
    ),
    "rhythm": Layout(
        _columns(
            "id,day_or_control,routine_or_objective,owner_or_api_ref,definition_of_done_or_pass_criteria,evidence_hint"
        ),
        (
            ListKind(
                "rhythm_checklist",
                N_("Rhythm of the week"),
                "rhythm_checklist",
                ("id", "day", "routine", "owner_role", "definition_of_done", "evidence_hint"),
            ),
            ListKind(
                "rbac_audit_checklist",
                N_("Audit of roles and tokens"),
                "rbac_audit",
                ("id", "control", "objective", "api_ref", "pass_criteria", ""),
            ),
            _events("id", "date", "title", "owner", "output", "@time"),
        ),
        extras={
            "rbac-audit-template": Extra("rbac_audit_checklist", N_("W06 RBAC Audit Template"), "rbac_audit_template")
        },
    ),
    "sla": Layout(
        _columns(
            "id,cadence_or_trigger,control_or_play,owner,target_or_expected_impact,"
            "definition_of_done_or_evidence,api_ref"
        ),
        (
            ListKind(
                "sla_checklist",
                N_("SLA checks"),
                "sla_checklist",
                ("id", "cadence", "control", "owner_role", "target", "definition_of_done", ""),
                Tracked("sla_checklist", N_("SLA check"), "control", "owner_role", evidence=True),
            ),
            ListKind(
                "coaching_plays",
                N_("Coaching plays"),
                "coaching_play",
                ("id", "trigger", "play", "owner", "expected_impact", "evidence_hint", "api_ref"),
                Tracked("coaching_play", N_("Coaching play"), "play", "owner", evidence=True),
            ),
            _events("id", "date", "title", "owner", "output", "@time", ""),
        ),
        extras={"coaching-playbook": Extra("coaching_plays", N_("W07 Coaching Playbook"), "coaching_playbook")},
    ),
    "reporting": Layout(
        _columns(
            "id,cadence_or_control,discipline_or_objective,owner_or_api_ref,target_or_pass_criteria,"
            "definition_of_done_or_evidence,api_ref"
        ),
        (
            ListKind(
                "report_discipline_checklist",
                N_("Report checks"),
                "report_discipline",
                ("id", "cadence", "discipline", "owner_role", "target", "definition_of_done", "api_ref"),
            ),
            ListKind(
                "data_quality_controls",
                N_("Data quality controls"),
                "data_quality_control",
                ("id", "control", "objective", "api_ref", "pass_criteria", "", "api_ref"),
            ),
            _events("id", "date", "title", "owner", "output", "@time", ""),
            ListKind("reporting_sop", N_("Steps of the report")),
        ),
        extras={"reporting-sop": Extra("reporting_sop", N_("W08 Reporting SOP"), "reporting_sop", timeline=False)},
    ),
    "kpi": Layout(
        _columns(
            "id,kpi_or_event_key,name_or_title,owner_or_escalate_to,direction_or_condition,green_or_sla_hours,"
            "yellow_or_action,target_or_output,source_or_time"
        ),
        (
            ListKind(
                "kpi_threshold_matrix",
                N_("KPI thresholds"),
                "kpi_threshold",
                (
                    *("id", "kpi_key", "kpi_name", "owner_role", "direction", "green_threshold", "yellow_threshold"),
                    *("target", "source_api"),
                ),
                Tracked("kpi_threshold", N_("KPI threshold"), "kpi_name", "owner_role", evidence=True),
            ),
            ListKind(
                "escalation_map",
                N_("Escalation map"),
                "escalation_map",
                ("id", "kpi_key", "", "escalate_to", "condition", "sla_hours", "action", "", ""),
                Tracked("kpi_escalation", N_("KPI escalation"), "action", "escalate_to", evidence=True),
            ),
            _events("id", "", "title", "owner", "", "", "", "output", "@when"),
        ),
    ),
    "guides": Layout(
        _columns("id,key_or_module,name_or_symptom,owner_role,objective_or_target,definition_or_output,api_or_time"),
        (
            ListKind(
                "self_serve_guides",
                N_("Guides"),
                "self_serve_guide",
                ("id", "problem_cluster", "title", "owner_role", "target", "", "source_api"),
                Tracked("self_serve_guide", N_("Guide"), "title", "owner_role", evidence=True),
            ),
            ListKind(
                "troubleshooting_runbook",
                N_("Runbook pages"),
                "troubleshooting_runbook",
                ("id", "module", "symptom", "owner_role", "", "definition_of_done", "api_ref"),
                Tracked("troubleshooting_runbook", N_("Runbook"), "symptom", "owner_role", evidence=True),
            ),
            _events("id", "", "title", "owner", "", "output", "@when"),
        ),
    ),
}
