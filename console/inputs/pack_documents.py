"""What may stand in a document of the programme."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from console.domain.programme.layouts import EVENTS, LAYOUTS
from console.domain.programme.week import FRIDAY, MONDAY
from console.inputs.base import BodyModel

TEXT_MAX, NAME_MAX, ROLE_MAX = 1000, 200, 80
Short = Annotated[str, Field(min_length=1, max_length=NAME_MAX)]
Role = Annotated[str, Field(min_length=1, max_length=ROLE_MAX)]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,120}$")]
Link = Annotated[str, Field(pattern=r"^/[a-z][!-~]{1,300}$")]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class _Part(BodyModel):
    """A part of a document: nothing that is not named, no text of blanks."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, str_strip_whitespace=True)


class Words(_Part):
    """One text in both languages."""

    en: str = Field(min_length=1, max_length=TEXT_MAX)
    ko: str = Field(min_length=1, max_length=TEXT_MAX)


class Name(Words):
    """A text that names an item of a tracker."""

    en: str = Field(min_length=1, max_length=NAME_MAX)
    ko: str = Field(min_length=1, max_length=NAME_MAX)


Three = Annotated[list[Words], Field(min_length=3, max_length=3)]
Roles = Annotated[list[Role], Field(min_length=1, max_length=10)]
Minutes = Annotated[int, Field(ge=1, le=480)]


class Row(_Part):
    """An entry of a list; `id` is published and stays."""

    id: Key


class Timed(Row):
    """An entry with hours of its own, on the clock of the site; day 0 is Monday."""

    day: int = Field(ge=0, le=FRIDAY)
    start_time: Clock
    end_time: Clock

    @field_validator("end_time")
    @classmethod
    def _in_order(cls, value: str, info: ValidationInfo) -> str:
        # Hours of one form are sorted as texts.
        if value <= info.data.get("start_time", ""):
            raise ValueError("must be after start_time")
        return value


class Event(Timed):
    """A scheduled event of a week."""

    title: Name
    owner: Role
    output: Words


class SopRunbook(Row):
    """An SOP of one page."""

    name: Name
    target_roles: Roles
    owner: Role
    trigger: Words
    checkpoints: Three
    definition_of_done: Words


class SandboxScenario(Row):
    """A scenario for practice; `owner` is not published."""

    module: Short
    objective: Name
    owner: Role
    api_flow: list[Short] = Field(min_length=1, max_length=20)
    pass_criteria: Three
    duration_min: Minutes


class KickoffTopic(Row):
    """A topic of the kick-off."""

    topic: Name
    owner: Role
    duration_min: Minutes
    objective: Words
    expected_output: Words


class RoleWorkshop(Row):
    """A workshop for one role."""

    role: Role
    trainer: Role
    duration_min: Minutes
    objective: Name
    checklist: Three
    success_criteria: Words


class OfficeHour(Timed):
    """An hour in which questions are answered."""

    host: Role
    focus: Name
    channel: Short


class CoachingAction(Row):
    """An action of a champion."""

    champion_role: Role
    action: Name
    owner: Role
    due_hint: Words
    objective: Words
    evidence_required: bool
    quick_fix: Words


class CommonMistake(_Part):
    """A mistake that many make, with its quick fix."""

    mistake_key: Key
    mistake: Words
    symptom: Words
    quick_fix: Words
    where_to_check: Link


class RoleMission(Row):
    """What one role does in the week."""

    role: Role
    mission: Words
    weekly_target: Words
    owner: Role
    evidence_required: bool
    evidence_hint: Words


class HelpDoc(_Part):
    """A help text."""

    doc_id: Key
    title: Words
    audience: Role
    problem: Words
    quick_steps: Three
    api_refs: list[Link] = Field(max_length=10)


class RhythmCheck(Row):
    """A routine of the week."""

    day: Short
    routine: Words
    owner_role: Role
    definition_of_done: Words
    evidence_hint: Words


class Control(Row):
    """A control with the criterion that it passes by."""

    control: Words
    objective: Words
    api_ref: Link
    pass_criteria: Words


class SlaCheck(Row):
    """A check of the SLA."""

    cadence: Words
    control: Name
    owner_role: Role
    target: Words
    definition_of_done: Words
    evidence_hint: Words


class CoachingPlay(Row):
    """What to do when a figure passes its trigger."""

    trigger: Words
    play: Name
    owner: Role
    expected_impact: Words
    evidence_hint: Words
    api_ref: Link


class ReportCheck(Row):
    """A check of the reports."""

    cadence: Words
    discipline: Words
    owner_role: Role
    target: Words
    definition_of_done: Words
    evidence_hint: Words
    api_ref: Link


class ReportStep(_Part):
    """A step of the monthly report."""

    step_id: Key
    stage: Short
    action: Words
    output: Words
    api_ref: Link


class KpiThreshold(Row):
    """The thresholds of a KPI."""

    kpi_key: Key
    kpi_name: Name
    direction: Literal["higher_better", "lower_better"]
    owner_role: Role
    green_threshold: float
    yellow_threshold: float
    target: Words
    source_api: Link


class EscalationRule(Row):
    """Whom a KPI is told to; `action` is what follows."""

    kpi_key: Key
    condition: Words
    escalate_to: Role
    sla_hours: int = Field(ge=1, le=168)
    action: Name


class Guide(Row):
    """A guide."""

    title: Name
    problem_cluster: Key
    owner_role: Role
    target: Words
    source_api: Link


class RunbookPage(Row):
    """A page of the runbook."""

    module: Key
    symptom: Name
    owner_role: Role
    definition_of_done: Words
    api_ref: Link


ROWS: dict[str, type[_Part]] = {
    EVENTS: Event,
    "sop_runbooks": SopRunbook,
    "sandbox_scenarios": SandboxScenario,
    "kickoff_agenda": KickoffTopic,
    "role_workshops": RoleWorkshop,
    "office_hours": OfficeHour,
    "coaching_actions": CoachingAction,
    "common_mistakes": CommonMistake,
    "role_missions": RoleMission,
    "help_docs": HelpDoc,
    "rhythm_checklist": RhythmCheck,
    "rbac_audit_checklist": Control,
    "sla_checklist": SlaCheck,
    "coaching_plays": CoachingPlay,
    "report_discipline_checklist": ReportCheck,
    "data_quality_controls": Control,
    "reporting_sop": ReportStep,
    "kpi_threshold_matrix": KpiThreshold,
    "escalation_map": EscalationRule,
    "self_serve_guides": Guide,
    "troubleshooting_runbook": RunbookPage,
}
# What is kept of an entry and not published.
UNPUBLISHED: dict[str, frozenset[str]] = {"sandbox_scenarios": frozenset({"owner"})}
_KEYS = ("id", "doc_id", "step_id", "mistake_key")


class Sample(_Part):
    """A file that shows what evidence looks like."""

    sample_id: str = Field(pattern=r"^[a-z0-9-]{1,60}$")
    title: Words
    description: Words
    file_name: Short
    content_type: Literal["text/plain"]
    tracker_item_type: Key
    tracker_item_key: Key
    text: Words


class PackDocument(_Part):
    """The document of one week; only the first week of the calendar has no layout, and nothing of its own."""

    code: str = Field(pattern=r"^w\d{2}$")
    slug: str = Field(pattern=r"^[a-z0-9-]{1,60}$")
    layout: str | None
    tracker: bool
    title: Words
    calendar: Short
    phase: Short
    focus: Name
    owner: Role
    success_metric: Words
    actions: Three
    deliverables: Three
    links: dict[Key, Link]
    lists: dict[str, list[dict[str, Any]]]
    samples: list[Sample] = Field(default_factory=list, max_length=20)


def problems(document: Any) -> list[tuple[str, str]]:
    """Return what is wrong with the document of a week, as `(place, sentence)`; nothing for a sound one."""
    try:
        made = PackDocument.model_validate(document)
    except ValidationError as error:
        return [_told("", one) for one in error.errors()]
    if made.layout is None:
        return [("lists", "a week without layout has no lists")] if made.lists or made.tracker else []
    layout = LAYOUTS.get(made.layout)
    if layout is None:
        return [("layout", f"must be one of {', '.join(LAYOUTS)}")]
    wanted = [one.field for one in layout.lists]
    found = [
        *((f"lists.{name}", "the layout has no such list") for name in made.lists if name not in wanted),
        *((f"lists.{name}", "is missing") for name in wanted if not made.lists.get(name)),
    ]
    return found or [one for name, rows in made.lists.items() for one in _wrong_rows(name, rows)]


def _wrong_rows(name: str, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found = []
    for number, row in enumerate(rows):
        try:
            ROWS[name].model_validate(row)
        except ValidationError as error:
            found += [_told(f"lists.{name}.{number}", one) for one in error.errors()]
    keys = Counter(str(row[key]) for row in rows for key in _KEYS if key in row)
    return found + [(f"lists.{name}", f"has {key} twice") for key, times in keys.items() if times > 1]


def _told(place: str, error: ErrorDetails) -> tuple[str, str]:
    where = ".".join(str(part) for part in error["loc"])
    return (f"{place}.{where}".strip("."), str(error["msg"]))


class _Matrix(_Part):
    states: list[Short]
    rows: list[dict[str, Any]]


class PlanDocument(BaseModel):
    """The plan around the weeks."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Words
    published_on: Day
    start_date: Day
    workflow_lock_matrix: _Matrix
    training_outline: list[dict[str, Any]]
    kpi_dashboard_items: list[dict[str, Any]]
    campaign_kit: dict[str, list[dict[str, Any]]]
    cadence: Three

    @field_validator("start_date")
    @classmethod
    def _a_monday(cls, value: str) -> str:
        if date.fromisoformat(value).weekday() != MONDAY:
            raise ValueError("must be a Monday")
        return value
