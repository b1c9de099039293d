"""Lengths of time in words: how long something is late, or how long is left."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from console.domain.text import N_, Text

Tone = Literal["late", "soon", "wait"]
# One sentence per case, because word order differs between languages. Pages hand the same table to the script that
# keeps countdowns running, so that server and browser cannot disagree.
LEFT = {
    "days": N_("%(days)s d left"),
    "hours": N_("%(hours)s h left"),
    "hours_minutes": N_("%(hours)s h %(minutes)s min left"),
    "minutes": N_("%(minutes)s min left"),
    "now": N_("due now"),
}
LATE = {
    "days": N_("%(days)s d late"),
    "hours": N_("%(hours)s h late"),
    "hours_minutes": N_("%(hours)s h %(minutes)s min late"),
    "minutes": N_("%(minutes)s min late"),
    "now": N_("due now"),
}
AGO = {
    "days": N_("%(days)s d ago"),
    "hours": N_("%(hours)s h ago"),
    "hours_minutes": N_("%(hours)s h %(minutes)s min ago"),
    "minutes": N_("%(minutes)s min ago"),
    "now": N_("just now"),
}
LENGTH = {
    "days": N_("%(days)s d"),
    "hours": N_("%(hours)s h"),
    "hours_minutes": N_("%(hours)s h %(minutes)s min"),
    "minutes": N_("%(minutes)s min"),
    "now": N_("under 1 min"),
}


def words(length: timedelta, table: dict[str, str]) -> Text:
    """Return a length of time in the words of `table`: days from 24 hours on, minutes only below 3 hours."""
    minutes = int(abs(length).total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes // 60, minutes % 60
    if days:
        return Text(table["days"], {"days": days})
    if hours >= 3 or (hours and not rest):
        return Text(table["hours"], {"hours": hours})
    if hours:
        return Text(table["hours_minutes"], {"hours": hours, "minutes": rest})
    return Text(table["minutes"], {"minutes": rest}) if rest else Text(table["now"])


def countdown(due: datetime, now: datetime) -> Text:
    """Return "2 h 14 min left" or "3 d late"."""
    return words(due - now, LEFT if due >= now else LATE)


def tone(due: datetime, now: datetime, soon_hours: float = 24) -> Tone:
    """Tell the status of a due time: late, due soon (within `soon_hours`), or waiting."""
    if due < now:
        return "late"
    return "soon" if due - now <= timedelta(hours=soon_hours) else "wait"


def ago(instant: datetime, now: datetime) -> Text:
    """Return "5 min ago"; an instant that is still to come reads as a time left."""
    return words(now - instant, AGO) if instant <= now else words(instant - now, LEFT)


def length(duration: timedelta) -> Text:
    """Return a duration such as "2 h 14 min"."""
    return words(duration, LENGTH)


def used(start: datetime, due: datetime, now: datetime) -> int:
    """Return how much of the time until a due date is used, in percent; all of it once it is over."""
    if now >= due:
        return 100
    return max(0, min(100, int(100 * (now - start) / (due - start))))
