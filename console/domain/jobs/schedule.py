"""When something is due: decisions over the instants of a schedule; the instants themselves come from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

# Clocks of two schedulers may differ by less than this without any of them thinking that time was set back.
SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class ScheduleEntry:
    """One line of the schedule: which job, at which instants, with which options.

    `cron` has five fields and is read in `zone`; `tolerance` is how long a run may start after its instant before it
    counts as late; `sentence` is the message id of the words for people.
    """

    job: str
    cron: str
    zone: str = "UTC"
    options: Mapping[str, Any] = field(default_factory=dict)
    tolerance: timedelta = timedelta(minutes=5)
    sentence: str = ""

    @property
    def key(self) -> str:
        """Name the line; changed words or another zone make it another line, which starts without a past."""
        return f"{self.job} {self.cron} {self.zone}"


@dataclass(frozen=True)
class Due:
    """One run to be made: for `instant`, standing in for `missed` older instants that nobody served."""

    instant: datetime
    missed: int
    catch_up: bool


def look_back_to(cursor: datetime, now: datetime) -> datetime:
    """Return the end of what was already looked at, as a bound for the next look.

    A cursor far ahead of `now` means that the clock was set back; going on from `now` is safe, because an instant
    that already has its run is refused by the database.
    """
    return now if cursor - now > SKEW else cursor


def decide(instants: Sequence[datetime], *, now: datetime, tolerance: timedelta) -> Due | None:
    """Return the one run for the instants that passed since the last look, or None.

    Only the newest is run: running an hourly job five times in a row after five hours of silence helps nobody.
    """
    passed = [instant for instant in instants if instant <= now]
    if not passed:
        return None
    newest = max(passed)
    missed = len(passed) - 1
    return Due(newest, missed, catch_up=missed > 0 or now - newest > tolerance)


@dataclass(frozen=True)
class Standing:
    """How a line of the schedule stands at `now`, for the people who look after it."""

    previous_at: datetime | None
    next_at: datetime
    late_by: timedelta | None

    @property
    def late(self) -> bool:
        """Return whether the previous instant is overdue without a run that started."""
        return self.late_by is not None


def standing(
    *,
    previous_at: datetime | None,
    next_at: datetime,
    known_since: datetime | None,
    served_until: datetime | None,
    tolerance: timedelta,
    now: datetime,
) -> Standing:
    """Return whether the newest passed instant was served.

    `served_until` is the newest instant whose run started; `known_since` is when the scheduler first saw the line
    (None: never), before which nothing can be late.
    """
    owed = previous_at is not None and known_since is not None and previous_at > known_since
    served = previous_at is not None and served_until is not None and served_until >= previous_at
    if previous_at is None or not owed or served or now - previous_at <= tolerance:
        return Standing(previous_at, next_at, None)
    return Standing(previous_at, next_at, now - previous_at)
