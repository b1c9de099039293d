"""The declaration of the list of tracker items: what may be filtered, searched, sorted and shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, true

from console.core.context import Context
from console.core.filters import one_of
from console.core.i18n import written_alike
from console.core.listing import Filter, ListQuery, ListSpec, Order
from console.core.revisions import ALWAYS
from console.domain.alerts import snooze
from console.domain.programme.catalogue import WEEKS
from console.domain.remediation.checks import ACTIONS
from console.domain.remediation.plan import REMEDIES
from console.domain.text import N_
from console.domain.tracker.tracker import TrackerKind
from console.models.identity import User
from console.models.tracker import TrackerItem
from console.services.common import snoozes
from console.services.common.query_cache import cached_query_until
from console.services.common.sql import contains
from console.services.tracker import assignees, rows, tallies

# How people see the life of an item, left to right; the contract lists the words in another order.
BOARD_STATUSES = ("pending", "in_progress", "blocked", "done")
STATUS_LABELS = {
    "pending": N_("Waiting"),
    "in_progress": N_("In progress"),
    "blocked": N_("Blocked"),
    "done": N_("Done"),
}
_YES = (("1", N_("Yes")),)
_RULES = (("fail", N_("Failing")), ("warning", N_("Warning")))
_STATES = (("active", N_("On the board")), ("closed", N_("Closed")), ("all", N_("All")))
URGENT_FIRST = (TrackerItem.priority.asc(), TrackerItem.due_at.asc(), TrackerItem.id.asc())
ORDER = (TrackerItem.is_active.desc(), *URGENT_FIRST)
# Late ones first, then what is due next; what is done stands behind all that is open.
WORST_FIRST = (
    TrackerItem.completion_checked.asc(),
    TrackerItem.due_at.asc(),
    TrackerItem.priority.asc(),
    TrackerItem.id.asc(),
)


def _choice(key: str, label: str, choices: Sequence[tuple[str, str]], column: Any) -> Filter:
    return Filter(key, label, "choice", one_of(column), choices, shown=False)


def _flag(key: str, label: str, where: Callable[[datetime], ColumnElement[bool]], *, shown: bool = True) -> Filter:
    return Filter(key, label, "flag", lambda _ctx, _words, now: where(now), _YES, multiple=False, shown=shown)


def _site(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    for name in words:
        ctx.actor.require_site(name)
    return TrackerItem.site_key.in_(words)


def _due(_ctx: Context, words: list[str], now: datetime) -> ColumnElement[bool]:
    conditions = {"overdue": rows.overdue(now), "due_soon": rows.due_soon(now)}
    return or_(*(conditions[word] for word in words))


def _priority(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    numbers = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 6]
    return TrackerItem.priority.in_(numbers) if numbers else false()


def _state(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    if "all" in words or {"active", "closed"} <= set(words):
        return true()
    return rows.ACTIVE if "active" in words else TrackerItem.is_active.is_(False)


def matches(programme: TrackerKind, words: str) -> ColumnElement[bool]:
    """Return the condition that an item has these words in it, or this number."""
    number = rows.number_of(programme.item_prefix, words)
    return or_(holds(words), TrackerItem.number == number) if number is not None else holds(words)


def holds(words: str) -> ColumnElement[bool]:
    """Return the condition that these words stand in a text of an item, its site, or the name of its assignee."""
    texts = (TrackerItem.item_name, TrackerItem.action, TrackerItem.reason, TrackerItem.item_key, TrackerItem.site_key)
    named = select(User.username).where(contains(User.display_name.expression, words))
    found = [contains(column.expression, words) for column in (*texts, TrackerItem.assignee)]
    if alike := written_alike(words, _published()):
        found += [column.in_(alike) for column in (TrackerItem.item_name, TrackerItem.action)]
    return or_(*found, TrackerItem.assignee.in_(named))


@cache
def _published() -> frozenset[str]:
    """Return what items are called that the product itself writes."""
    weeks = {found.entry.name for week in WEEKS.values() for found in week.entries}
    actions = (*(remedy.action for remedy in REMEDIES.values()), *ACTIONS.values())
    return frozenset(weeks | {action.msgid for action in actions})


FILTERS = (
    Filter("site", N_("Site"), "choice", _site),
    Filter("assignee", N_("Assignee"), "choice", one_of(TrackerItem.assignee)),
    _flag("unassigned", N_("Unassigned"), lambda _now: rows.UNASSIGNED),
    Filter("due", N_("Due"), "choice", _due, (("overdue", N_("Late")), ("due_soon", N_("Due within 24 h")))),
    _choice("status", N_("Status"), tuple(STATUS_LABELS.items()), TrackerItem.status),
    _choice("rule_status", N_("Rule status"), _RULES, TrackerItem.rule_status),
    Filter("state", N_("Shown"), "choice", _state, _STATES, multiple=False, shown=False),
    _flag("platform", N_("Platform only"), lambda _now: TrackerItem.site_key == "", shown=False),
    _flag(
        "unchecked", N_("Completion not checked"), lambda _now: TrackerItem.completion_checked.is_(False), shown=False
    ),
    _flag("blocking", N_("Only what blocks"), lambda _now: rows.BLOCKING, shown=False),
    _flag("critical", N_("Critical and open"), lambda _now: rows.CRITICAL, shown=False),
    _flag(
        "snoozed", N_("Snoozed"), lambda now: TrackerItem.id.in_(snoozes.standing_ids(snooze.ITEM, now)), shown=False
    ),
    Filter("priority", N_("Priority"), "choice", _priority, shown=False),
    Filter("item_type", N_("Kind"), "choice", one_of(TrackerItem.item_type)),
    _flag("evidence", N_("Required evidence missing"), lambda _now: rows.NO_EVIDENCE, shown=False),
    Filter(
        "owner_role",
        N_("Owner role"),
        "choice",
        one_of(TrackerItem.owner_role),
        shown=False,
    ),
)


def _order(listed: ListSpec, query: ListQuery) -> Order:
    """Return the default order of a query in the words of the index: where all are active, that is no part of it.

    PostgreSQL would sort every match by a value that they all have instead of reading the first ones.
    """
    return URGENT_FIRST if _all_alike(listed, query) else ORDER


def _worst_first(listed: ListSpec, query: ListQuery) -> Order:
    return WORST_FIRST if _all_alike(listed, query) else (TrackerItem.is_active.desc(), *WORST_FIRST)


def _all_alike(listed: ListSpec, query: ListQuery) -> bool:
    return set(listed.effective(query).get("state", ())) in ({"active"}, {"closed"})


def _stranded(programme: TrackerKind) -> Filter:
    def where(ctx: Context, _words: list[str], _now: datetime) -> ColumnElement[bool]:
        return assignees.stranded(ctx, programme)

    label = N_("Assignee cannot work on it")
    return Filter("stranded", label, "flag", where, _YES, multiple=False, shown=False)


def spec(programme: TrackerKind, now: datetime) -> ListSpec:
    """Return the list of a programme's items as read at `now`, active ones unless `state` says otherwise."""
    return ListSpec(
        name=f"tracker_{programme.key}",
        read=programme.read,
        base=lambda ctx: rows.base(programme, ctx.actor),
        ids=lambda ctx: rows.keys(programme, ctx.actor),
        row=lambda row: rows.view(programme, row, now),
        key=TrackerItem.id.expression,
        columns=tuple(one for one in rows.COLUMNS if programme.has(one.key)),
        filters=(*(one for one in FILTERS if programme.has(one.key)), _stranded(programme)),
        search=lambda _ctx, words: matches(programme, words),
        order=_order,
        implied={"state": ("active",)},
        holds=rows.views_hold,
        until=partial(_until, programme),
        counted=lambda ctx, listed, query: tallies.total(ctx, programme, listed, query),
    )


def table(programme: TrackerKind, now: datetime) -> ListSpec:
    """Return the same list as its table shows it, the worst first."""
    return replace(spec(programme, now), order=_worst_first, ordered_by="due_at")


def _until(programme: TrackerKind, ctx: Context, query: ListQuery, now: datetime) -> datetime:
    """Return the last instant (aware UTC) at which the same items match a query."""
    if "due" not in query.filters:
        return ALWAYS

    def look() -> tuple[datetime, datetime]:
        until = rows.lateness_holds(ctx, programme, now)
        return until, until

    return cached_query_until(ctx, ("lateness", programme.key), now, look)
