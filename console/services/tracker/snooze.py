"""Snooze of an item of the board: nobody is reminded of it for a while, by whoever may work on it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from console.core.context import Context
from console.domain.alerts import snooze as rules
from console.domain.errors import Conflict
from console.domain.text import T
from console.domain.tracker.requests import ItemChange
from console.domain.tracker.tracker import REMEDIATION
from console.models.tracker import TrackerItem
from console.services.audit import record as audit
from console.services.common import snoozes
from console.services.common.snoozes import SnoozeView
from console.services.tracker import store
from console.services.tracker.change import check_permission
from console.services.tracker.rows import ItemView, load
from console.services.tracker.store import Event

ITEM = rules.ITEM


def begin(ctx: Context, item_id: int, until: datetime, reason: str) -> SnoozeView:
    """Put the reminders of an open item off; its state, deadline and figures stay, and so does its version.

    Raises PermissionDenied, NotFound, SiteDenied, Invalid, and Conflict when it is not open or snoozed already.
    """
    item, now = _locked(ctx, item_id)
    if not item.is_open:
        raise Conflict(T("The item is not open"), code="item_inactive")
    made = snoozes.begin(ctx, ITEM, item.id, until, reason, now)
    new = {"until": made.until_at, "reason": made.reason}
    store.write_events(ctx, REMEDIATION, [(item.id, item.site, item.version, Event(rules.STARTED, {}, new))], now)
    _record(ctx, "snooze", item.id, item.site, until=made.until_at.isoformat(), reason=made.reason)
    return made


def finish(ctx: Context, item_id: int) -> SnoozeView:
    """Let reminders of an item out again; raises as `begin` does, and Conflict when none are put off."""
    item, now = _locked(ctx, item_id)
    ended = end(ctx, [item.id], rules.BY_HAND, now)
    if not ended:
        raise Conflict(T("No reminders are put off"), code="not_snoozed")
    return ended[0]


def end(ctx: Context, ids: Collection[int] | Select[Any], why: str, now: datetime) -> tuple[SnoozeView, ...]:
    """End the snoozes of these items because of what happened to them, with events and audit entries."""
    ended = snoozes.end(ctx, ITEM, ids, why, now)
    if ended:
        mine = TrackerItem.id.in_([one.thing_id for one in ended])
        found = ctx.session.execute(select(TrackerItem.id, TrackerItem.site, TrackerItem.version).where(mine))
        named = {row.id: row for row in found}
        events = [(row.id, row.site, row.version, Event(rules.ENDED, {}, {"why": why})) for row in named.values()]
        store.write_events(ctx, REMEDIATION, events, now)
        for one in ended:
            _record(ctx, "snooze_end", one.thing_id, named[one.thing_id].site, why=why)
    return ended


def standing(ctx: Context, item: ItemView) -> SnoozeView | None:
    """Return the snooze of an item that the caller reads, while it lasts."""
    if item.snoozed_until is None:
        return None
    return snoozes.standing(ctx, ITEM, item.id, ctx.now())


def listed(ctx: Context, item_id: int) -> tuple[SnoozeView, ...]:
    """Return the snoozes of an item, newest first; raises PermissionDenied, NotFound, SiteDenied."""
    ctx.actor.require(*REMEDIATION.read)
    item = load(ctx, REMEDIATION, item_id, ctx.now())
    return snoozes.listed(ctx, ITEM, item.id)


def _locked(ctx: Context, item_id: int) -> tuple[ItemView, datetime]:
    ctx.actor.require(*REMEDIATION.read)
    now = ctx.now()
    # Behind an escalation that is under way: it either sees the snooze, or has told its step before.
    store.lock_run(ctx, REMEDIATION)
    item = load(ctx, REMEDIATION, item_id, now, lock=True)
    check_permission(ctx.actor, REMEDIATION, item, ItemChange())
    return item, now


def _record(ctx: Context, action: str, item_id: int, site: str | None, **detail: Any) -> None:
    told = {"site": site, **detail}
    audit.record(ctx, f"{REMEDIATION.audit_prefix}_item_{action}", REMEDIATION.item_resource, item_id, detail=told)
