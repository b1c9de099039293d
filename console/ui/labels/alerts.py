"""Findings about alerts as people read them: what they are called, how bad they are, and one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.domain.alerts import accuracy as found
from console.domain.alerts.events import WORDS
from console.domain.automation import sla
from console.domain.text import N_, T, Text
from console.services.alerts.accuracy_lists import FIGURES, LABELS, FindingView
from console.ui.labels.automation import FieldWords

# The objective for recoveries, field by field.
OBJECTIVE: Mapping[str, FieldWords] = {
    "enabled": FieldWords(N_("Objective"), hint=N_("Off: nothing is judged, and nobody is told.")),
    "window_days": FieldWords(N_("Look back"), N_("days")),
    "threshold_minutes": FieldWords(N_("Mean recovery at most"), N_("min")),
    "min_incidents": FieldWords(
        N_("Judge from this many incidents on"), hint=N_("That all channels are out counts at once.")
    ),
    "auto_recover_enabled": FieldWords(N_("Try the channels first"), hint=N_("When the objective is not met.")),
    "recover_state": FieldWords(
        N_("Which channels are tried"),
        choices={"quarantined": N_("Those in quarantine"), "warning": N_("Those in doubt"), "all": N_("Both")},
    ),
    "recover_max_targets": FieldWords(N_("Try at most at once"), N_("channels")),
    "notify_enabled": FieldWords(N_("Messages"), hint=N_("Off: nobody is told when it is not met.")),
    "notify_event_type": FieldWords(N_("Kind of the message"), hint=N_("The word that receivers read.")),
    "notify_cooldown_minutes": FieldWords(N_("Tell again after"), N_("min"), N_("While it is still not met.")),
    "top_channels": FieldWords(N_("Channels named in a message")),
}
ORIGINS = {"global": N_("set here"), "built_in": N_("built-in values")}
BREACHES = {
    "mttr": N_("Not met: the mean recovery takes too long."),
    "open": N_("Not met: outages that last are too old on average."),
    "outage": N_("Not met: every channel is out for longer than the limit."),
}


def objective_label(name: str) -> str:
    """Return the message id of what a field of the objective is called."""
    return OBJECTIVE[name].label if name in OBJECTIVE else name


def objective_value(value: Any, name: str) -> Text | str:
    """Return a value of the objective as people read it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return Text(N_("On") if value else N_("Off"))
    words = WORDS if name == "notify_event_type" else OBJECTIVE[name].choices if name in OBJECTIVE else {}
    return Text(words[value]) if value in words else str(value)


NAMES: Mapping[str, str] = dict(LABELS)
FIGURE_NAMES: Mapping[str, str] = dict(FIGURES)
TONES: Mapping[str, str] = {
    **dict.fromkeys((found.LOST_ESCALATION, found.NO_CHANNEL, found.MISSED_ALERT, found.RECORDED_MISSED), "late"),
    **dict.fromkeys((found.LOST_JOB, found.DEAD_CHANNEL, found.DELETED_DELIVERY), "late"),
}
_LEVELS = {
    sla.DUE_SOON: N_("Nobody was told before the deadline that the item is due soon"),
    sla.LATE: N_("Nobody was told that the item is late"),
    sla.CRITICAL_LATE: N_("Nobody was told that the critical item is late"),
}
_PLAIN = {
    found.LATE_ESCALATION: N_("People were told later than an hour and a half after the step"),
    found.LOST_REPEAT: N_("Nobody was told again after the repeat interval"),
    found.NO_CHANNEL: N_("Nobody could be told: no channel is configured"),
    found.CLOCK_JUMP: N_("The clock of the machine was set: rows that follow each other go back in time"),
    found.DOUBLED_JOB: N_("The job ran twice for one instant of its schedule"),
}


def tone(label: str) -> str:
    """Return the tone of a finding: `late` where something was missed, else `soon`."""
    return TONES.get(label, "soon")


def sentence(row: FindingView) -> Text:
    """Return what a finding means, in one sentence."""
    detail = row.detail
    if row.label == found.LOST_ESCALATION:
        return Text(_LEVELS.get(detail.get("level", 0), _LEVELS[sla.LATE]))
    if row.label in (found.RECORDED_MISSED, found.MARKED_FALSE):
        return _marked(detail)
    if row.label in (found.LATE_JOB, found.LOST_JOB):
        return _job(row.label, detail)
    if row.label == found.MISSED_ASSIGNMENT:
        return T("%(count)s assignment runs had room and left the item alone", count=detail.get("runs", 0))
    if row.label == found.DEAD_CHANNEL:
        return T("The channel took none of %(count)s alerts since", count=row.count)
    return Text(_PLAIN[row.label]) if row.label in _PLAIN else _message(row)


def _marked(detail: Mapping[str, Any]) -> Text:
    what = detail.get("what")
    if what:
        return T("%(what)s (%(reason)s)", what=what, reason=detail.get("reason", ""))
    return T("A person says why: %(reason)s", reason=detail.get("reason", ""))


def _job(label: str, detail: Mapping[str, Any]) -> Text:
    count = detail.get("instants", 0)
    if detail.get("worker_lost"):
        return T("The worker went away and nobody repeated the run")
    if label == found.LOST_JOB:
        return T("Instants of the schedule without a run: %(count)s", count=count)
    if detail.get("caught_up"):
        return T("Instants that passed before one run caught up: %(count)s", count=count)
    return T("The run began later than the schedule allows")


def _message(row: FindingView) -> Text:
    event = str(row.detail.get("event_type", ""))
    about = Text(WORDS.get(event, event))
    sentences = {
        found.MISSED_ALERT: N_("No channel took the alert within an hour: %(event)s"),
        found.DOUBLED_ALERT: N_("The same was told again too early: %(event)s"),
        found.WITHOUT_CAUSE: N_("Nothing happened that the alert could be about: %(event)s"),
        found.DELETED_DELIVERY: N_("The row of an alert that was raised is gone: %(event)s"),
    }
    return Text(sentences[row.label], {"event": (about,)})
