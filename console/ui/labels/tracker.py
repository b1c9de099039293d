"""The history of tracker items in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from console.core.i18n import text_in
from console.core.records import edited_of, history_of
from console.domain.text import N_
from console.services.tracker.completion import CompletionEntry
from console.services.tracker.items import EventView
from console.services.tracker.rows import ItemView
from console.ui.labels.common import status_word
from console.ui.labels.evidence import photo_words
from console.ui.reader import locale
from console.ui.times import localtime

KINDS = {
    **{edited.event: edited.sentence for edited in edited_of(ItemView).values()},
    "opened": N_("opened the item"),
    "reopened": N_("opened it again"),
    "raised": N_("raised it: the rule fails now"),
    "worsened": N_("saw the check get worse"),
    "resolved": N_("closed it"),
    "covered": N_("took it off the board: a rule of the gate is about the same"),
    "verified": N_("confirmed it: the rule passes"),
    "unproven": N_("saw the rule fail still"),
    "status": N_("changed the status"),
    "assigned": N_("changed the assignee"),
    "auto_assigned": N_("assigned it"),
    "due": N_("moved the due date"),
    "comment": N_("commented"),
    "undo": N_("took a change back"),
    "escalated": N_("escalated it"),
    "snoozed": N_("put the reminders off"),
    "snooze_ended": N_("reminders go out again"),
    "evidence": N_("added evidence"),
    "evidence_removed": N_("removed evidence"),
    "evidence_quarantined": N_("quarantined evidence"),
}
FIELDS = history_of(ItemView)
REOPENED = {
    "tracker_item_updated": N_("opened the tracker again: an item changed"),
    "tracker_item_added": N_("opened the tracker again: an item was added"),
    "auto_assigned": N_("opened the tracker again: items got assignees"),
    "tracker_synced": N_("opened the tracker again: the sync changed items"),
    "evidence_uploaded": N_("opened the tracker again: evidence was added"),
    "evidence_removed": N_("opened the tracker again: evidence was removed"),
    "bootstrap_added_items": N_("opened the tracker again: items were added from the catalogue"),
}
TONES = {
    "raised": "late",
    "worsened": "late",
    "reopened": "late",
    "unproven": "soon",
    "verified": "ok",
    "resolved": "ok",
}


@dataclass(frozen=True)
class Line:
    """One line of a timeline."""

    at: datetime
    actor: str
    text: str
    note: str | None
    changes: list[dict[str, Any]]
    tone: str | None


def mentioned(events: tuple[EventView, ...]) -> set[str]:
    """Return the user names that stand in changes of assignees."""
    found = {change.get("assignee") for event in events for change in (event.old, event.new)}
    return {name for name in found if name}


def timeline(events: tuple[EventView, ...], names: Mapping[str, str]) -> list[Line]:
    """Return an item's history as lines for the timeline, newest first as they come; `names`: people's by user name."""
    return [
        Line(
            at=event.at,
            actor=_called(event.actor_name, names),
            text=_(KINDS.get(event.kind, event.kind)),
            note=_note(event.new),
            changes=changes(event.old, event.new, names) if event.old else [],
            tone=TONES.get(event.kind),
        )
        for event in events
    ]


def _note(new: Mapping[str, Any]) -> str | None:
    said = new.get("text") or new.get("reason")
    # What a person wrote stands as it is; what was decided below the web layer is said in the reader's language.
    said = text_in(locale(), said) if isinstance(said, Mapping) else said
    photo = photo_words(new.get("captured_at"), shrunk=bool(new.get("shrunk")))
    return " · ".join(part for part in (said, photo) if part) or None


def closings(entries: tuple[CompletionEntry, ...], names: Mapping[str, str]) -> list[Line]:
    """Return closings and reopenings of a tracker as lines for the timeline; `names` are people's by user name."""
    made = []
    for entry in entries:
        if entry.kind == "completed":
            text, tone = _(status_word(entry.status).label), "soon" if entry.force_used else "ok"
        else:
            text, tone = _(REOPENED.get(entry.reason, entry.reason)), None
        blockers = entry.readiness.get("blockers") or []
        note = " · ".join(part for part in (entry.note, *map(str, blockers)) if part)
        made.append(Line(entry.at, _called(entry.actor, names), text, note or None, [], tone))
    return made


def changes(old: Mapping[str, Any], new: Mapping[str, Any], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the fields that differ, old and new, in words."""
    return [
        {"field": label, "old": said(name, old.get(name), names), "new": said(name, new.get(name), names)}
        for name, label in FIELDS.items()
        if (name in old or name in new) and old.get(name) != new.get(name)
    ]


def conflict_changes(stored: ItemView, sent: Mapping[str, Any], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the fields in which what somebody sent differs from what is stored now: theirs and mine."""
    return [
        {"field": label, "old": said(name, getattr(stored, name), names), "new": said(name, sent[name], names)}
        for name, label in FIELDS.items()
        if sent.get(name) is not None and (sent[name] or None) != getattr(stored, name, None)
    ]


def said(name: str, value: Any, names: Mapping[str, str]) -> str | None:
    """Return a value of an event in words; None where there is none."""
    if value is None or value == "":
        return None
    if name in ("status", "rule_status"):
        return _(status_word(value).label)
    if name == "due_at":
        return localtime(datetime.fromisoformat(value) if isinstance(value, str) else value)
    return _called(str(value), names) if name == "assignee" else str(value)


def _called(username: str, names: Mapping[str, str]) -> str:
    return _("System") if username == "system" else names.get(username, username)
