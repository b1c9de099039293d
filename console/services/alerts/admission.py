"""What still goes out to a person, judged when it is about to be sent: rights, quiet hours and whether it still counts.

Between an alert and its message there may be a night, or hours in which a mail server was away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select, update

from console.core.context import Context
from console.domain.alerts import personal as rules
from console.domain.alerts.alerts import DEAD, Channel
from console.domain.alerts.personal import Person
from console.domain.alerts.routing import LEVELS
from console.domain.handover.lines import GIVEN
from console.domain.work_orders.words import OPEN_STATUSES
from console.models.handover import Handover
from console.models.identity import User
from console.models.personal_alerts import PersonalAddress, PersonalDelivery
from console.models.tracker import TrackerItem
from console.models.work_orders import WorkOrder
from console.services.alerts import audience, claims, notices, personal, states
from console.services.alerts.claims import Claimed
from console.services.alerts.lanes import PAUSED, PAUSED_FOR

HANDLED, NOT_THEIRS, NOT_ALLOWED = "handled before it was sent", "no longer theirs", "no longer allowed"
TOLD_ANEW = "told anew since"
# Where a message remembers which addresses refused it; it is not sent.
_TRIED = "tried"


@dataclass(frozen=True)
class Admitted:
    """What goes out, and the address as it is now; None for one that is gone."""

    messages: tuple[Claimed, ...]
    channel: Channel | None


@dataclass(frozen=True)
class _Fact:
    """How a thing is now."""

    open: bool
    site: str | None
    people: frozenset[str]


def admit(ctx: Context, key: str, taken: Sequence[Claimed]) -> Admitted:
    """Return what of the messages that were taken for an address goes out now; the rest is put off or dropped."""
    if not taken:
        return Admitted((), None)
    row = ctx.session.scalar(
        select(PersonalAddress).where(PersonalAddress.key == key).execution_options(populate_existing=True)
    )
    if row is None or row.confirmed_at is None:
        for message in taken:
            _drop(ctx, message, NOT_ALLOWED)
        return Admitted((), None)
    if row.paused:
        claims.give_back(ctx, taken)
        states.hold(ctx, key, ctx.now() + PAUSED_FOR, PAUSED)
        return Admitted((), None)
    person = audience.person_of(ctx.session.execute(audience.people().where(User.id == row.user_id)).one())
    facts, now, out = _facts(ctx, taken), ctx.now(), []
    for message in taken:
        keys = _keys(person, message)
        judged = _judged(message, person, facts, notices.held(ctx, dict.fromkeys(keys, message.raised_at)))
        if isinstance(judged, str):
            _drop(ctx, message, judged)
            continue
        at = rules.sent_at(person, _severity(judged.payload), now)
        # The interval counts from when it is really told.
        notices.move(ctx, _keys(person, judged), at)
        if at > now:
            claims.give_back(ctx, [message], until=at)
        else:
            out.append(judged)
    return Admitted(tuple(out), personal.channel_of(ctx, row))


def _lines(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the things that a message lists; none where it is a thing itself."""
    lines = payload.get("items")
    return [line for line in lines if isinstance(line, dict) and "subject" in line] if isinstance(lines, list) else []


def _key(person: Person, event_type: str, line: Mapping[str, Any]) -> str:
    return rules.identity(person.user_id, event_type, line["subject"], line.get("step", ""))


def _keys(person: Person, message: Claimed) -> list[str]:
    whole = {"subject": message.event_type}
    return [_key(person, message.event_type, line) for line in _lines(message.payload) or [whole]]


def _judged(message: Claimed, person: Person, facts: Mapping[str, _Fact], held: Collection[str]) -> Claimed | str:
    """Return a message with what still counts in it, or why nothing does; `held` are its claims that stand."""
    payload = {name: value for name, value in message.payload.items() if name != _TRIED}
    lines = _lines(payload)
    if not lines:
        if not held:
            return TOLD_ANEW
        allowed = rules.may_know(person, message.event_type, message.site, mine=False)
        return replace(message, payload=payload) if allowed else NOT_ALLOWED
    kept, why = [], NOT_ALLOWED
    for line in lines:
        fact = facts.get(line["subject"])
        mine = fact is not None and person.username in fact.people
        if fact is None or not fact.open:
            why = HANDLED
        elif line.get("mine") and not mine:
            why = NOT_THEIRS
        elif _key(person, message.event_type, line) not in held:
            why = TOLD_ANEW
        elif rules.may_know(person, message.event_type, fact.site, mine=mine):
            kept.append(line)
    return replace(message, payload={**payload, "items": kept, "count": len(kept)}) if kept else why


def _severity(payload: Mapping[str, Any]) -> str:
    said = [line.get("severity") for line in _lines(payload)]
    return rules.worst([word for word in (*said, payload.get("severity")) if word in LEVELS])


def _drop(ctx: Context, message: Claimed, reason: str) -> None:
    """Give a message up, with the reason on record; no attempt is counted."""
    now = ctx.now()
    ctx.session.execute(
        update(PersonalDelivery)
        .where(PersonalDelivery.id == message.id, PersonalDelivery.lease_token == message.lease_token)
        .values(
            status=DEAD,
            error=reason,
            next_attempt_at=None,
            updated_at=now,
            lease_token=None,
            lease_until=None,
            attempt_count=PersonalDelivery.attempt_count - 1,
        ),
        execution_options={"synchronize_session": False},
    )


def _facts(ctx: Context, taken: Sequence[Claimed]) -> dict[str, _Fact]:
    """Return how the things of some messages are now, by subject; what is gone is not in it. A query for each kind."""
    ids: dict[str, set[int]] = defaultdict(set)
    for message in taken:
        for line in _lines(message.payload):
            kind, _, number = str(line["subject"]).partition(":")
            if number.isdecimal():
                ids[kind].add(int(number))
    found: dict[str, _Fact] = {}
    if ids["order"]:
        wanted = select(WorkOrder.id, WorkOrder.status, WorkOrder.site, WorkOrder.assignee)
        for order in ctx.session.execute(wanted.where(WorkOrder.id.in_(ids["order"]))):
            found[f"order:{order.id}"] = _Fact(order.status in OPEN_STATUSES, order.site, _only(order.assignee))
    if ids["item"]:
        names = ("id", "status", "is_active", "site", "assignee")
        listed = select(*(getattr(TrackerItem, name) for name in names))
        for item in ctx.session.execute(listed.where(TrackerItem.id.in_(ids["item"]))):
            still = bool(item.is_active) and item.status != "done"
            found[f"item:{item.id}"] = _Fact(still, item.site, _only(item.assignee))
    if ids["handover"]:
        given = select(Handover.id, Handover.state, Handover.site, Handover.taker, Handover.given_by)
        for one in ctx.session.execute(given.where(Handover.id.in_(ids["handover"]))):
            found[f"handover:{one.id}"] = _Fact(one.state == GIVEN, one.site, _only(one.taker, one.given_by))
    return found


def _only(*names: str | None) -> frozenset[str]:
    return frozenset(name for name in names if name)


def pass_on(ctx: Context, message: Claimed) -> None:
    """Queue a message that an address refused for the next one of the same person that did not refuse it yet."""
    row = ctx.session.get(PersonalDelivery, message.id, populate_existing=True)
    if row is None or row.probe:
        return
    tried = [*row.payload_json.get(_TRIED, ()), row.channel]
    left = [one for one in audience.addresses_of(ctx, [row.user_id]).get(row.user_id, []) if one.key not in tried]
    if left:
        payload = {**row.payload_json, _TRIED: tried}
        copy = audience.message(left[0], row.event_type, payload, ctx.now(), raised_at=row.created_at, site=row.site)
        ctx.session.add(copy)
