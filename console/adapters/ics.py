"""Calendars as files that every calendar program reads: folded, escaped, with the time zone that their hours are in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

PRODID = "-//KA Facility OS//{}//EN"


@dataclass(frozen=True)
class CalendarEvent:
    """One event: whole days when `start` and `end` are dates (the end is the day after), else aware instants."""

    uid: str
    summary: str
    description: str
    start: date | datetime
    end: date | datetime


def calendar(product: str, events: Iterable[CalendarEvent], stamp: datetime) -> bytes:
    """Return a calendar; `stamp` (aware UTC) is when its content was changed last, so that equal content is equal."""
    # Slow to load and seldom needed.
    from icalendar import Calendar, Event

    made = Calendar()
    made.add("prodid", PRODID.format(product))
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    for one in events:
        entry = Event()
        entry.add("uid", one.uid)
        entry.add("dtstamp", stamp)
        entry.add("dtstart", one.start)
        entry.add("dtend", one.end)
        entry.add("summary", one.summary)
        entry.add("description", one.description)
        made.add_component(entry)
    made.add_missing_timezones()
    text: bytes = made.to_ical()
    return text
