"""The audit log on its page, read through the list engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from operator import ge, lt

from sqlalchemy import ColumnElement, and_, func, or_, select

from console.core.context import Context
from console.core.filters import day_filters, exact, instant, one_of
from console.core.listing import Choices, Filter, ListQuery, ListSpec
from console.core.records import columns_of
from console.domain.text import N_
from console.services.audit.append import LOGS
from console.services.audit.log import COUNT_CAP, READ, SHOWN, LogEntry, entry_of, unsuccessful, visible
from console.services.common.lists import slice_of

# Beside "success", the words with which entries tell how it ended (API contract, dictionary of the audit log).
STATUSES = ("success", "warning", "denied", "failed", "error", "critical")
MOST_CHOICES = 400


def words_of(ctx: Context, name: str) -> list[str]:
    """Return the different values of an indexed column, among the entries that the caller may see.

    Each is found by one step into the index from the one before: a DISTINCT would read a million rows.
    """
    column = LOGS.c[name]
    if conditions := list(visible(ctx)):
        return sorted(ctx.session.scalars(select(column).where(*conditions).distinct().limit(MOST_CHOICES)))
    seen = select(func.min(column).label("word")).cte("words", recursive=True)
    following = select(func.min(column)).where(column > seen.c.word).scalar_subquery()
    seen = seen.union_all(select(following).where(seen.c.word.is_not(None)))
    query = select(seen.c.word).where(seen.c.word.is_not(None)).limit(MOST_CHOICES)
    return sorted(ctx.session.scalars(query))


def _choices(name: str, said: Callable[[str], str] = str) -> Callable[[Context], Choices]:
    return lambda ctx: [(word, said(word)) for word in words_of(ctx, name)]


def _actor(username: str) -> str:
    return N_("System") if username == "system" else username


def _status(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    return and_(LOGS.c.status.in_(words), *unsuccessful(*words))


def _search(ctx: Context, text: str) -> ColumnElement[bool]:
    """Return the quick search.

    A number in the sequence, `type/id` of a record, a request, or a part of an actor, an action or a type.
    """
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 19:
        return LOGS.c.seq == int(number)
    kind, slash, record = text.partition("/")
    if slash:
        return and_(LOGS.c.resource_type == kind.strip().lower(), LOGS.c.resource_id == record.strip())
    # Parts are looked for in the few different words, not in a million rows.
    word = text.lower()
    parts = (
        LOGS.c[name].in_([word, *(one for one in words_of(ctx, name) if word in one.lower())])
        for name in ("actor_username", "action", "resource_type")
    )
    return or_(*parts, LOGS.c.request_id == text)


def spec(
    action: Callable[[str], str] = str, status: Callable[[str], str] = str, kind: Callable[[str], str] = str
) -> ListSpec:
    """Return the declaration of the list, with what gives the message ids of its filters' words."""
    return ListSpec(
        name="audit",
        read=READ,
        base=lambda ctx: select(*SHOWN).where(*visible(ctx)),
        row=entry_of,
        key=LOGS.c.seq,
        columns=columns_of(
            LogEntry,
            LOGS.c,
            *("created_at", "actor_username", "action", "resource_type", "resource_id", "status", "seq"),
            *("request_id", "detail"),
        ),
        filters=(
            Filter("action", N_("What"), "choice", one_of(LOGS.c.action), _choices("action", action)),
            Filter(
                "actor_username",
                N_("Actor"),
                "choice",
                one_of(LOGS.c.actor_username),
                _choices("actor_username", _actor),
            ),
            Filter(
                "resource_type", N_("Kind"), "choice", one_of(LOGS.c.resource_type), _choices("resource_type", kind)
            ),
            Filter("resource_id", N_("Record"), "text", one_of(LOGS.c.resource_id), multiple=False),
            Filter("status", N_("Result"), "choice", _status, tuple((word, status(word)) for word in STATUSES)),
            *day_filters(LOGS.c.created_at, keys=("from", "to")),
            Filter("request_id", N_("Request"), "text", one_of(LOGS.c.request_id), multiple=False, shown=False),
        ),
        search=_search,
        count_cap=COUNT_CAP,
    )


_FOR_PROGRAMS = replace(
    spec(),
    name="audit_api",
    filters=(
        *exact(LOGS.c, "action", "actor_username", "resource_type", "resource_id", "request_id"),
        Filter("status", "", "text", _status, exact=True),
        instant("since", ge, LOGS.c.created_at),
        instant("until", lt, LOGS.c.created_at),
    ),
)


@dataclass(frozen=True)
class LogPage:
    """A page of the log; `capped` means there are more than `total`. `next_cursor` leads to the following page."""

    entries: tuple[LogEntry, ...]
    total: int
    capped: bool
    next_cursor: int | None


def listed(ctx: Context, query: ListQuery, *, limit: int = 50, offset: int = 0, cursor: int | None = None) -> LogPage:
    """Return a page of entries, newest first, and their number (counted up to ten thousand): two queries.

    `cursor` is the `next_cursor` of the page before: unlike an offset it costs the same on every page and does not
    shift when entries join. Raises PermissionDenied without `admins:manage` or `audit:read`.
    """
    found = slice_of(ctx, _FOR_PROGRAMS, query, limit=limit + 1, offset=offset, cursor=cursor)
    entries = found.items[:limit]
    return LogPage(entries, found.total, found.capped, entries[-1].seq if len(found.items) > limit else None)
