"""Who gets a message: what a person wants, what they may know of, and that nobody gets the same thing twice.

A message tells of things: one order, one item, one handover, or the matter of the message itself. The same thing on the
same step is told to a person once within the interval, by whichever way was first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from console.domain.alerts.alerts import (
    ASSIGNED,
    BURNS,
    ESCALATED,
    HANDOVER_LATE,
    ORDER_ASSIGNED,
    RULE_FAILS,
    SLA_ESCALATED,
    W07_DEGRADED,
)
from console.domain.alerts.quiet import Quiet
from console.domain.alerts.routing import CRITICAL, INFO, LEVELS, WARNING, level_of
from console.domain.alerts.slo import BREACHED
from console.domain.automation import sla
from console.domain.identity import able, scope
from console.domain.identity.able import Worker
from console.domain.jobs import names as job_names
from console.domain.programme import trackers

# How many addresses a person may have, and how a mail address is proven.
MOST_ADDRESSES, CODE_DIGITS, CODE_TRIES = 5, 8, 5
CODE_VALID, CODE_PAUSE = timedelta(minutes=30), timedelta(minutes=1)
# How many codes and trials a person may have sent within an hour, whatever becomes of the addresses.
CODES_AN_HOUR, TRIALS_AN_HOUR = 10, 20
# How many things one message holds, and how many of them are told in words.
MOST_LISTED, MOST_TOLD = 500, 20

_BOARD = ("admins:manage", "governance:read")
_ORDERS = ("admins:manage", "work_orders:read")
_PLATFORM = ("admins:manage", "alerts:read")
# What a person may choose, and the permissions of which one opens what it tells of.
EVENTS: Mapping[str, tuple[str, ...]] = {
    SLA_ESCALATED: _ORDERS,
    ORDER_ASSIGNED: _ORDERS,
    ESCALATED: _BOARD,
    ASSIGNED: _BOARD,
    HANDOVER_LATE: _ORDERS,
    RULE_FAILS: _BOARD,
    W07_DEGRADED: _PLATFORM,
    job_names.DAILY_CHECK: _PLATFORM,
    BURNS: _PLATFORM,
    BREACHED: _PLATFORM,
}
# What reaches people before they chose anything: what is theirs and late, and what became theirs.
DEFAULT_EVENTS = frozenset({SLA_ESCALATED, ORDER_ASSIGNED, ESCALATED, ASSIGNED, HANDOVER_LATE})
# Where a message lists its things, and what one of them is called.
_LISTED = {
    ESCALATED: ("items", "item"),
    ASSIGNED: ("items", "item"),
    RULE_FAILS: ("items", "item"),
    SLA_ESCALATED: ("orders", "order"),
    ORDER_ASSIGNED: ("orders", "order"),
}
_BY_STEP = {sla.CRITICAL_LATE: CRITICAL, sla.LATE: WARNING}
_BY_PRIORITY = {"critical": CRITICAL}


@dataclass(frozen=True)
class Thing:
    """One thing that a message tells of: `subject` names it (`order:17`), `step` how far it has escalated.

    `people` are the user names whose thing it is, `line` is how the message lists it (empty: the message itself), and
    `tracker` names the tracker of an item, whose permissions say who may know of it.
    """

    subject: str
    site: str | None
    step: str = ""
    severity: str = INFO
    people: frozenset[str] = frozenset()
    line: Mapping[str, Any] = field(default_factory=dict)
    tracker: str = ""


@dataclass(frozen=True)
class Choices:
    """What a person wants; an empty set of sites is all that they may see."""

    event_types: frozenset[str] = DEFAULT_EVENTS
    least_level: str = INFO
    sites: frozenset[str] = frozenset()
    only_mine: bool = True
    quiet: Quiet | None = None


@dataclass(frozen=True)
class Person:
    """A person with what decides about them."""

    user_id: int
    username: str
    worker: Worker
    choices: Choices = field(default_factory=Choices)


def things_of(event_type: str, payload: Mapping[str, Any], site: str | None) -> tuple[Thing, ...]:
    """Return the things that a message tells of; one that lists none is a thing itself."""
    place, kind = _LISTED.get(event_type, ("", ""))
    lines = payload.get(place)
    if not place or not isinstance(lines, (list, tuple)):
        return (Thing(event_type, site, severity=level_of(event_type, payload)),)
    return tuple(_thing(event_type, kind, line) for line in lines)


def _thing(event_type: str, kind: str, line: Mapping[str, Any]) -> Thing:
    who, step = line.get("assignee"), line.get("escalation_level")
    return Thing(
        subject=f"{kind}:{line['id']}",
        site=line.get("site") or None,
        step="" if step is None else str(step),
        severity=_severity(event_type, line),
        people=frozenset({who} if who else ()),
        line=line,
        tracker=str(line.get("tracker") or ""),
    )


def _severity(event_type: str, line: Mapping[str, Any]) -> str:
    if event_type == ESCALATED:
        return _BY_STEP.get(line.get("escalation_level") or sla.NONE, INFO)
    if event_type == SLA_ESCALATED:
        return _BY_PRIORITY.get(str(line.get("priority")), WARNING)
    return INFO


def may_know(person: Person, event_type: str, site: str | None, *, mine: bool, tracker: str = "") -> bool:
    """Return whether a person may be told of a thing now: the account is on, the right is held, the site is theirs.

    What belongs to no site and to nobody is for those who look after all of them.
    """
    of_tracker = trackers.programme(tracker)
    permissions = of_tracker.read if of_tracker is not None else EVENTS.get(event_type, _PLATFORM)
    if able.obstacle(person.worker, permissions, site) is not None:
        return False
    return site is not None or mine or person.worker.sites == scope.ALL_SITES


def wants(person: Person, event_type: str, thing: Thing) -> bool:
    """Return whether a person gets a message about a thing."""
    choices, mine = person.choices, person.username in thing.people
    return (
        event_type in choices.event_types
        and (mine or not choices.only_mine)
        and LEVELS.index(thing.severity) >= LEVELS.index(choices.least_level)
        and (not choices.sites or thing.site in choices.sites)
        and may_know(person, event_type, thing.site, mine=mine, tracker=thing.tracker)
    )


def sent_at(person: Person, severity: str, now: datetime) -> datetime:
    """Return when a message goes out to a person: now, or when their quiet hours end."""
    quiet = person.choices.quiet
    if quiet is None or (quiet.critical_passes and severity == CRITICAL):
        return now
    return quiet.until(now) or now


def identity(user_id: int, event_type: str, subject: str, step: str) -> str:
    """Return what makes a thing that was told to a person the same one: event, subject and step."""
    return f"person:{user_id}:{event_type}:{subject}:{step}"


def told_already(told_at: datetime | None, at: datetime, interval: timedelta) -> bool:
    """Return whether a thing that was told (or waits to be told) at `told_at` is not told again at `at`."""
    return told_at is not None and told_at > at - interval


def called(thing: Thing) -> str:
    """Return what people call a thing in a message: its number."""
    return str(thing.line.get("item_id") or f"#{thing.line.get('id', '')}")


def worst(severities: Iterable[str]) -> str:
    """Return the worst of some levels."""
    return max(severities, key=LEVELS.index, default=INFO)
