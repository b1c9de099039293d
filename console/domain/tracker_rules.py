"""What a person's change does to a tracker item, and how its deadline reads."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.text import T, Text

SOON = timedelta(hours=24)


@dataclass(frozen=True)
class State:
    """The part of an item that hangs together: done exactly when checked, `completed_at` set exactly then."""

    status: str
    completion_checked: bool
    completed_at: datetime | None


@dataclass(frozen=True)
class NextState:
    """The state after a change; `adjusted` says that the sent pair contradicted itself and was put right."""

    state: State
    adjusted: bool


def next_state(stored: State, status: str | None, checked: bool | None, now: datetime) -> NextState:
    """Decide the pair of status and check (API contract, PATCH of an item; the weekly trackers' rules are the same).

    `status` and `checked` are None when they were not sent. The time of completion is stamped only on the change
    to done, so that a later note does not make old work look new.
    """
    if status is None and checked is None:
        return NextState(stored, adjusted=False)
    if checked is True or (status == "done" and checked is None):
        target = "done"
    elif status == "done" or (status is None and stored.status == "done"):
        target = "in_progress"
    else:
        target = status or stored.status
    if target == "done":
        keep = stored.status == "done" and stored.completed_at is not None
        state = State("done", True, stored.completed_at if keep else now)
    else:
        state = State(target, False, None)
    return NextState(state, adjusted=status is not None and status != target)


def soon_window(sla_hours: int | None, hours: int = 24) -> timedelta:
    """How long before the deadline an item counts as due soon: never more than half of its SLA."""
    window = timedelta(hours=hours)
    return min(window, timedelta(hours=max(sla_hours, 1)) / 2) if sla_hours else window


@dataclass(frozen=True)
class Countdown:
    """A deadline in words: `state` is one of `none`, `done`, `late`, `soon`, `later`; `at` the absolute time (UTC)."""

    state: str
    text: Text
    at: datetime | None
    minutes: int | None


def countdown(due_at: datetime | None, now: datetime, *, done: bool = False, sla_hours: int | None = None) -> Countdown:
    """Tell how much time is left until `due_at`, or by how much it has passed; `minutes` is negative then."""
    if due_at is None:
        return Countdown("done" if done else "none", T("No due date"), None, None)
    minutes = int((due_at - now).total_seconds() // 60)
    if done:
        return Countdown("done", T("Done"), due_at, minutes)
    if due_at < now:
        return Countdown("late", _words(int((now - due_at).total_seconds() // 60), _LATE), due_at, minutes)
    state = "soon" if due_at - now <= soon_window(sla_hours) else "later"
    return Countdown(state, _words(minutes, _LEFT), due_at, minutes)


_LEFT = (
    "Due now",
    "%(minutes)s min left",
    "%(hours)s h %(minutes)s min left",
    "%(hours)s h left",
    "%(days)s days left",
)
_LATE = (
    "Just passed",
    "%(minutes)s min late",
    "%(hours)s h %(minutes)s min late",
    "%(hours)s h late",
    "%(days)s days late",
)


def _words(minutes: int, words: tuple[str, str, str, str, str]) -> Text:
    """Minutes matter below six hours, hours below two days, then days."""
    hours, rest = divmod(minutes, 60)
    if minutes < 1:
        return T(words[0])
    if hours < 1:
        return T(words[1], minutes=minutes)
    if hours < 6 and rest:
        return T(words[2], hours=hours, minutes=rest)
    if hours < 48:
        return T(words[3], hours=hours)
    return T(words[4], days=hours // 24)
