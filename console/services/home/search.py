"""Search over the records that the caller may see: for the palette and the search page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, and_, case, false, not_, or_, select

from console.core.context import Context
from console.domain.hangul import stands_in
from console.domain.identity import iam
from console.domain.ids import MAX_ID
from console.domain.programme.catalogue import WEEKS
from console.domain.tracker.tracker import REMEDIATION, TrackerKind
from console.models.assets import Asset
from console.models.identity import User
from console.models.tracker import TrackerItem
from console.models.work_orders import WorkOrder
from console.services.assets import rows as asset_rows
from console.services.common import lists, sql
from console.services.common.sql import contains
from console.services.identity import sites
from console.services.tracker import columns, rows
from console.services.work_orders import lists as order_lists
from console.services.work_orders import rows as order_rows

MOST = 8
MAX_QUERY = 100
# So many of the most urgent items are looked through before all of them.
NEAR = 1000
_ORDER = (WorkOrder.id, WorkOrder.title, WorkOrder.site)


@dataclass(frozen=True)
class Hit:
    """A record that was found: its kind, its id, its own title (translatable where it is), what stands beside it.

    `assignee` and `site` stand for the open items of a person (id: user name) and of a site (id: its name); `week`
    is the code of the week that an item belongs to.
    """

    kind: Literal["item", "work_order", "asset", "week_item", "user", "assignee", "site"]
    id: int | str
    title: str | Mapping[str, Any]
    note: str
    week: str | None = None
    site: str = ""


def find(ctx: Context, text: str) -> list[Hit]:
    """Return the items, people and sites that match `text`, at most eight of each; nothing for an empty text."""
    wanted = " ".join(text.split())[:MAX_QUERY]
    if not wanted:
        return []
    hits = _people(ctx, wanted) if ctx.actor.can(iam.ADMIN) else []
    weeks = [week.programme for week in WEEKS.values() if any(map(ctx.actor.can, week.programme.read))]
    if weeks:
        hits = [*_week_items(ctx, weeks, wanted), *hits]
    if ctx.actor.can(asset_rows.READ):
        hits = [*_assets(ctx, wanted), *hits]
    if ctx.actor.can(order_rows.READ):
        hits = [*_orders(ctx, wanted), *hits]
    if any(map(ctx.actor.can, REMEDIATION.read)):
        hits = [*_items(ctx, wanted), *_assignees(ctx, wanted), *_sites(ctx, wanted), *hits]
    return hits


def _items(ctx: Context, wanted: str) -> list[Hit]:
    """Return the item of that number, then the most urgent ones in whose texts the words stand."""
    now, ids = ctx.now(), list(_numbered(ctx, wanted))
    # Whoever writes a number with its letters means that item; digits alone stand in texts as well.
    if not ids or wanted.isdigit():
        ids = list(dict.fromkeys((*ids, *_matching(ctx, wanted))))[:MOST]
    found = ctx.session.execute(rows.everything().where(TrackerItem.id.in_(ids))) if ids else ()
    items = sorted(rows.views(REMEDIATION, found, now), key=lambda item: ids.index(item.id))
    return [Hit("item", item.id, item.title, item.item_id) for item in items]


def _week_items(ctx: Context, weeks: Sequence[TrackerKind], wanted: str) -> list[Hit]:
    """Return the open items of the weeks whose number begins like it, or in whose texts the words stand."""
    numbered = []
    for week in weeks:
        if spans := rows.numbers_from(week.item_prefix, wanted):
            begin = [TrackerItem.number.between(first, min(last, MAX_ID)) for first, last in spans]
            exact = TrackerItem.number == rows.number_of(week.item_prefix, wanted)
            numbered.append(and_(TrackerItem.tracker == week.key, or_(exact, *begin)))
    wants = or_(*numbered) if numbered else columns.holds(wanted)
    ids = rows.keys_of(weeks, ctx.actor).where(rows.ACTIVE, wants).order_by(*columns.WORST_FIRST).limit(MOST)
    now, chosen = ctx.now(), list(ctx.session.scalars(ids))
    found = ctx.session.execute(rows.everything().where(TrackerItem.id.in_(chosen))) if chosen else ()
    items = sorted(rows.mixed(found, now), key=lambda item: chosen.index(item.id))
    return [Hit("week_item", item.id, item.title, item.item_id, item.tracker, item.site or "") for item in items]


def _numbered(ctx: Context, wanted: str) -> Sequence[int]:
    """Find the item of that number, then those whose number begins like it: `GR-02` means GR-002 and GR-020 to 029."""
    number, spans = rows.number_of(REMEDIATION.item_prefix, wanted), rows.numbers_from(REMEDIATION.item_prefix, wanted)
    exact = TrackerItem.number == number if number is not None and number <= MAX_ID else false()
    begins = or_(false(), *(TrackerItem.number.between(first, min(last, MAX_ID)) for first, last in spans))
    keys = rows.keys(REMEDIATION, ctx.actor)
    found = list(ctx.session.scalars(keys.where(exact)).all()) if number is not None else []
    if spans:
        more = keys.where(begins, rows.ACTIVE).order_by(TrackerItem.number).limit(MOST)
        found += ctx.session.scalars(more).all()
    return list(dict.fromkeys(found))[:MOST]


def _matching(ctx: Context, wanted: str) -> Sequence[int]:
    """Look through the most urgent items first: words that occur often are found there, in this very order."""
    matches, order = columns.matches(REMEDIATION, wanted), columns.ORDER
    near = rows.keys(REMEDIATION, ctx.actor).where(rows.ACTIVE).order_by(*order[1:]).limit(NEAR).subquery()
    nearest = select(TrackerItem.id).join(near, near.c.id == TrackerItem.id).where(matches)
    found = ctx.session.scalars(nearest.order_by(*order).limit(MOST)).all()
    if len(found) == MOST:
        return found
    mine = (sql.likely(ctx, TrackerItem.tracker == REMEDIATION.key), rows.visible(ctx.actor))
    # Read as they lie and sorted afterwards: rare words would be looked for all along the order.
    anywhere = select(TrackerItem.id).where(TrackerItem.id.in_(select(TrackerItem.id).where(*mine, matches)))
    return ctx.session.scalars(anywhere.order_by(*order).limit(MOST)).all()


def _orders(ctx: Context, wanted: str) -> list[Hit]:
    """Return the work orders of that number, or with these words in them or their asset; open ones first."""
    mine = lists.few_or_all(ctx, order_lists.keys(ctx).where(order_lists.matches(ctx, wanted)))
    ids: list[int] = []
    for part in (order_rows.OPEN, not_(order_rows.OPEN)):
        if mine is not None and len(ids) < MOST:
            ids += ctx.session.scalars(mine.where(part).order_by(*order_lists.DUE_FIRST).limit(MOST - len(ids)))
    found = ctx.session.execute(select(*_ORDER).where(WorkOrder.id.in_(ids))) if ids else ()
    orders = sorted(found, key=lambda row: ids.index(row.id))
    return [Hit("work_order", row.id, row.title, f"#{row.id}", site=row.site) for row in orders]


def _assets(ctx: Context, wanted: str) -> list[Hit]:
    """Return the assets with these words in their code or name, what is in use first."""
    named = or_(contains(Asset.code.expression, wanted), contains(Asset.name.expression, wanted))
    exact = case((Asset.code == wanted, 0), else_=1)
    asked = select(Asset.id, Asset.code, Asset.name, Asset.site).where(asset_rows.visible(ctx.actor), named)
    found = ctx.session.execute(asked.order_by(Asset.is_active.desc(), exact, Asset.code, Asset.id).limit(MOST))
    return [Hit("asset", row.id, row.name, row.code, site=row.site) for row in found]


def _people(ctx: Context, wanted: str) -> list[Hit]:
    found = ctx.session.execute(_named(wanted))
    return [Hit("user", row.id, row.display_name or row.username, row.username) for row in found]


def _assignees(ctx: Context, wanted: str) -> list[Hit]:
    """Find people by what the caller may see of them: that they have open items on the board."""
    theirs = rows.keys(REMEDIATION, ctx.actor).where(rows.OPEN, TrackerItem.assignee == User.username)
    found = ctx.session.execute(_named(wanted).where(theirs.exists()))
    return [Hit("assignee", row.username, row.display_name or row.username, row.username) for row in found]


def _named(wanted: str) -> Select[int, str, str]:
    names = (User.username, User.display_name)
    return (
        select(User.id, User.username, User.display_name)
        .where(or_(*(contains(name.expression, wanted) for name in names)))
        .order_by(case((User.username == wanted, 0), else_=1), User.is_active.desc(), User.username)
        .limit(MOST)
    )


def _sites(ctx: Context, wanted: str) -> list[Hit]:
    found = [name for name in sites.names(ctx) if stands_in(wanted, name)]
    return [Hit("site", name, name, "") for name in found[:MOST]]
