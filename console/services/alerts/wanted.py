"""What is sifted out right before it would be sent: messages that nobody needs any more, and those that were put off.

Asked of what was just claimed, in the transaction of the claim: whoever handles or snoozes a thing earlier is heard.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import case, or_, select, update

from console.core.context import Context
from console.domain.alerts import snooze, wanted
from console.domain.alerts.alerts import DEAD, DROPPED, QUEUED
from console.domain.alerts.wanted import ItemNow, OrderNow
from console.domain.handover.lines import GIVEN
from console.domain.tracker.tracker import OPEN_STATUSES
from console.domain.work_orders.words import OPEN_STATUSES as OPEN_ORDERS
from console.models.alerts import AlertDelivery
from console.models.handover import Handover
from console.models.jobs import JobRun
from console.models.reliability import BurnAlert
from console.models.snoozes import Snooze
from console.models.tracker import TrackerItem
from console.models.work_orders import WorkOrder
from console.services.alerts.claims import Claimed, box_of

Thing = tuple[str, int]
# How things are now, as `order_now` and `item_now` read it.
ORDER_NOW: tuple[Any, ...] = (WorkOrder.id, WorkOrder.status, WorkOrder.due_at, WorkOrder.acknowledged_at)
ITEM_NOW: tuple[Any, ...] = (
    *(TrackerItem.id, TrackerItem.is_active, TrackerItem.status, TrackerItem.due_at, TrackerItem.assignee),
    TrackerItem.accepted_at,
)
# A job, and the field of its result with the value that names what it looked at; empty where it looks at everything.
Judge = tuple[str, str, str | None]


@dataclass(frozen=True)
class Stop:
    """Why a message does not leave now: for good, or until an instant because of a snooze."""

    reason: str
    until: datetime | None = None
    snooze_id: int | None = None


@dataclass
class _Facts:
    """What is known of the things that some messages are about, read at once for all of them."""

    orders: Mapping[int, OrderNow] = field(default_factory=dict)
    items: Mapping[int, ItemNow] = field(default_factory=dict)
    snoozes: Mapping[Thing, tuple[datetime, int]] = field(default_factory=dict)
    waiting_handovers: Collection[int] = ()
    burns: Mapping[tuple[str, str, datetime], BurnAlert] = field(default_factory=dict)
    never_told: Collection[tuple[int, str]] = ()
    fine_since: Mapping[Judge, datetime] = field(default_factory=dict)


def sift(ctx: Context, claimed: Sequence[Claimed]) -> list[Claimed]:
    """Return what is to be sent of these messages; the others are dropped with their reason, or wait for a snooze."""
    if not claimed:
        return []
    now = ctx.now()
    facts = _facts(ctx, claimed)
    kept = []
    for message in claimed:
        stop = _stop(facts, message, now)
        if stop is None:
            kept.append(message)
        else:
            put_aside(ctx, message, stop)
    return kept


def put_aside(ctx: Context, message: Claimed, stop: Stop) -> None:
    """Take a message out of the lane; no attempt is counted, and what an earlier attempt said of it stays."""
    box, now = box_of(message.channel), ctx.now()
    values: dict[str, Any] = {
        "attempt_count": box.attempt_count - 1,
        "lease_token": None,
        "lease_until": None,
        "next_attempt_at": stop.until,
        "updated_at": now,
    }
    if stop.until is None:
        values |= {"status": DROPPED, "error": stop.reason}
    else:
        said = case((box.status == QUEUED, stop.reason), else_=box.error)
        values |= {"snooze_id": stop.snooze_id, "error": said}
    ctx.session.execute(
        update(box).where(box.id == message.id, box.lease_token == message.lease_token).values(**values),
        execution_options={"synchronize_session": False},
    )


def _stop(facts: _Facts, message: Claimed, now: datetime) -> Stop | None:
    event_type, payload = message.event_type, message.payload
    if ids := wanted.order_ids(event_type, payload):
        known = [facts.orders[one] for one in ids if one in facts.orders]
        left = [(snooze.ORDER, one.id) for one in known if not one.handled(message.raised_at, now)]
        return _of_things(facts, left, wanted.ORDERS_HANDLED) if len(known) == len(ids) else None
    if told := wanted.told_items(event_type, payload):
        items = [facts.items[one] for one in told if one in facts.items]
        left = [(snooze.ITEM, one.id) for one in items if not one.handled(event_type, told[one.id])]
        reason = wanted.reason_of_items(event_type)
        return _of_things(facts, left, reason) if len(items) == len(told) else None
    number = wanted.handover_id(event_type, payload)
    if number is not None and number not in facts.waiting_handovers:
        return Stop(wanted.HANDOVER_CONFIRMED)
    burn = _burn(facts, message)
    if burn is not None and _is_over(facts, burn, message):
        return Stop(wanted.BURN_OVER)
    judge = _judge_of(message)
    fine = facts.fine_since.get(judge) if judge else None
    return Stop(wanted.RECOVERED) if fine is not None and fine > message.raised_at else None


def _of_things(facts: _Facts, left: Sequence[Thing], reason: str) -> Stop | None:
    """Judge a message by those of its things that are not handled; it waits while all of them are snoozed."""
    if not left:
        return Stop(reason)
    held = [facts.snoozes.get(one) for one in left]
    standing = [one for one in held if one is not None]
    if len(standing) < len(left):
        return None
    return put_off(standing)


def put_off(standing: Iterable[tuple[datetime, int]]) -> Stop:
    """Return until when a message waits for the snoozes of all its things: until the first of them is over."""
    until, number = min(standing)
    return Stop(f"reminders are put off until {until.isoformat()}", until, number)


def _burn(facts: _Facts, message: Claimed) -> BurnAlert | None:
    named = wanted.burn_of(message.event_type, message.payload)
    return None if named is None else facts.burns.get((named[0], named[1], datetime.fromisoformat(named[2])))


def _is_over(facts: _Facts, burn: BurnAlert, message: Claimed) -> bool:
    if message.payload.get("state") == "begun":
        return burn.ended_at is not None
    # Whoever was never told that it began need not hear that it is over.
    return (burn.id, message.channel) in facts.never_told


def _judge_of(message: Claimed) -> Judge | None:
    """Return whose newest run says whether a message is still true."""
    found = wanted.RUNS.get(message.event_type) or wanted.RUNS.get(str(message.payload.get("event")))
    if found is None:
        return None
    job, name, told = found
    value = message.payload.get(told) if told else None
    return job, name, None if value in (None, wanted.ALL_SITES) else str(value)


def _facts(ctx: Context, claimed: Sequence[Claimed]) -> _Facts:
    """Read what the messages are about: one query for each kind of thing that is among them."""
    facts = _Facts()
    orders = {one for message in claimed for one in wanted.order_ids(message.event_type, message.payload)}
    items = {one for message in claimed for one in wanted.told_items(message.event_type, message.payload)}
    facts.orders, facts.items = _orders(ctx, orders), _items(ctx, items)
    facts.snoozes = snoozed(ctx, orders, items)
    numbers = {wanted.handover_id(message.event_type, message.payload) for message in claimed} - {None}
    if numbers:
        waiting = select(Handover.id).where(
            Handover.id.in_(numbers), Handover.state == GIVEN, Handover.confirmed_count < Handover.line_count
        )
        facts.waiting_handovers = frozenset(ctx.session.scalars(waiting))
    facts.burns = _burns(ctx, claimed)
    facts.never_told = _never_told(ctx, facts.burns.values(), {one.id for one in claimed})
    facts.fine_since = {
        judge: at for judge in {_judge_of(one) for one in claimed} if judge and (at := _fine(ctx, *judge))
    }
    return facts


def _orders(ctx: Context, ids: Collection[int]) -> dict[int, OrderNow]:
    if not ids:
        return {}
    found = ctx.session.execute(select(*ORDER_NOW).where(WorkOrder.id.in_(ids)))
    return {row.id: order_now(row) for row in found}


def order_now(row: Any) -> OrderNow:
    """Return the order of a row with the columns `ORDER_NOW`."""
    return OrderNow(row.id, row.status in OPEN_ORDERS, row.due_at, row.acknowledged_at)


def _items(ctx: Context, ids: Collection[int]) -> dict[int, ItemNow]:
    if not ids:
        return {}
    found = ctx.session.execute(select(*ITEM_NOW).where(TrackerItem.id.in_(ids)))
    return {row.id: item_now(row) for row in found}


def item_now(row: Any) -> ItemNow:
    """Return the item of a row with the columns `ITEM_NOW`."""
    return ItemNow(row.id, row.is_active and row.status in OPEN_STATUSES, row.due_at, row.assignee, row.accepted_at)


def snoozed(ctx: Context, orders: Collection[int], items: Collection[int]) -> dict[Thing, tuple[datetime, int]]:
    """Return until when reminders of things are put off, and by which snooze; other things may be among them."""
    if not orders and not items:
        return {}
    standing = select(Snooze.kind, Snooze.thing_id, Snooze.until_at, Snooze.id).where(
        Snooze.thing_id.in_({*orders, *items}), Snooze.ended_at.is_(None), Snooze.until_at > ctx.now()
    )
    return {(row.kind, row.thing_id): (row.until_at, row.id) for row in ctx.session.execute(standing)}


def _burns(ctx: Context, claimed: Iterable[Claimed]) -> dict[tuple[str, str, datetime], BurnAlert]:
    named = {wanted.burn_of(one.event_type, one.payload) for one in claimed}
    keys = {one[0] for one in named if one is not None}
    if not keys:
        return {}
    since = {datetime.fromisoformat(one[2]) for one in named if one is not None}
    found = select(BurnAlert).where(BurnAlert.endpoint_key.in_(keys), BurnAlert.started_at.in_(since))
    return {(row.endpoint_key, row.rule, row.started_at): row for row in ctx.session.scalars(found)}


def _never_told(ctx: Context, burns: Iterable[BurnAlert], claimed: Collection[int]) -> frozenset[tuple[int, str]]:
    """Return burn and channel where nobody got the message about the begin, or it is about to be dropped."""
    begins = {int(one["delivery_id"]): burn.id for burn in burns for one in burn.told_json}
    if not begins:
        return frozenset()
    dropped = select(AlertDelivery.id, AlertDelivery.channel).where(
        AlertDelivery.id.in_(begins),
        or_(AlertDelivery.status.in_((DROPPED, DEAD)), AlertDelivery.id.in_(claimed)),
    )
    return frozenset((begins[row.id], row.channel) for row in ctx.session.execute(dropped))


def _fine(ctx: Context, job: str, name: str, value: str | None) -> datetime | None:
    """Return when the newest run of a job that looked at the same found everything in order; None if it did not."""
    newest = select(JobRun.finished_at, JobRun.status).where(
        JobRun.job_name == job, JobRun.executed.is_(True), JobRun.dry_run.is_(False), JobRun.finished_at.is_not(None)
    )
    if name:
        seen = JobRun.detail_json[name].as_string()
        newest = newest.where(seen.is_(None) if value is None else seen == value)
    row = ctx.session.execute(newest.order_by(JobRun.finished_at.desc(), JobRun.id.desc()).limit(1)).first()
    return row.finished_at if row is not None and row.status == "success" else None
