"""Snooze of a work order: nobody is reminded of it for a while. Its clock, its state and its figures go on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from console.core.context import Context
from console.domain.alerts import snooze as rules
from console.domain.errors import Conflict
from console.domain.text import T
from console.domain.work_orders.words import OPEN_STATUSES, rank
from console.services.common import snoozes
from console.services.common.snoozes import SnoozeView
from console.services.work_orders.rows import READ, WRITE, WorkOrderView, load, load_all
from console.services.work_orders.store import Event, plain, record, write_event, write_events

ORDER = rules.ORDER


def begin(ctx: Context, order_id: int, until: datetime, reason: str) -> SnoozeView:
    """Put the reminders of an open order off; its version stays.

    Raises PermissionDenied, NotFound, SiteDenied, Invalid, and Conflict when it is closed or snoozed already.
    """
    ctx.actor.require(WRITE)
    now = ctx.now()
    order = load(ctx, order_id, now, lock=True)
    if not order.is_open:
        raise Conflict(T("The work order is closed"), code="closed")
    made = snoozes.begin(ctx, ORDER, order.id, until, reason, now)
    told = plain({"until": made.until_at, "reason": made.reason})
    write_event(ctx, order, Event(rules.STARTED, order.status, order.status, made.reason, told), now)
    record(ctx, "snooze", order, **told)
    return made


def finish(ctx: Context, order_id: int) -> SnoozeView:
    """Let reminders of an order out again; raises as `begin` does, and Conflict when none are put off."""
    ctx.actor.require(WRITE)
    now = ctx.now()
    order = load(ctx, order_id, now, lock=True)
    ended = end(ctx, [order.id], rules.BY_HAND, now)
    if not ended:
        raise Conflict(T("No reminders are put off"), code="not_snoozed")
    return ended[0]


def end(ctx: Context, ids: Collection[int], why: str, now: datetime) -> tuple[SnoozeView, ...]:
    """End the snoozes of these orders because of what happened to them, with events and audit entries."""
    ended = snoozes.end(ctx, ORDER, ids, why, now)
    if ended:
        orders = load_all(ctx, [one.thing_id for one in ended], now)
        detail = {"why": why}
        write_events(ctx, [(one, Event(rules.ENDED, one.status, one.status, "", detail)) for one in orders], now)
        for order in orders:
            record(ctx, "snooze_end", order, why=why)
    return ended


def follow(ctx: Context, before: WorkOrderView, values: Mapping[str, Any], now: datetime) -> None:
    """End the snooze of an order whose `values` were stored: it was closed, or its priority rose."""
    if before.snoozed_until is None:
        return
    if values.get("status", before.status) not in OPEN_STATUSES:
        end(ctx, [before.id], rules.HANDLED, now)
    elif rank(values.get("priority", before.priority)) < rank(before.priority):
        end(ctx, [before.id], rules.WORSE, now)


def standing(ctx: Context, order: WorkOrderView) -> SnoozeView | None:
    """Return the snooze of an order that the caller reads, while it lasts."""
    if order.snoozed_until is None:
        return None
    return snoozes.standing(ctx, ORDER, order.id, ctx.now())


def listed(ctx: Context, order_id: int) -> tuple[SnoozeView, ...]:
    """Return the snoozes of an order, newest first; raises PermissionDenied, NotFound, SiteDenied."""
    ctx.actor.require(READ)
    order = load(ctx, order_id, ctx.now())
    return snoozes.listed(ctx, ORDER, order.id)
