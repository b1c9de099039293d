"""What still goes out to a person, judged when it is about to be sent: rights, quiet hours and whether it still counts.

Between an alert and its message there may be a night, or hours in which a mail server was away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from console.core.context import Context
from console.domain.alerts import personal as rules
from console.domain.alerts import snooze
from console.domain.alerts.alerts import SLA_ESCALATED, Channel
from console.domain.alerts.personal import Person
from console.domain.alerts.routing import LEVELS
from console.domain.alerts.wanted import ItemNow, OrderNow
from console.domain.handover.lines import GIVEN
from console.models.handover import Handover
from console.models.identity import User
from console.models.personal_alerts import PersonalAddress, PersonalDelivery
from console.models.tracker import TrackerItem
from console.models.work_orders import WorkOrder
from console.services.alerts import audience, claims, notices, personal, states, wanted
from console.services.alerts.claims import Claimed
from console.services.alerts.lanes import PAUSED, PAUSED_FOR
from console.services.alerts.wanted import Stop

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
    """How a thing is now; `held` is the snooze that puts its reminders off: until when, and its id."""

    now: OrderNow | ItemNow | bool
    site: str | None
    people: frozenset[str]
    held: tuple[datetime, int] | None = None

    def handled(self, message: Claimed, line: Mapping[str, Any], at: datetime) -> bool:
        """Return whether what a message tells of it is answered."""
        if isinstance(self.now, ItemNow):
            return self.now.handled(message.event_type, line)
        if isinstance(self.now, OrderNow):
            late = message.event_type == SLA_ESCALATED
            return self.now.handled(message.raised_at, at) if late else self.now.begun_since(message.raised_at)
        return not self.now


def admit(ctx: Context, key: str, taken: Sequence[Claimed]) -> Admitted:
    """Return what of the messages that were taken for an address goes out now; the rest is put off or dropped."""
    if not taken:
        return Admitted((), None)
    row = ctx.session.scalar(
        select(PersonalAddress).where(PersonalAddress.key == key).execution_options(populate_existing=True)
    )
    if row is None or row.confirmed_at is None:
        for message in taken:
            wanted.put_aside(ctx, message, Stop(NOT_ALLOWED))
        return Admitted((), None)
    if row.paused:
        claims.give_back(ctx, taken)
        states.hold(ctx, key, ctx.now() + PAUSED_FOR, PAUSED)
        return Admitted((), None)
    person = audience.person_of(ctx.session.execute(audience.people().where(User.id == row.user_id)).one())
    facts, now, out = _facts(ctx, taken), ctx.now(), []
    for message in taken:
        keys = _keys(person, message)
        claimed = notices.held(ctx, dict.fromkeys(keys, message.raised_at))
        judged = _judged(message, person, facts, claimed, now)
        if isinstance(judged, Stop):
            wanted.put_aside(ctx, message, judged)
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


def _judged(
    message: Claimed, person: Person, facts: Mapping[str, _Fact], claimed: Collection[str], at: datetime
) -> Claimed | Stop:
    """Return a message with what still counts in it, or why nothing does; it waits while all of that is snoozed.

    `claimed` are those of its claims that stand.
    """
    payload = {name: value for name, value in message.payload.items() if name != _TRIED}
    lines = _lines(payload)
    if not lines:
        if not claimed:
            return Stop(TOLD_ANEW)
        allowed = rules.may_know(person, message.event_type, message.site, mine=False)
        return replace(message, payload=payload) if allowed else Stop(NOT_ALLOWED)
    kept, held, why = [], [], NOT_ALLOWED
    for line in lines:
        fact = facts.get(line["subject"])
        mine = fact is not None and person.username in fact.people
        if fact is None or fact.handled(message, line, at):
            why = HANDLED
        elif line.get("mine") and not mine:
            why = NOT_THEIRS
        elif _key(person, message.event_type, line) not in claimed:
            why = TOLD_ANEW
        elif rules.may_know(person, message.event_type, fact.site, mine=mine, tracker=str(line.get("tracker") or "")):
            kept.append(line)
            held += [fact.held] if fact.held else []
    if kept and len(held) == len(kept):
        return wanted.put_off(held)
    return replace(message, payload={**payload, "items": kept, "count": len(kept)}) if kept else Stop(why)


def _severity(payload: Mapping[str, Any]) -> str:
    said = [line.get("severity") for line in _lines(payload)]
    return rules.worst([word for word in (*said, payload.get("severity")) if word in LEVELS])


def _facts(ctx: Context, taken: Sequence[Claimed]) -> dict[str, _Fact]:
    """Return how the things of some messages are now, by subject; what is gone is not in it. A query for each kind."""
    ids: dict[str, set[int]] = defaultdict(set)
    for message in taken:
        for line in _lines(message.payload):
            kind, _, number = str(line["subject"]).partition(":")
            if number.isdecimal():
                ids[kind].add(int(number))
    found: dict[str, _Fact] = {}
    held = wanted.snoozed(ctx, ids["order"], ids["item"])
    if ids["order"]:
        orders = select(*wanted.ORDER_NOW, WorkOrder.site, WorkOrder.assignee).where(WorkOrder.id.in_(ids["order"]))
        for row in ctx.session.execute(orders):
            standing = held.get((snooze.ORDER, row.id))
            found[f"order:{row.id}"] = _Fact(wanted.order_now(row), row.site, _only(row.assignee), standing)
    if ids["item"]:
        items = select(*wanted.ITEM_NOW, TrackerItem.site).where(TrackerItem.id.in_(ids["item"]))
        for row in ctx.session.execute(items):
            standing = held.get((snooze.ITEM, row.id))
            found[f"item:{row.id}"] = _Fact(wanted.item_now(row), row.site, _only(row.assignee), standing)
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
