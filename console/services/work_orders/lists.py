"""The lists of work orders: what may be filtered, searched and sorted, by people and by programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import ge
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select, true

from console.core.context import Context
from console.core.filters import day_filters, exact, instant, moment, one_of
from console.core.listing import Choices, Filter, ListQuery, ListSpec
from console.core.serialize import iso
from console.domain.alerts import snooze
from console.domain.errors import Invalid
from console.domain.ids import MAX_ID, number_in
from console.domain.text import N_, T
from console.domain.work_orders.words import ACKED, COMPLETED, OPEN_STATUSES
from console.domain.work_orders.words import OPEN as OPEN_WORD
from console.models.assets import Asset
from console.models.identity import User
from console.models.work_orders import WorkOrder
from console.services.common import snoozes
from console.services.common.lists import Behind, slice_of
from console.services.common.query_cache import cached_query
from console.services.common.sql import contains, likely
from console.services.identity import sites
from console.services.work_orders import rows
from console.services.work_orders.rows import READ, WorkOrderView

_YES = (("1", N_("Yes")),)
STATUS_LABELS = {
    OPEN_WORD: N_("Received"),
    ACKED: N_("In progress"),
    COMPLETED: N_("Done"),
    "canceled": N_("Canceled"),
}
PRIORITY_LABELS = {
    "critical": N_("Urgent"),
    "high": N_("High"),
    "medium": N_("Medium"),
    "low": N_("Low"),
}
TRADE_LABELS = {
    "electric": N_("Electric"),
    "mechanical": N_("Mechanical"),
    "fire": N_("Fire safety"),
    "elevator": N_("Lifts"),
    "building": N_("Building"),
    "other": N_("Other trade"),
}
SOURCE_LABELS = {
    "manual": N_("Entered by hand"),
    "inspection": N_("Inspection"),
    "plan": N_("Regular plan"),
    "request": N_("Residents"),
}
HOLD_LABELS = {
    "contractor": N_("Contractor"),
    "parts": N_("Spare parts"),
    "access": N_("Access to the place"),
    "weather": N_("Weather"),
    "approval": N_("Approval"),
}
_DUE = (
    ("late", N_("Late")),
    ("today", N_("Due today")),
    ("6h", N_("Due within 6 h")),
    ("24h", N_("Due within 24 h")),
    ("7d", N_("Due within 7 days")),
)
_EVIDENCE = (("none", N_("No files")), ("before", N_("Only before the work")), ("after", N_("After the work")))
_STATES = (("open", N_("Open")), ("closed", N_("Closed")), ("all", N_("All")))
# The share of all sites from which on most rows are those of a reader.
MANY_SITES = 0.2
DUE_FIRST = (WorkOrder.due_at.asc(), WorkOrder.priority_rank.asc(), WorkOrder.id.asc())
NEWEST_FIRST = (WorkOrder.created_at.desc(), WorkOrder.id.desc())


def _site(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    for name in words:
        ctx.actor.require_site(name)
    return WorkOrder.site.in_(words)


def day_of(ctx: Context, now: datetime) -> tuple[datetime, datetime]:
    """Return the beginning and the end of today in the zone of the installation."""
    local = now.astimezone(sites.zone_of(ctx, None))
    start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return start, (start + timedelta(days=1))


def _due(ctx: Context, words: list[str], now: datetime) -> ColumnElement[bool]:
    start, end = day_of(ctx, now)
    conditions = {
        "late": rows.overdue(now),
        "today": and_(rows.OPEN, WorkOrder.due_at >= start, WorkOrder.due_at < end),
        "6h": and_(rows.OPEN, WorkOrder.due_at >= now, WorkOrder.due_at <= now + timedelta(hours=6)),
        "24h": and_(rows.OPEN, WorkOrder.due_at >= now, WorkOrder.due_at <= now + timedelta(hours=24)),
        "7d": and_(rows.OPEN, WorkOrder.due_at >= now, WorkOrder.due_at <= now + timedelta(days=7)),
    }
    return or_(*(conditions[word] for word in words))


def _evidence(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    before, after = WorkOrder.evidence_before, WorkOrder.evidence_after
    conditions = {"none": and_(before == 0, after == 0), "before": and_(before > 0, after == 0), "after": after > 0}
    return or_(*(conditions[word] for word in words))


def _state(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    if "all" in words or {"open", "closed"} <= set(words):
        return true()
    return rows.OPEN if "open" in words else WorkOrder.status.not_in(OPEN_STATUSES)


def _person(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    conditions = []
    for word in words:
        if word == "me":
            conditions.append(rows.mine(ctx.actor))
        else:
            conditions.append(WorkOrder.assignee.is_(None) if word == "none" else WorkOrder.assignee == word)
    return or_(*conditions)


def _number(column: Any) -> Callable[[Context, list[str], datetime], ColumnElement[bool]]:
    def where(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
        return column.in_([number_in(word) or 0 for word in words])

    return where


def _week(ctx: Context, _words: list[str], now: datetime) -> ColumnElement[bool]:
    start, _end = day_of(ctx, now)
    return WorkOrder.completed_at >= start - timedelta(days=start.weekday())


def _flag(key: str, label: str, where: Callable[[datetime], ColumnElement[bool]]) -> Filter:
    return Filter(key, label, "flag", lambda _ctx, _words, now: where(now), _YES, multiple=False, shown=False)


def _yes_or_no(key: str, condition: Any) -> Filter:
    return Filter(key, "", "text", lambda _ctx, words, _now: condition if words == ["1"] else not_(condition))


def _choice(key: str, label: str, column: Any, words: dict[str, str], *, shown: bool = False) -> Filter:
    return Filter(key, label, "choice", one_of(column), tuple(words.items()), shown=shown)


def _sites(ctx: Context) -> Choices:
    return [(name, name) for name in sites.names(ctx)]


def _people(ctx: Context) -> Choices:
    """Return whom open orders are assigned to: the reader first, then nobody, then the others by name."""
    others = cached_query(ctx, ("order_people", ctx.actor.site_scope), lambda: _others(ctx))
    return [("me", N_("Me")), ("none", N_("Nobody")), *others]


def _others(ctx: Context) -> tuple[tuple[str, str], ...]:
    named = (
        select(WorkOrder.assignee, func.max(User.display_name))
        .outerjoin(User, User.id == WorkOrder.assignee_user_id)
        .where(rows.OPEN, rows.visible(ctx.actor), WorkOrder.assignee.is_not(None))
        .group_by(WorkOrder.assignee)
        .order_by(WorkOrder.assignee)
        .limit(200)
    )
    return tuple((str(word), str(name or word)) for word, name in ctx.session.execute(named))


def matches(ctx: Context, words: str) -> ColumnElement[bool]:
    """Return the condition that an order has these words in it, or this number.

    People and assets are looked through first: mostly none has the words, and then no order is asked for its own.
    """
    texts = (WorkOrder.title, WorkOrder.description, WorkOrder.location, WorkOrder.site, WorkOrder.assignee)
    named = select(User.username).where(contains(User.display_name.expression, words))
    things = select(Asset.id).where(or_(contains(Asset.code.expression, words), contains(Asset.name.expression, words)))
    found = [contains(column.expression, words) for column in texts]
    number = number_in(words.strip().removeprefix("#"))
    if number is not None:
        found.append(WorkOrder.id == min(number, MAX_ID))
    asked = select(named.exists(), things.exists())
    people, assets = cached_query(ctx, ("order_words", words), lambda: tuple(ctx.session.execute(asked).one()))
    if people:
        found.append(WorkOrder.assignee.in_(named))
    if assets:
        found.append(WorkOrder.asset_id.in_(things))
    return or_(*found)


def _seen(ctx: Context) -> ColumnElement[bool]:
    seen = rows.visible(ctx.actor)
    if ctx.actor.all_sites or len(ctx.actor.site_scope) < sites.number(ctx) * MANY_SITES:
        return seen
    # SQLite would look up the rows one by one, by site, which takes twice as long as reading all.
    return likely(ctx, seen)


def keys(ctx: Context) -> Select[int]:
    """Return the SELECT of the ids of the orders that the caller may see."""
    return select(WorkOrder.id).where(_seen(ctx))


FILTERS = (
    Filter("site", N_("Site"), "choice", _site, _sites),
    _choice("status", N_("Status"), WorkOrder.status, STATUS_LABELS, shown=True),
    _choice("priority", N_("Priority"), WorkOrder.priority, PRIORITY_LABELS, shown=True),
    Filter("assignee", N_("Assignee"), "choice", _person, _people),
    Filter("due", N_("Due"), "choice", _due, _DUE),
    _choice("trade", N_("Trade"), WorkOrder.trade, TRADE_LABELS, shown=True),
    Filter("state", N_("Shown"), "choice", _state, _STATES, multiple=False, shown=False),
    _choice("waiting", N_("Waits for"), WorkOrder.waiting_reason, HOLD_LABELS),
    _flag("held", N_("Waiting"), lambda _now: rows.WAITING),
    _flag("snoozed", N_("Snoozed"), lambda now: WorkOrder.id.in_(snoozes.standing_ids(snooze.ORDER, now))),
    _choice("source", N_("Source"), WorkOrder.source, SOURCE_LABELS),
    Filter("evidence", N_("Evidence files"), "choice", _evidence, _EVIDENCE, shown=False),
    _flag("escalated", N_("Escalated"), lambda _now: WorkOrder.is_escalated.is_(True)),
    Filter("week", N_("Completed this week"), "flag", _week, _YES, multiple=False, shown=False),
    Filter("place", N_("Location"), "text", one_of(WorkOrder.location), multiple=False, shown=False),
    Filter("asset", N_("Asset"), "text", _number(WorkOrder.asset_id), multiple=False, shown=False),
    Filter("inspection", N_("Inspection"), "text", _number(WorkOrder.inspection_id), multiple=False, shown=False),
    Filter("changed_by", N_("Changed by"), "text", one_of(WorkOrder.updated_by), multiple=False, shown=False),
    moment("created_from", N_("Made since"), ge, WorkOrder.created_at),
    *(replace(one, shown=False) for one in day_filters(WorkOrder.created_at)),
    *(
        replace(one, label=label, shown=False)
        for one, label in zip(
            day_filters(WorkOrder.due_at, keys=("due_from", "due_until")),
            (N_("Due from"), N_("Due until")),
            strict=True,
        )
    ),
    _flag(
        "violated", N_("SLA violated"), lambda now: or_(WorkOrder.completed_at > WorkOrder.due_at, rows.overdue(now))
    ),
)


def spec(now: datetime) -> ListSpec:
    """Return the list as people read it at `now`: open ones unless the address says otherwise, what is due first."""
    return ListSpec(
        name="work_orders",
        read=(READ,),
        base=lambda ctx: rows.everything().where(_seen(ctx)),
        ids=keys,
        row=lambda row: rows.view(row, now),
        key=WorkOrder.id.expression,
        columns=rows.COLUMNS,
        filters=FILTERS,
        search=matches,
        order=DUE_FIRST,
        implied={"state": ("open",)},
        holds=rows.views_hold,
        ordered_by="due_at",
    )


def _for_programs(now: datetime) -> ListSpec:
    return replace(
        spec(now),
        name="work_orders_api",
        filters=(
            Filter("site", "", "choice", _site, exact=True),
            *exact(WorkOrder, "status", "priority", "assignee", "trade", "source"),
            Filter("asset_id", "", "text", _number(WorkOrder.asset_id)),
            Filter("inspection_id", "", "text", _number(WorkOrder.inspection_id)),
            Filter("due", "", "choice", _due, _DUE),
            _yes_or_no("is_escalated", WorkOrder.is_escalated),
            _yes_or_no("unassigned", WorkOrder.assignee.is_(None)),
            _yes_or_no("waiting", rows.WAITING),
            instant("created_from", lambda column, at: column >= at, WorkOrder.created_at),
            instant("created_to", lambda column, at: column < at, WorkOrder.created_at),
        ),
        order=NEWEST_FIRST,
        implied={},
    )


@dataclass(frozen=True)
class OrderPage:
    """A slice of the orders, and how many match in all; `next_cursor` leads to the following slice."""

    orders: tuple[WorkOrderView, ...]
    total: int
    next_cursor: str | None


def listed(ctx: Context, query: ListQuery, *, limit: int = 20, offset: int = 0, cursor: str | None = None) -> OrderPage:
    """Return orders, newest first, and their number (API contract, work order lists): two queries.

    `cursor` is the `next_cursor` of the slice before: unlike an offset it costs the same on every page and does not
    shift when orders join. Raises Invalid for one that is none.
    """
    behind = None if cursor is None else _behind(cursor)
    found = slice_of(ctx, _for_programs(ctx.now()), query, limit=limit + 1, offset=offset, cursor=behind)
    orders = found.items[:limit]
    more = len(found.items) > limit
    return OrderPage(orders, found.total, f"{iso(orders[-1].created_at)}~{orders[-1].id}" if more else None)


def _behind(cursor: str) -> Behind:
    at, _mark, number = cursor.partition("~")
    try:
        created, last = datetime.fromisoformat(at), int(number)
    except ValueError:
        created, last = None, 0
    if created is None or created.tzinfo is None or not 0 < last <= MAX_ID:
        raise Invalid.field("cursor", T("That is no cursor of this list"), where="query")
    older = WorkOrder.created_at < created
    return Behind(cursor, or_(older, and_(WorkOrder.created_at == created, WorkOrder.id < last)))
