"""Search over the records that the caller may see: for the palette and the search page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import case, or_, select

from console.context import Context
from console.domain import iam
from console.domain.tracker import REMEDIATION
from console.listing import ListQuery
from console.models.iam import User
from console.services import tracker_lists

MOST = 8
MAX_QUERY = 100


@dataclass(frozen=True)
class Hit:
    """A record that was found: its kind, its id, its own title (translatable where it is), what stands beside it."""

    kind: Literal["item", "user"]
    id: int
    title: str | Mapping[str, Any]
    note: str


def find(ctx: Context, text: str) -> list[Hit]:
    """Give the items and people that match `text`, at most eight of each; nothing for an empty text."""
    wanted = " ".join(text.split())[:MAX_QUERY]
    if not wanted:
        return []
    return [*_items(ctx, wanted), *_people(ctx, wanted)]


def _items(ctx: Context, wanted: str) -> list[Hit]:
    if not any(ctx.actor.can(name) for name in REMEDIATION.read):
        return []
    query = ListQuery(search=wanted, filters={"state": ("all",)})
    found, _total = tracker_lists.slice_of(ctx, REMEDIATION, query, limit=MOST, offset=0)
    return [Hit("item", item.id, item.title, item.item_id) for item in found]


def _people(ctx: Context, wanted: str) -> list[Hit]:
    if not ctx.actor.can(iam.ADMIN):
        return []
    names = (User.username, User.display_name)
    statement = (
        select(User.id, User.username, User.display_name)
        .where(or_(*(name.icontains(wanted, autoescape=True) for name in names)))
        .order_by(case((User.username == wanted, 0), else_=1), User.is_active.desc(), User.username)
        .limit(MOST)
    )
    rows = ctx.session.execute(statement)
    return [Hit("user", row.id, row.display_name or row.username, row.username) for row in rows]
