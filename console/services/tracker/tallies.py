"""Numbers of items that the database keeps with every write: reading them, and comparing them with the items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
    text,
    union_all,
)

from console.core.context import Actor, Context
from console.core.listing import ListQuery, ListSpec
from console.domain.tracker.tracker import OPEN_STATUSES, STATUSES, Tally, TrackerKind
from console.models.tallies import COUNTERS, TrackerTally, due_day, fill
from console.models.tracker import TrackerItem
from console.services.audit import record as audit
from console.services.tracker import rows
from console.services.tracker.store import hold_items

_DUE_OPEN = "due_open"
# The numbers of a Tally that the database keeps beside the statuses, and how the Tally calls them.
_TALLY = {
    "closed": "closed",
    "unassigned": "missing_assignee",
    "critical_open": "critical_open",
    "missing_evidence": "missing_evidence",
    "evidence_total": "evidence_total",
}
# Filters of the list that are numbers of their own.
_FLAGS = {
    "unassigned": ("unassigned",),
    "unchecked": OPEN_STATUSES,
    "critical": ("critical_open",),
    "evidence": ("missing_evidence",),
}


def _scope(actor: Actor, programmes: Iterable[TrackerKind], sites: Sequence[str] | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [TrackerTally.tracker.in_([one.key for one in programmes])]
    if not actor.all_sites:
        found.append(TrackerTally.site_key.in_(("", *actor.site_scope)))
    if sites is not None:
        found.append(TrackerTally.site_key.in_(sites))
    return found


def sums(
    actor: Actor, programmes: Iterable[TrackerKind], names: Iterable[str], sites: Sequence[str] | None = None
) -> Select[Any]:
    """Return the SELECT of these numbers, by name, over what the caller may see (of `sites`): one row."""
    numbers = (func.coalesce(func.sum(getattr(TrackerTally, name)), 0).label(name) for name in names)
    return select(*numbers).where(*_scope(actor, programmes, sites), TrackerTally.due_on.is_(None))


def number(
    actor: Actor, programmes: Iterable[TrackerKind], name: str, sites: Sequence[str] | None = None
) -> ScalarSelect[int]:
    """Return one number as part of another statement."""
    return sums(actor, programmes, (name,), sites).scalar_subquery()


def late(
    actor: Actor, programmes: Sequence[TrackerKind], now: datetime, sites: Sequence[str] | None = None
) -> ColumnElement[int]:
    """Return the number of items that are late at `now` (aware UTC), as part of another statement.

    Deadlines of the days before today are added up; only those of today are compared one by one.
    """
    today = now.astimezone(UTC).date()
    scope = _scope(actor, programmes, sites)
    earlier = select(func.coalesce(func.sum(TrackerTally.due_open), 0)).where(*scope, TrackerTally.due_on < today)
    items = _late_today(actor, programmes, now)
    if sites is not None:
        items = items.where(TrackerItem.site_key.in_(sites))
    return earlier.scalar_subquery() + items.with_only_columns(func.count()).scalar_subquery()


def _late_today(actor: Actor, programmes: Iterable[TrackerKind], now: datetime) -> Select[Any]:
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    return rows.keys_of(programmes, actor).where(rows.overdue(now), TrackerItem.due_at >= midnight)


def by_scope(ctx: Context, programmes: Iterable[TrackerKind], now: datetime) -> dict[tuple[str, str], Tally]:
    """Return the numbers of several trackers by tracker and site, of what the caller may see at `now` (aware UTC)."""
    programmes, today = tuple(programmes), now.astimezone(UTC).date()
    names = (*STATUSES, *_TALLY)
    earlier = case((TrackerTally.due_on < today, TrackerTally.due_open), else_=0).label("overdue")
    kept = select(
        TrackerTally.tracker, TrackerTally.site_key, *(getattr(TrackerTally, name) for name in names), earlier
    )
    parts = union_all(
        kept.where(*_scope(ctx.actor, programmes, None)),
        _late_today(ctx.actor, programmes, now).with_only_columns(
            TrackerItem.tracker, TrackerItem.site_key, *(literal_column("0") for _name in names), literal_column("1")
        ),
    ).subquery()
    scope = (parts.c.tracker, parts.c.site_key)
    sums_of = (func.sum(parts.c[name]).label(name) for name in (*names, "overdue"))
    made = {}
    for row in ctx.session.execute(select(*scope, *sums_of).group_by(*scope)):
        found = {_TALLY.get(name, name): count for name, count in row._asdict().items()}
        key = (found.pop("tracker"), found.pop("site_key"))
        total = sum(found[status] for status in STATUSES)
        made[key] = Tally(total=total, unchecked=total - found["done"], **found)
    return made


def by_status(ctx: Context, programme: TrackerKind, listed: ListSpec, query: ListQuery) -> dict[str, int] | None:
    """Count the active items of a list by status; None when it has filters that only the items can answer.

    Permission and site scope of the query are the caller's business.
    """
    asked = _asked(listed, query)
    if asked is None or asked.keys() - {"site", "status", "state"} or _shown(asked) != {"active"}:
        return None
    wanted = [status for status in STATUSES if status in asked.get("status", STATUSES)]
    found = ctx.session.execute(sums(ctx.actor, (programme,), wanted, asked.get("site"))).one()
    return dict(zip(wanted, found, strict=True))


def total(ctx: Context, programme: TrackerKind, listed: ListSpec, query: ListQuery) -> int | None:
    """Count the items of a list as of now; None when it has filters that only the items can answer.

    Permission and site scope of the query are the caller's business.
    """
    asked = _asked(listed, query)
    if asked is None:
        return None
    shown, others = _shown(asked), asked.keys() - {"site", "state"}
    if others == {"due"} and asked["due"] == ["overdue"] and shown == {"active"}:
        return ctx.session.scalar(select(late(ctx.actor, (programme,), ctx.now(), asked.get("site"))))
    if others == {"status"}:
        counts = by_status(ctx, programme, listed, query)
        return None if counts is None else sum(counts.values())
    if not others:
        active, closed = shown != {"closed"}, shown != {"active"}
        names = (*(STATUSES if active else ()), *(("closed",) if closed else ()))
    elif len(others) == 1 and others <= _FLAGS.keys() and shown == {"active"}:
        names = _FLAGS[others.pop()]
    else:
        return None
    return sum(ctx.session.execute(sums(ctx.actor, (programme,), names, asked.get("site"))).one())


def _asked(listed: ListSpec, query: ListQuery) -> dict[str, list[str]] | None:
    """Return the filters of a list that narrow it, or None when it searches for words."""
    if query.search:
        return None
    filters = {key: [word for word in chosen if word] for key, chosen in listed.effective(query).items()}
    return {key: words for key, words in filters.items() if words and listed.filter(key)}


def _shown(asked: Mapping[str, Sequence[str]]) -> set[str]:
    # Trackers without that filter show all.
    return set(asked.get("state", ("all",)))


@dataclass(frozen=True)
class Difference:
    """A number of a tracker at a site (of a day, for deadlines) that was kept as `kept` while `counted` are there."""

    tracker: str
    site_key: str
    due_on: str | None
    name: str
    kept: int
    counted: int


@dataclass(frozen=True)
class TallyCheck:
    """What comparing the kept numbers with the items found; `differences` are the first of `difference_count`.

    `repaired`: all numbers were made anew from the items.
    """

    compared_count: int
    difference_count: int
    differences: tuple[Difference, ...]
    repaired: bool


DIFFERENCES_SHOWN = 50


def check(ctx: Context) -> TallyCheck:
    """Compare all kept numbers with the items; make them anew, and put that on record, if any of them differs.

    One statement compares, so that what others write meanwhile is in both or in neither. Writers of items wait only
    while something is repaired. A dry run only tells.
    """
    compared, found = _compare(ctx)
    if found and not ctx.dry_run:
        ctx.begin_write()
        hold_items(ctx)
        compared, found = _compare(ctx)
    shown = tuple(found[:DIFFERENCES_SHOWN])
    if not found or ctx.dry_run:
        return TallyCheck(compared, len(found), shown, repaired=False)
    for statement in fill(ctx.session.get_bind().dialect.name):
        ctx.session.execute(text(statement))
    audit.record(
        ctx,
        "tracker_tallies_repair",
        "tracker_tallies",
        "global",
        status="warning",
        detail={"difference_count": len(found), "trackers": sorted({one.tracker for one in found})},
    )
    return TallyCheck(compared, len(found), shown, repaired=True)


def _compare(ctx: Context) -> tuple[int, list[Difference]]:
    """Return how many scopes there are, and the numbers that differ, in order of their scope."""
    day = literal_column(due_day(ctx.session.get_bind().dialect.name), TrackerTally.due_on.type)
    zero: ColumnElement[int] = literal_column("0")
    names = (*COUNTERS, _DUE_OPEN)

    def part(source: str, scope: Sequence[Any], numbers: Mapping[str, Any]) -> Select[Any]:
        word: ColumnElement[str] = literal_column(f"'{source}'").label("source")
        return select(word, *scope, *(numbers.get(name, zero).label(name) for name in names)).group_by(*scope)

    tracker, site_key = TrackerItem.tracker, TrackerItem.site_key
    counters: dict[str, ColumnElement[int]] = {
        name: func.sum(literal_column(counter.format(r=""))) for name, counter in COUNTERS.items()
    }
    kept = {name: func.sum(getattr(TrackerTally, name)) for name in names}
    days = select(tracker, site_key, day.label("due_on")).where(rows.OPEN, TrackerItem.due_at.is_not(None)).subquery()
    everything = union_all(
        part("kept", (TrackerTally.tracker, TrackerTally.site_key, TrackerTally.due_on), kept),
        part("counted", (days.c.tracker, days.c.site_key, days.c.due_on), {_DUE_OPEN: func.count()}),
        # PostgreSQL takes the columns from the first SELECT; a NULL of its own type fits below the day.
        select(
            literal_column("'counted'"),
            tracker,
            site_key,
            cast(null(), TrackerTally.due_on.type),
            *(counters.get(name, zero) for name in names),
        ).group_by(tracker, site_key),
    )
    found: dict[tuple[str, str, date | None], dict[str, tuple[int, ...]]] = defaultdict(dict)
    for source, tracker_key, site, due_on, *numbers in ctx.session.execute(everything):
        found[tracker_key, site, due_on][source] = tuple(numbers)
    nothing = (0,) * len(names)
    differences = [
        Difference(tracker_key, site, due_on.isoformat() if due_on else None, name, before, after)
        for (tracker_key, site, due_on), sides in sorted(found.items(), key=_in_order)
        for name, before, after in zip(names, sides.get("kept", nothing), sides.get("counted", nothing), strict=True)
        if before != after
    ]
    return len(found), differences


def _in_order(scope: tuple[tuple[str, str, date | None], Any]) -> tuple[str, str, str]:
    (tracker, site_key, due_on), _sides = scope
    return tracker, site_key, due_on.isoformat() if due_on else ""
