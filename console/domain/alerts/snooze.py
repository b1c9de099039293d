"""Snooze: nobody is reminded of a thing for a while. What is due, late or escalated stays so; messages wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from console.domain.errors import Invalid
from console.domain.text import N_, T

KINDS = ("work_order", "tracker_item")
ORDER, ITEM = KINDS
LONGEST = timedelta(days=7)
REASON_MOST = 1000
# Why one ended: its time was over, a person ended it, the thing was handled, it escalated, or it got worse.
ENDINGS = ("over", "ended", "handled", "escalated", "worse")
OVER, BY_HAND, HANDLED, ESCALATED, WORSE = ENDINGS
# Kinds of events in the history of the thing.
STARTED, ENDED = "snoozed", "snooze_ended"

MORNING_AT = 8
CHOICES: Mapping[str, str] = {
    "1h": N_("1 hour"),
    "4h": N_("4 hours"),
    "morning": N_("Until tomorrow 08:00"),
    "3d": N_("3 days"),
    "7d": N_("7 days"),
}
_TIMES = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "3d": timedelta(days=3), "7d": LONGEST}


def until_of(word: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant (UTC) that a choice means at `now` in the zone of the site; raises Invalid for no choice."""
    if word == "morning":
        local = now.astimezone(zone) + timedelta(days=1)
        return local.replace(hour=MORNING_AT, minute=0, second=0, microsecond=0).astimezone(UTC)
    if word not in _TIMES:
        raise Invalid.field("for", T("“%(word)s” is not a choice of “%(key)s”", word=word[:40], key="for"))
    return now + _TIMES[word]


def check(until: datetime, reason: str, now: datetime) -> None:
    """Raise Invalid for an end that lies in the past or further away than seven days, and without a reason."""
    if not reason.strip():
        raise Invalid.field("reason", T("Say why nobody is to be reminded"))
    if until <= now:
        raise Invalid.field("until", T("The end must lie in the future"))
    if until - now > LONGEST:
        raise Invalid.field("until", T("Reminders can be put off for seven days at most"))


def standing(until: datetime | None, now: datetime) -> bool:
    """Return whether reminders are held at `now` by one that nobody ended."""
    return until is not None and until > now
