"""What was published of the programme: addresses, names, headers, and readers of its files."""

from __future__ import annotations

import csv
import io
from copy import deepcopy
from datetime import datetime

import icalendar

from console.domain.programme.documents import PACKS
from tests.support import ics

PUBLIC, LATER = "/api/public/adoption-plan", "/api/public/post-mvp"
WEEKS = [f"w{week:02d}" for week in range(2, 16)]
SLUGS = dict(
    zip(
        WEEKS,
        (
            *("sop-sandbox", "go-live-onboarding", "first-success-acceleration", "usage-consistency"),
            *("operational-rhythm", "sla-quality", "report-discipline", "kpi-operation", "self-serve-support"),
            *("scale-readiness", "closure-handoff", "continuous-improvement", "stability-sprint"),
            "operations-efficiency",
        ),
        strict=True,
    )
)
TITLES = dict(
    zip(
        WEEKS,
        (
            *("Scheduled SOP and Sandbox", "Go-live Onboarding", "First Success Acceleration", "Usage Consistency"),
            *("Operational Rhythm", "SLA Quality", "Report Discipline", "KPI Operation", "Self-serve Support"),
            *("Scale Readiness", "Closure and Handoff", "Continuous Improvement", "Stability Sprint"),
            "Operations Efficiency",
        ),
        strict=True,
    )
)
PRODUCTS = {**TITLES, "w02": "SOP Sandbox"}
GUIDES = "section,id,key_or_module,name_or_symptom,owner_role,objective_or_target,definition_or_output,api_or_time"
HEADERS = {
    "w02": "section,id,name,owner,target_or_module,trigger_or_objective,checkpoints_or_pass_criteria,duration_min,"
    "definition_of_done_or_output",
    "w03": "section,id,name_or_role,owner_or_trainer,schedule,objective_or_focus,checklist_or_channel,duration_min,"
    "expected_output_or_success",
    "w04": "section,id,champion_role,action,owner,due_hint,objective,evidence_required,quick_fix",
    "w05": "section,id,role,mission,weekly_target,owner,evidence_required,evidence_hint",
    "w06": "section,id,day_or_control,routine_or_objective,owner_or_api_ref,definition_of_done_or_pass_criteria,"
    "evidence_hint",
    "w07": "section,id,cadence_or_trigger,control_or_play,owner,target_or_expected_impact,"
    "definition_of_done_or_evidence,api_ref",
    "w08": "section,id,cadence_or_control,discipline_or_objective,owner_or_api_ref,target_or_pass_criteria,"
    "definition_of_done_or_evidence,api_ref",
    "w09": "section,id,kpi_or_event_key,name_or_title,owner_or_escalate_to,direction_or_condition,green_or_sla_hours,"
    "yellow_or_action,target_or_output,source_or_time",
    **{f"w{week}": GUIDES for week in range(10, 16)},
}
SECTIONS = {
    "w02": ["sop_runbook", "sandbox_scenario", "scheduled_event"],
    "w03": ["kickoff_agenda", "role_workshop", "office_hour", "scheduled_event"],
    "w04": ["coaching_action", "scheduled_event"],
    "w05": ["role_mission", "scheduled_event"],
    "w06": ["rhythm_checklist", "rbac_audit", "scheduled_event"],
    "w07": ["sla_checklist", "coaching_play", "scheduled_event"],
    "w08": ["report_discipline", "data_quality_control", "scheduled_event"],
    "w09": ["kpi_threshold", "escalation_map", "scheduled_event"],
    **{f"w{week}": ["self_serve_guide", "troubleshooting_runbook", "scheduled_event"] for week in range(10, 16)},
}
# Where the cells of an event stand, by column (API contract, cell placement of `scheduled_event` rows).
PLACES = {
    "w02": ("title", "owner", "date", "time", "", "", "output"),
    "w03": ("title", "owner", "when", "", "", "", "output"),
    "w04": ("", "title", "owner", "when", "", "", "output"),
    "w05": ("", "title", "when", "owner", "", "output"),
    "w06": ("date", "title", "owner", "output", "time"),
    "w07": ("date", "title", "owner", "output", "time", ""),
    "w08": ("date", "title", "owner", "output", "time", ""),
    "w09": ("", "title", "owner", "", "", "", "output", "when"),
    **{f"w{week}": ("", "title", "owner", "", "output", "when") for week in range(10, 16)},
}
LINKS = {
    "w04": ["common_mistakes_reference"],
    "w05": ["usage_consistency_api"],
    "w06": ["rhythm_api"],
    "w07": ["sla_quality_api"],
    "w08": ["report_discipline_api", "site_benchmark_api"],
    "w09": ["kpi_operation_api", "kpi_policy_api"],
    "w10": ["self_serve_api", "support_policy_api"],
    "w11": ["scale_readiness_api", "readiness_policy_api"],
    "w12": ["closure_handoff_api", "handoff_policy_api"],
    "w13": ["closure_handoff_api", "handoff_policy_api"],
    "w14": ["stability_sprint_api", "stability_policy_api"],
    "w15": ["ops_efficiency_api", "efficiency_policy_api"],
}
EXTRAS = {
    "w05": ("help-docs", "help_docs", 3),
    "w06": ("rbac-audit-template", "rbac_audit_template", 4),
    "w07": ("coaching-playbook", "coaching_playbook", 4),
    "w08": ("reporting-sop", "reporting_sop", 4),
}


def file_of(week):
    return "missions" if week == "w05" else "checklist"


def every_address():
    yield from (PUBLIC, f"{PUBLIC}/campaign", f"{PUBLIC}/schedule.csv", f"{PUBLIC}/schedule.ics")
    for week in WEEKS:
        yield from (f"{PUBLIC}/{week}", f"{PUBLIC}/{week}/{file_of(week)}.csv", f"{PUBLIC}/{week}/schedule.ics")
    yield from (f"{PUBLIC}/w02/sample-files", f"{PUBLIC}/w02/sample-files/sx-ins-01", f"{PUBLIC}/w04/common-mistakes")
    yield from (f"{PUBLIC}/{week}/{word}" for week, (word, _key, _count) in EXTRAS.items())
    yield from (LATER, f"{LATER}/backlog.csv", f"{LATER}/releases.ics", f"{LATER}/kpi-dashboard", f"{LATER}/risks")


ADDRESSES = list(every_address())


def rows_of(answer):
    return list(csv.reader(io.StringIO(answer.text, newline=""), strict=True))


def parsed(body):
    """Read a calendar with the library and with the strict reader; both must see the same events."""
    own, other = ics.read(body), icalendar.Calendar.from_ical(body)
    events = own.named("VEVENT")
    seen = [
        (str(one["UID"]), str(one["SUMMARY"]), str(one["DESCRIPTION"]), one.decoded("DTSTART"), one.decoded("DTEND"))
        for one in other.walk("VEVENT")
    ]
    told = [(one.text("UID"), one.text("SUMMARY"), one.text("DESCRIPTION")) for one in events]
    assert told == [one[:3] for one in seen]
    for one, (*_texts, start, end) in zip(events, seen, strict=True):
        for name, at in (("DTSTART", start), ("DTEND", end)):
            whole = at if isinstance(at, datetime) else datetime.combine(at, datetime.min.time())
            assert ics.moment(one, name) == whole.replace(tzinfo=None)
    return own, seen


def sixteenth():
    """Return one more week as its owner would write it."""
    made = deepcopy(dict(PACKS["w15"]))
    made |= {
        "code": "w16",
        "slug": "looking-ahead",
        "title": {"en": "W16 Looking Ahead Pack 🎉", "ko": "W16 앞날 자료 🎉"},
    }
    made |= {"focus": {"en": "Looking ahead", "ko": "앞을 보기"}, "calendar": "W16 Looking Ahead"}
    for rows in made["lists"].values():
        for row in rows:
            row["id"] = row["id"].replace("W15", "W16")
    made["lists"]["self_serve_guides"][0]["title"] = {"en": "=1+1; a, b", "ko": "=합계 🏢"}
    return made
