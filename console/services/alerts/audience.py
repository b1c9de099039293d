"""Who is told of an alert beside its channels: people at their own addresses, or by their name in a channel.

All of it is in the transaction of the cause. A thing is claimed for a person before it is told; of several ways, and of
several alerts within the interval, one gets the claim.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Row, Select, exists, or_, select

from console.core.context import Context
from console.core.serialize import plain
from console.domain.alerts import personal as rules
from console.domain.alerts.alerts import NAMING, Channel
from console.domain.alerts.guard import QUARANTINED
from console.domain.alerts.personal import Person, Thing
from console.domain.identity.able import Worker
from console.models.identity import User
from console.models.personal_alerts import PersonalAddress, PersonalChoices, PersonalDelivery, PersonalName
from console.services.alerts import notices, states
from console.services.alerts.personal_choices import choices_of

Shared = Sequence[tuple[Channel, Mapping[str, Any]]]


@dataclass(frozen=True)
class Spread:
    """Who is told: `named` says by channel whom it names, and for which of its things; `people` have a message."""

    named: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)
    people: int = 0


@dataclass(frozen=True)
class Address:
    """A usable address of a person; one in quarantine is taken only where there is no other."""

    user_id: int
    key: str
    target: str
    quarantined: bool


@dataclass(frozen=True)
class _Way:
    """How one thing reaches one person: by the name in a channel, or at an address at an instant."""

    person: Person
    thing: Thing
    at: datetime
    channel: str = ""
    address: Address | None = None


USABLE = (PersonalAddress.confirmed_at.is_not(None), PersonalAddress.paused.is_(False))


def spread(
    ctx: Context, event_type: str, payload: Mapping[str, Any], things: Sequence[Thing], shared: Shared = ()
) -> Spread:
    """Tell the people whom these things concern; `shared` are the channels that get the message, and what of it.

    Without anybody who has an address or a name it is one query.
    """
    naming = [(one, part) for one, part in shared if one.kind in NAMING]
    people = _people(ctx, [one.key for one, _part in naming])
    wanted = {one.user_id: [thing for thing in things if rules.wants(one, event_type, thing)] for one in people}
    people = [one for one in people if wanted[one.user_id]]
    if not people:
        return Spread()
    now = ctx.now()
    addresses = addresses_of(ctx, [one.user_id for one in people])
    rooms = _rooms(ctx, event_type, naming)
    ways = [
        way
        for person in people
        for thing in wanted[person.user_id]
        if (way := _way(person, thing, rooms, addresses.get(person.user_id, []), now)) is not None
    ]
    keys = [rules.identity(way.person.user_id, event_type, way.thing.subject, way.thing.step) for way in ways]
    interval = timedelta(minutes=ctx.config["ALERT_PERSONAL_REPEAT_MINUTES"])
    won = notices.claim_many(ctx, {key: way.at for key, way in zip(keys, ways, strict=True)}, interval, now=now)
    taken = [way for key, way in zip(keys, ways, strict=True) if key in won]
    named: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for way in taken:
        if way.channel:
            named[way.channel].setdefault(way.person.username, []).append(rules.called(way.thing))
    told = _queue(ctx, event_type, payload, [way for way in taken if way.address is not None], now)
    return Spread(named, told)


def _way(
    person: Person,
    thing: Thing,
    rooms: Mapping[str, tuple[frozenset[str], frozenset[str]]],
    addresses: Sequence[Address],
    now: datetime,
) -> _Way | None:
    at = rules.sent_at(person, thing.severity, now)
    if at == now and person.username in thing.people:
        for key, (subjects, names) in rooms.items():
            if thing.subject in subjects and person.username in names:
                return _Way(person, thing, at, channel=key)
    return _Way(person, thing, at, address=addresses[0]) if addresses else None


def _rooms(
    ctx: Context, event_type: str, naming: Sequence[tuple[Channel, Mapping[str, Any]]]
) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Return what each channel will tell of and whom it can name; one in quarantine tells nobody in time."""
    if not naming:
        return {}
    keys = [one.key for one, _part in naming]
    names: dict[str, set[str]] = defaultdict(set)
    wanted = select(PersonalName.channel, User.username).join(User, User.id == PersonalName.user_id)
    for row in ctx.session.execute(wanted.where(PersonalName.channel.in_(keys))):
        names[row.channel].add(row.username)
    away = _quarantined(ctx, list(names))
    return {
        one.key: (
            frozenset(thing.subject for thing in rules.things_of(event_type, part, None) if thing.line),
            frozenset(names[one.key]),
        )
        for one, part in naming
        if one.key in names and one.key not in away
    }


def _quarantined(ctx: Context, keys: Collection[str]) -> set[str]:
    if not keys:
        return set()
    held_to, now = states.rules_of(ctx.config), ctx.now()
    known = states.of_channels(ctx, keys)
    return {key for key, state in known.items() if held_to.enabled and state.at(now, held_to) == QUARANTINED}


def addresses_of(ctx: Context, user_ids: Collection[int]) -> dict[int, list[Address]]:
    """Return the addresses that may be used, by person, the one to be used first: two queries."""
    columns = (PersonalAddress.user_id, PersonalAddress.key, PersonalAddress.target)
    wanted = select(*columns).where(PersonalAddress.user_id.in_(user_ids), *USABLE).order_by(PersonalAddress.id)
    rows = ctx.session.execute(wanted).all()
    away = _quarantined(ctx, [row.key for row in rows])
    found: dict[int, list[Address]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.key in away):
        found[row.user_id].append(Address(row.user_id, row.key, row.target, row.key in away))
    return found


def _people(ctx: Context, channels: Collection[str]) -> list[Person]:
    reached: ColumnElement[bool] = exists().where(PersonalAddress.user_id == User.id, *USABLE)
    if channels:
        reached = or_(reached, exists().where(PersonalName.user_id == User.id, PersonalName.channel.in_(channels)))
    return [person_of(row) for row in ctx.session.execute(people().where(User.is_active, reached).order_by(User.id))]


def people() -> Select[Any]:
    """Return the SELECT of people with what decides about them."""
    wanted: list[Any] = [User.id, User.username, User.role, User.permissions, User.site_scope, User.is_active]
    found = select(*wanted, PersonalChoices).outerjoin(PersonalChoices, PersonalChoices.user_id == User.id)
    return found.execution_options(populate_existing=True)


def person_of(row: Row[Any]) -> Person:
    """Return the person of a row of `people`."""
    worker = Worker(row.role, row.permissions, row.site_scope, row.is_active)
    return Person(row.id, row.username, worker, choices_of(row.PersonalChoices))


def reachable(ctx: Context) -> frozenset[str]:
    """Return the user names of those who have an address: for who lists things one by one. One query."""
    wanted = select(User.username).where(User.is_active, exists().where(PersonalAddress.user_id == User.id, *USABLE))
    return frozenset(ctx.session.scalars(wanted))


def _queue(ctx: Context, event_type: str, payload: Mapping[str, Any], ways: Sequence[_Way], now: datetime) -> int:
    """Put the messages into the outbox: for each person and instant one, or several where it would be too long."""
    sheets: dict[tuple[int, datetime], list[_Way]] = defaultdict(list)
    for way in ways:
        sheets[way.person.user_id, way.at].append(way)
    for (_user, at), mine in sheets.items():
        for part in _parts(mine):
            address = part[0].address
            if address is not None:
                content = _message(event_type, payload, part)
                ctx.session.add(message(address, event_type, content, at, raised_at=now, site=_one_site(part)))
    ctx.session.flush()
    return len({way.person.user_id for way in ways})


def message(
    address: Address,
    event_type: str,
    payload: Mapping[str, Any],
    at: datetime,
    *,
    raised_at: datetime,
    site: str | None,
) -> PersonalDelivery:
    """Return a message that goes out to an address at an instant; `raised_at` is when its things were claimed."""
    return PersonalDelivery(
        user_id=address.user_id,
        message_id=f"msg_{uuid4().hex}",
        event_type=event_type[:80],
        channel=address.key,
        target=address.target,
        site=site,
        payload_json=plain(payload),
        last_attempt_at=raised_at,
        next_attempt_at=at,
        created_at=raised_at,
        updated_at=raised_at,
    )


def _parts(ways: Sequence[_Way]) -> Iterator[Sequence[_Way]]:
    for start in range(0, len(ways), rules.MOST_LISTED):
        yield ways[start : start + rules.MOST_LISTED]


def _one_site(ways: Sequence[_Way]) -> str | None:
    sites = {way.thing.site for way in ways}
    return sites.pop() if len(sites) == 1 else None


def _message(event_type: str, payload: Mapping[str, Any], ways: Sequence[_Way]) -> Mapping[str, Any]:
    """Return what a person is told: their things alone, or the whole message where it lists none."""
    if not ways[0].thing.line:
        severity = rules.worst(way.thing.severity for way in ways)
        return {**payload, "event": payload.get("event", event_type), "severity": severity}
    return {
        "event": event_type,
        "checked_at": payload.get("checked_at"),
        "count": len(ways),
        "items": [
            {
                **way.thing.line,
                "subject": way.thing.subject,
                "step": way.thing.step,
                "site": way.thing.site,
                "severity": way.thing.severity,
                "mine": way.person.username in way.thing.people,
            }
            for way in ways
        ],
    }
