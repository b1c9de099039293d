"""The words of handovers as people read them."""

from __future__ import annotations

from collections.abc import Mapping

from console.domain.handover import lines as rules
from console.domain.text import N_
from console.ui.labels.common import Word

KINDS: Mapping[str, Word] = {
    rules.LATE: Word(rules.KINDS[rules.LATE], "late"),
    rules.UNOWNED: Word(rules.KINDS[rules.UNOWNED], "late"),
    rules.DANGER: Word(rules.KINDS[rules.DANGER], "late"),
    rules.WORSE: Word(rules.KINDS[rules.WORSE], "late", "bolt"),
    rules.SOON: Word(rules.KINDS[rules.SOON], "soon"),
    rules.UNASSIGNED: Word(rules.KINDS[rules.UNASSIGNED], "soon", "user"),
    rules.PROMISED: Word(rules.KINDS[rules.PROMISED], "wait", "calendar-event"),
    rules.WAITING: Word(rules.KINDS[rules.WAITING], "wait", "player-pause"),
    rules.CAUTION: Word(rules.KINDS[rules.CAUTION], "soon", "alert-triangle"),
    rules.NEW: Word(rules.KINDS[rules.NEW], "plain", "plus"),
    rules.ALERTS: Word(rules.KINDS[rules.ALERTS], "wait", "bell"),
    rules.JOBS: Word(rules.KINDS[rules.JOBS], "wait", "calendar-time"),
    rules.NOTE: Word(rules.KINDS[rules.NOTE], "plain", "note"),
}
STATES: Mapping[str, Word] = {
    rules.GIVEN: Word(N_("Waits for acceptance"), "soon"),
    rules.ACCEPTED: Word(N_("Accepted"), "ok"),
}
DEADLINES: Mapping[int, str] = {
    60: N_("in 1 hour"),
    120: N_("in 2 hours"),
    240: N_("in 4 hours"),
    480: N_("in 8 hours"),
}
