"""Times that people type in a zone: what they mean, or why they can mean nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from console.domain.text import T, Text

# As browsers send it: minutes, or seconds where a page asked for them, and never a zone.
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?")
# So far from now a deadline may lie, in both directions.
REACH = timedelta(days=3660)
TOO_FAR = T("The due date must be within ten years")


class LocalTimeError(ValueError):
    """The typed time means no instant, or two; `text` says so to people."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


def typed_time(text: str) -> datetime:
    """Return what a field for a local time sent, without zone; raises LocalTimeError."""
    try:
        typed = datetime.fromisoformat(text) if _LOCAL.fullmatch(text) else None
    except ValueError:
        typed = None
    if typed is None:
        raise LocalTimeError(T("That is not a date and time"))
    return typed


def instant_of(typed: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the instant, in UTC, that a typed time means in `zone`.

    Raises LocalTimeError for one further than ten years from `now`, for one that the clocks of the zone skip and for
    one that they show twice.
    """
    # Compared as they are typed: the ends of the calendar have no place in every zone.
    if abs(typed - now.astimezone(zone).replace(tzinfo=None)) > REACH:
        raise LocalTimeError(TOO_FAR)
    first, second = (typed.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    named = {"time": typed.strftime("%H:%M"), "zone": zone.key}
    if first < second:
        raise LocalTimeError(
            T("%(time)s comes twice on that day: the clocks of %(zone)s are put back. Please choose another.", **named)
        )
    raise LocalTimeError(
        T("There is no %(time)s on that day: the clocks of %(zone)s are put forward. Please choose another.", **named)
    )
