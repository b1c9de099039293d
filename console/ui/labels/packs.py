"""How the fields and words of the published programme read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from console.domain.programme.documents import is_words
from console.domain.programme.layouts import ListKind
from console.domain.text import N_

FIELDS = {
    "target_roles": N_("For"),
    "trigger": N_("Begins when"),
    "checkpoints": N_("Steps"),
    "definition_of_done": N_("Done when"),
    "api_flow": N_("Calls in their order"),
    "pass_criteria": N_("Passed when"),
    "duration_min": N_("Minutes"),
    "objective": N_("Purpose of it"),
    "expected_output": N_("Output"),
    "checklist": N_("Steps"),
    "success_criteria": N_("Passed when"),
    "channel": N_("Channel"),
    "due_hint": N_("Due"),
    "evidence_required": N_("Evidence needed"),
    "quick_fix": N_("Quick fix"),
    "weekly_target": N_("Target of the week"),
    "evidence_hint": N_("Evidence of it"),
    "audience": N_("For"),
    "problem": N_("Problem"),
    "quick_steps": N_("Steps"),
    "api_refs": N_("Addresses"),
    "day": N_("Day"),
    "control": N_("Control"),
    "api_ref": N_("Address"),
    "cadence": N_("How often"),
    "target": N_("Target"),
    "expected_impact": N_("Expected effect"),
    "stage": N_("Stage"),
    "output": N_("Output"),
    "kpi_key": N_("Key"),
    "direction": N_("Direction"),
    "green_threshold": N_("Green from"),
    "yellow_threshold": N_("Yellow from"),
    "condition": N_("Condition"),
    "sla_hours": N_("Hours to answer"),
    "problem_cluster": N_("Subject"),
    "module": N_("Module"),
    "source_api": N_("Address"),
    "symptom": N_("Symptom"),
    "where_to_check": N_("Where to look"),
    "role": N_("Role"),
    "champion_role": N_("Role"),
    "owner": N_("Owner role"),
    "owner_role": N_("Owner role"),
    "trainer": N_("Trainer"),
    "host": N_("Host"),
    "escalate_to": N_("Escalate to"),
}
# Words of the API that stand in the documents as they are.
WORDS = {
    **{
        word: word
        for word in (
            *(N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Daily")),
            *(N_("Prepare"), N_("Export")),
        )
    },
    "Audit": N_("Check the figures"),
    "Close": N_("Closing"),
    "Admin": N_("Admin"),
    "higher_better": N_("Higher is better"),
    "lower_better": N_("Lower is better"),
}
HEADING, WEEKDAY = N_("Heading"), N_("Day of the week, 0 is Monday")
BEGIN, END = N_("Begins at"), N_("Ends at")
ROLES = frozenset(
    {
        *("owner", "owner_role", "trainer", "host", "escalate_to", "role", "champion_role", "audience"),
        "target_roles",
    }
)
CODES = frozenset(
    {
        *("api_ref", "source_api", "api_refs", "api_flow", "kpi_key", "problem_cluster", "module", "channel"),
        "where_to_check",
    }
)
_KEYS = ("id", "doc_id", "step_id", "mistake_key")
_HOURS = frozenset({"day", "start_time", "end_time"})
_HEADINGS = ("title", "name", "topic", "action", "mission", "routine", "discipline", "play", "kpi_name", "mistake")
_LATE_HEADINGS = ("symptom", "focus", "control", "objective")


def word(value: str) -> str:
    """Return the text of a word of the API; other words stand for themselves."""
    return WORDS.get(value, value)


def heading_of(kind: ListKind, row: Mapping[str, Any]) -> str:
    """Return the field of an entry that is its heading."""
    if kind.tracked is not None:
        return kind.tracked.name
    return next(name for name in (*_HEADINGS, *_LATE_HEADINGS) if name in row)


def key_of(row: Mapping[str, Any]) -> str:
    """Return the published id of an entry."""
    return str(next(row[name] for name in _KEYS if name in row))


def facts_of(kind: ListKind, row: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """Return what else an entry says, as `(label, kind of value, values)`; the kind is role, code, word or text."""
    hidden = {heading_of(kind, row), *_KEYS}
    hidden |= _HOURS if "end_time" in row else set()
    for name, value in row.items():
        if name in hidden:
            continue
        values = value if isinstance(value, list) else [value]
        yield FIELDS[name], _form(name, values), values


def parts_of(kind: ListKind, row: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Return what of an entry may be edited, its heading first, as `(field, label, value)`."""
    heading = heading_of(kind, row)
    yield heading, HEADING, row[heading]
    hours = {"day": WEEKDAY, "start_time": BEGIN, "end_time": END} if "end_time" in row else {}
    for name, value in row.items():
        if name != heading and name not in _KEYS:
            yield name, hours.get(name) or FIELDS[name], value


def _form(name: str, values: list[Any]) -> str:
    if name in CODES:
        return "code"
    if name in ROLES:
        return "role"
    return "text" if values and is_words(values[0]) else "word"
