"""Entries of the audit log for people: names instead of ids; the ids stay in the drawer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from console.core.context import Context
from console.domain.audit.detail import FieldChange, ReadDetail
from console.domain.programme.catalogue import WEEKS
from console.domain.text import N_
from console.services.audit.log import LogEntry
from console.services.home.audit_targets import Target, kind_of, targets_of
from console.services.identity.names import names_of
from console.services.jobs import registry
from console.ui.addresses import url_if
from console.ui.labels.audit import action_label
from console.ui.labels.common import status_word
from console.ui.labels.evidence import taken_at
from console.ui.times import localtime

# Things without rows of their own, and those whose row is gone.
RESOURCES: Mapping[str, str] = {
    "admin_audit_archive": N_("Audit archive"),
    "admin_audit_log": N_("Audit log"),
    "admin_token": N_("Token"),
    "admin_user": N_("User"),
    "alert_delivery": N_("Alert"),
    "alert_mark": N_("Mark of an alert"),
    "inspection_template": N_("Inspection template"),
    "job_run": N_("Run"),
    "ops_deploy": N_("Release"),
    "ops_dr": N_("Recovery rehearsal"),
    "ops_governance_gate": N_("Gate"),
    "ops_governance_remediation_autopilot_policy": N_("Autopilot policy"),
    "ops_governance_remediation_tracker": N_("Remediation board"),
    "ops_performance": N_("Response times"),
    "ops_quality_report": N_("Quality report"),
    "handover": N_("Handover"),
    "report": N_("Report"),
    "ops_runbook": N_("Runbook"),
    "site": N_("Site"),
    "web_session": N_("Session"),
    "inspection": N_("Inspection"),
    "workflow_lock": N_("Workflow"),
    "work_order": N_("Work order"),
    "sla_policy": N_("SLA policy"),
    "sla_policy_proposal": N_("SLA proposal"),
    "sla_policy_revision": N_("SLA policy"),
}
EVIDENCE, ITEM = N_("Evidence file"), N_("Item")
# The fields that details name most; others are shown as they are.
FIELDS: Mapping[str, str] = {
    "assignee": N_("Assignee"),
    "captured_at": N_("Taken"),
    "completed_at": N_("Done at"),
    "completion_note": N_("Note"),
    "display_name": N_("Name"),
    "due_at": N_("Due"),
    "file_name": N_("File"),
    "file_size": N_("File size"),
    "is_active": N_("Active"),
    "job_name": N_("Job"),
    "label": N_("Name"),
    "place_dropped": N_("Place removed"),
    "shrunk": N_("Made smaller"),
    "language": N_("Language"),
    "name": N_("Name"),
    "note": N_("Note"),
    "reason": N_("Reason"),
    "owner_role": N_("Owner role"),
    "priority": N_("Priority"),
    "role": N_("Role"),
    "rule_status": N_("Rule status"),
    "scan_status": N_("Scan"),
    "site": N_("Site"),
    "site_scope": N_("Sites"),
    "status": N_("Status"),
    "theme": N_("Theme"),
    "title": N_("Title"),
    "username": N_("User name"),
    "zone": N_("Time zone"),
}
SYSTEM, SYSTEM_LABEL = "system", N_("System")
_WORDS = ("status", "rule_status")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+\d\d:\d\d|Z)")


@dataclass(frozen=True)
class ReadEntry(LogEntry):
    """An entry with the names of who and what it is about, translatable; `target_url` is None where nothing opens."""

    actor: str
    number: str
    target: Any
    target_url: str | None

    def __hash__(self) -> int:
        return hash((self.seq, self.created_at))


def read_entries(
    ctx: Context, entries: Iterable[LogEntry], *, say: Callable[[str], str] = _, linked: bool = True
) -> tuple[ReadEntry, ...]:
    """Return entries as people read them: one query for the actors, and one for each kind of thing.

    A file that goes on after its request brings its own `say` and has no links.
    """
    entries = tuple(entries)
    names, targets = names_of(ctx, [entry.actor_username for entry in entries]), targets_of(ctx, entries)
    found = []
    for entry in entries:
        target = targets.get((entry.resource_type, entry.resource_id))
        own = {one.name: getattr(entry, one.name) for one in fields(LogEntry)}
        who = entry.actor_username
        found.append(
            ReadEntry(
                **own,
                actor=say(SYSTEM_LABEL) if who == SYSTEM else names.get(who, who),
                number=target.number if target else "",
                target=_called(target) if target else resource_label(entry),
                target_url=_url(target) if target and linked else None,
            )
        )
    return tuple(found)


def resource_label(entry: LogEntry) -> Any:
    """Return what an entry without a known thing is about; a kind that nobody named is shown with its id."""
    kind, number = entry.resource_type, entry.resource_id
    week = WEEKS.get(kind.removeprefix("adoption_").partition("_")[0])
    if kind in RESOURCES:
        return RESOURCES[kind]
    if kind_of(kind) is not None:
        return ITEM if kind_of(kind) == "item" else EVIDENCE
    return week.label if week else f"{kind} {number}".strip()


def action_said(action: str) -> str:
    """Return what an action is called in the reader's language; those of a week have its code in front."""
    week = WEEKS.get(action.partition("_")[0])
    return " · ".join(part for part in (week.label if week else "", _(action_label(action))) if part)


def kind_said(kind: str) -> str:
    """Return what a kind of thing is called in the reader's language; those of a week have its code in front."""
    week = WEEKS.get(kind.removeprefix("adoption_").partition("_")[0])
    found = RESOURCES.get(kind) or {"item": ITEM, "evidence": EVIDENCE}.get(kind_of(kind) or "")
    said = _(found) if found else "" if week else kind
    return " · ".join(part for part in (week.label if week else "", said) if part)


def detail_words(read: ReadDetail) -> dict[str, Any]:
    """Return a detail as pages show it: `changes` with fields and values in words, and `facts` as names and values."""
    changes = [
        FieldChange(_field(one.field), _changed(one.field, one.old), _changed(one.field, one.new))
        for one in read.changes
    ]
    return {"changes": changes, "facts": [(_field(name), _said(name, value)) for name, value in read.rest.items()]}


def _field(name: str) -> str:
    return _(FIELDS[name]) if name in FIELDS else name


def _changed(name: str, value: Any) -> str | None:
    return None if value is None else _said(name, value)


def _said(name: str, value: Any) -> str:
    if isinstance(value, str) and name == "captured_at":
        return taken_at(value)
    if isinstance(value, str) and name in _WORDS:
        return _(status_word(value).label)
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return localtime(datetime.fromisoformat(value), "datetime")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Mapping):
        return ", ".join(f"{_field(name)}: {_said(name, part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_said(name, part) for part in value)
    return "" if value is None else str(value)


def _called(target: Target) -> Any:
    if target.kind == "run":
        return registry.title_of(str(target.name))
    return target.name or RESOURCES["admin_token"]


def _url(target: Target) -> str | None:
    return _PAGES[target.kind](target)


def _item(target: Target) -> str | None:
    if target.tracker in WEEKS:
        return url_if("programme.item", week=target.tracker, item_id=target.id)
    return url_if("board.item", item_id=target.id)


_PAGES: Mapping[str, Callable[[Target], str | None]] = {
    "item": _item,
    "evidence": _item,
    "user": lambda target: url_if("users.detail", user_id=target.id),
    "token": lambda target: url_if("tokens.detail", token_id=target.id),
    "site": lambda target: url_if("sites.detail", site_id=target.id),
    "run": lambda target: url_if("jobs.run", run_id=target.id),
    "inspection": lambda target: url_if("inspections.detail", inspection_id=target.id),
    "work_order": lambda target: url_if("work_orders.order", order_id=target.id),
}
