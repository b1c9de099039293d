"""The words of work orders as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from console.domain.text import N_
from console.domain.work_orders.completion import DEMANDS, ENFORCED, fields
from console.services.work_orders.lists import (
    HOLD_LABELS,
    PRIORITY_LABELS,
    SOURCE_LABELS,
    STATUS_LABELS,
    TRADE_LABELS,
)
from console.ui.labels.common import Word

STATUS: Mapping[str, Word] = {
    "open": Word(STATUS_LABELS["open"], "plain", "inbox"),
    "acked": Word(STATUS_LABELS["acked"], "accent", "player-play"),
    "completed": Word(STATUS_LABELS["completed"], "ok", "check"),
    "canceled": Word(STATUS_LABELS["canceled"], "plain", "ban"),
}
PRIORITY: Mapping[str, Word] = {
    "critical": Word(PRIORITY_LABELS["critical"], "late"),
    "high": Word(PRIORITY_LABELS["high"], "soon"),
    "medium": Word(PRIORITY_LABELS["medium"]),
    "low": Word(PRIORITY_LABELS["low"], "dim"),
}
# Column of the list -> its words.
ORDER_WORDS: Mapping[str, Mapping[str, str]] = {
    "status": STATUS_LABELS,
    "priority": PRIORITY_LABELS,
    "trade": TRADE_LABELS,
    "source": SOURCE_LABELS,
    "waiting_reason": HOLD_LABELS,
}
_WORDS = {"trade": TRADE_LABELS, "source": SOURCE_LABELS, "waiting": HOLD_LABELS}
# What the history says of each kind of event; a change of status is told by its statuses.
EVENTS: Mapping[str, str] = {
    "created": N_("created the work order"),
    "comment": N_("wrote"),
    "claimed": N_("took it"),
    "updated": N_("changed it"),
    "evidence_added": N_("added evidence"),
    "evidence_removed": N_("removed evidence"),
    "evidence_quarantined": N_("quarantined evidence"),
    "escalated": N_("escalated it"),
    "hold_started": N_("let it wait"),
    "hold_ended": N_("took it up again"),
    "snoozed": N_("put the reminders off"),
    "snooze_ended": N_("reminders go out again"),
}
# What a mark of the SLA clock stands for; the last one of a closed order is its status.
CLOCK: Mapping[str, str] = {
    "created": N_("received"),
    "answered": N_("first answer"),
    "due": N_("due date"),
    "escalates": N_("escalation"),
    "now": N_("now"),
    "completed": N_("completed"),
    "canceled": N_("canceled"),
}
# What a completion rule demands, and from which priority on.
DEMAND: Mapping[str, str] = {
    "after_photo": N_("Photo after the work"),
    "measurement": N_("Measurement again"),
    "completion": N_("What was done"),
}
THRESHOLD: Mapping[str, str] = {
    "never": N_("not asked"),
    "critical": N_("urgent ones"),
    "high": N_("from high on"),
    "medium": N_("from medium on"),
    "low": N_("all orders"),
}
STEPS: Mapping[str, str] = {
    "acked": N_("began the work"),
    "completed": N_("completed it"),
    "canceled": N_("canceled it"),
    "open": N_("opened it again"),
}


def clock_word(key: str) -> str:
    """Return what a mark of the SLA clock stands for, in the reader's language."""
    return _(CLOCK[key])


def site_choice(name: str) -> tuple[str, str]:
    """Return a site as a choice of a form."""
    return name, name


def order_word(value: str | None, kind: str) -> str:
    """Return a trade, a source or a reason of waiting in the reader's language."""
    label = _WORDS[kind].get(value or "", value)
    return _(label) if label else "–"


def rule_change(name: str, old: Any, new: Any) -> str:
    """Return one change of the completion rules as people read it."""
    if name == ENFORCED:
        return _("Orders are refused without them") if new else _("Nothing is refused any more")
    demand, trade = fields()[name]
    told = {"trade": _(TRADE_LABELS[trade]), "what": _(DEMAND[DEMANDS[demand]])}
    return _("%(trade)s, %(what)s: %(old)s → %(new)s", old=_threshold(old), new=_threshold(new), **told)


def _threshold(word: Any) -> str:
    return _(THRESHOLD.get(word, THRESHOLD["never"]))


def event_text(event: Any) -> str:
    """Return the message id of what an event tells."""
    if event.event_type == "status_changed":
        return STEPS.get(event.to_status, event.to_status)
    return EVENTS.get(event.event_type, event.event_type)
