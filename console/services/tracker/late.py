"""Everything that is late, wherever it stands: one list over the board and the weeks of the programme."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_

from console.core.context import Context
from console.core.listing import Filter, ListSpec
from console.core.records import columns_of
from console.domain.programme.trackers import programmes
from console.domain.text import N_
from console.domain.tracker.tracker import REMEDIATION
from console.models.tracker import TrackerItem
from console.services.tracker import columns, rows
from console.services.tracker.rows import ItemView

BOARD, WEEKS = "board", "weeks"
PLACES = ((BOARD, N_("Remediation board")), (WEEKS, N_("Programme")))
READ = tuple(dict.fromkeys(name for one in programmes() for name in one.read))


def late_list(now: datetime) -> ListSpec:
    """Declare the list of the items that are late at `now` (aware UTC), the longest first."""
    known = {one.key: one for one in programmes()}

    def base(ctx: Context) -> Select[Any]:
        readable = [one.key for one in known.values() if any(map(ctx.actor.can, one.read))]
        mine = rows.everything().where(TrackerItem.tracker.in_(readable), rows.visible(ctx.actor))
        return mine.where(rows.overdue(now))

    def row(found: Any) -> ItemView:
        return rows.view(known[found.tracker], found, now)

    return ListSpec(
        name="late",
        read=READ,
        base=base,
        row=row,
        key=TrackerItem.id.expression,
        columns=columns_of(ItemView, TrackerItem, "item_id", "title", "due_at", "assignee", "status", "site"),
        filters=(
            Filter("of", N_("Where"), "choice", _of, PLACES, multiple=False),
            Filter("site", N_("Site"), "choice", _site, shown=False),
        ),
        search=lambda _ctx, words: columns.holds(words),
        order=(TrackerItem.due_at.asc(),),
        ordered_by="due_at",
    )


def _of(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    board = TrackerItem.tracker == REMEDIATION.key
    return or_(*(board if word == BOARD else ~board for word in words))


def _site(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    for name in words:
        ctx.actor.require_site(name)
    return TrackerItem.site_key.in_(words)
