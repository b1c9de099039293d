"""The same step for many orders: what it would do, and doing it. Both ask the rules of the single step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, func, insert, select, update

from console.core.context import Context
from console.core.listing import ListQuery
from console.domain.errors import Conflict, Invalid
from console.domain.text import T, Text
from console.domain.tracker.requests import Selection
from console.domain.work_orders import requests as wanted
from console.domain.work_orders import states
from console.domain.work_orders.completion import CompletionRules
from console.domain.work_orders.missing import SENTENCES
from console.domain.work_orders.requests import OrderBulk, OrderChange
from console.domain.work_orders.words import COMPLETED, HOLD_REASONS, PRIORITIES
from console.models.identity import User
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.alerts import given
from console.services.audit import record as audit
from console.services.common.lists import matching
from console.services.jobs.runs import changed
from console.services.tracker.assignees import Whom, worker_named
from console.services.tracker.store import Command, open_command
from console.services.work_orders import edit, holds, lists, rows, rules, snooze, undo
from console.services.work_orders.create import check_due
from console.services.work_orders.rows import WRITE, WorkOrderView
from console.services.work_orders.store import MEANWHILE, RESOURCE, Event, event_row, plain

# One transaction holds them all; more than this is hardly meant, and the filter can be narrowed.
MOST = 2000
CHUNK = 500
SHOWN, LOADS_SHOWN = 5, 6
_ORDERS, _EVENTS = cast("Table", WorkOrder.__table__), cast("Table", WorkOrderEvent.__table__)
_VIEWED = WorkOrderView.__dataclass_fields__
NOBODYS = T("Nobody has it")


@dataclass(frozen=True)
class LeftOut:
    """An order that stays as it is, and why."""

    id: int
    reason: Text


@dataclass(frozen=True)
class Load:
    """How many open orders somebody has, before the step and after it."""

    name: str
    before: int
    after: int


@dataclass(frozen=True)
class Told:
    """What a step would do or has done. `missing`: ids that are not there, or not for the caller's eyes.

    `left_out` are the first of the `refused` orders, `changes` the first that change: number, old and new assignee.
    """

    total: int
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    missing: int = 0
    left_out: tuple[LeftOut, ...] = ()
    loads: tuple[Load, ...] = ()
    changes: tuple[tuple[int, str | None, str | None], ...] = ()
    # The key by which the caller takes the step back for a while; None for a step that cannot be.
    undo: str | None = field(default=None, compare=False)


@dataclass
class _Work:
    """One step under way: `values` and `event` of an order follow from the rules of the single step."""

    ctx: Context
    change: OrderBulk
    whom: Whom | None
    now: datetime
    refused: list[LeftOut] = field(default_factory=list)
    unchanged: int = 0
    ids: list[int] = field(default_factory=list)
    moved: list[tuple[int, str | None, str | None]] = field(default_factory=list)
    given: Counter[str] = field(default_factory=Counter)
    rules: dict[str, CompletionRules] = field(default_factory=dict)
    command: Command | None = None

    def look(self, order: WorkOrderView) -> None:
        """Note what the step would do to an order."""
        decided = self._decided(order)
        if decided is not None:
            self._note(order, decided[0])

    def act(self, order: WorkOrderView) -> dict[str, Any] | None:
        """Do it to a locked order and return the row of its event, None where nothing changes."""
        decided = self._decided(order)
        if decided is None:
            return None
        values, event = decided
        if self.change.action == wanted.WAIT:
            values, event = holds.begin(self.ctx, order, self.change.value, self.change.text, self.change.at, self.now)
        elif self.change.action == wanted.COMPLETE and order.waiting_reason is not None:
            values |= holds.end(self.ctx, order, self.now)
        if not self._store(order, values):
            self.refused.append(LeftOut(order.id, MEANWHILE))
            return None
        self._note(order, values)
        snooze.follow(self.ctx, order, values, self.now)
        if self.change.action in undo.STEPS:
            self.command = self.command or open_command(self.ctx, undo.KEY, self.change.action, self.now)
            event = replace(event, detail={**event.detail, "command": self.command.id})
        after = {key: value for key, value in values.items() if key in _VIEWED}
        return event_row(self.ctx, replace(order, **after), event, self.now)

    def _note(self, order: WorkOrderView, values: Mapping[str, Any]) -> None:
        self.ids.append(order.id)
        if "assignee" in values:
            new = values["assignee"]
            if len(self.moved) < SHOWN:
                named = self.whom.name if self.whom is not None and new else None
                self.moved.append((order.id, order.assignee_name or order.assignee, named))
            self.given.update({order.assignee or "": -1})
            self.given.update({new or "": 1})

    def _decided(self, order: WorkOrderView) -> tuple[dict[str, Any], Event] | None:
        try:
            found = _STEPS[self.change.action](self, order)
        except Conflict as refusal:
            self.refused.append(LeftOut(order.id, _words(refusal)))
            return None
        if found is None:
            self.unchanged += 1
        return found

    def edited(self, order: WorkOrderView) -> tuple[dict[str, Any], Event] | None:
        change, whom = self.change, self.whom
        if whom is not None and (told := whom.obstacle(order.site)):
            raise Conflict(told, code="assignee_cannot_work")
        asked = OrderChange(
            priority=change.value if change.action == wanted.PRIORITY else None,
            due_at=change.at if change.action == wanted.DUE else None,
            reason=change.text,
        )
        values = edit.decided(order, asked, whom.person if whom else None, self.now)
        return (values, edit.told(order, values, change.text)) if values else None

    def begun(self, order: WorkOrderView) -> tuple[dict[str, Any], Event] | None:
        if order.status == states.TARGETS[states.ACK]:
            return None
        return self._stepped(order, states.ACK, states.acknowledged(order.life, self.now, None))

    def completed(self, order: WorkOrderView) -> tuple[dict[str, Any], Event] | None:
        if order.status == COMPLETED:
            return None
        if order.is_open and order.assignee is None and not self.change.unassigned:
            raise Conflict(NOBODYS, code="unassigned")
        self._check(order)
        step = states.completed(order.life, self.now, self.change.text)
        return self._stepped(order, states.COMPLETE, replace(step, detail={**step.detail, "bulk": True}))

    def _check(self, order: WorkOrderView) -> None:
        if order.site not in self.rules:
            self.rules[order.site] = rules.in_force(self.ctx, order.site)
        lacking = rules.lacking(self.ctx, order, self.change.text, self.rules[order.site])
        if lacking:
            raise Conflict(T(SENTENCES[lacking[0]]), code="incomplete")

    def _stepped(self, order: WorkOrderView, action: str, step: states.Step) -> tuple[dict[str, Any], Event]:
        if not states.allowed(order.status, action):
            raise Conflict(edit.CLOSED, code="closed")
        status = step.values["status"]
        return dict(step.values), Event("status_changed", order.status, status, step.note, step.detail)

    def waiting(self, order: WorkOrderView) -> tuple[dict[str, Any], Event] | None:
        holds.check(order)
        if (order.waiting_reason, order.waiting_until) == (self.change.value, self.change.at):
            return None
        return {}, Event("hold_started", order.status, order.status)

    def commented(self, order: WorkOrderView) -> tuple[dict[str, Any], Event]:
        text = self.change.text
        return {}, Event("comment", order.status, order.status, text, {"comment": text})

    def _store(self, order: WorkOrderView, values: Mapping[str, Any]) -> bool:
        same = (_ORDERS.c.id == order.id, _ORDERS.c.version == order.version, _ORDERS.c.status == order.status)
        if self.change.action == wanted.COMMENT:
            counted = update(_ORDERS).where(_ORDERS.c.id == order.id).values(comment_count=_ORDERS.c.comment_count + 1)
            return changed(self.ctx, counted) == 1
        kept = {"version": order.version + 1, "updated_at": self.now, "updated_by": self.ctx.actor.username}
        return changed(self.ctx, update(_ORDERS).where(*same).values(**values, **kept)) == 1


_STEPS = {
    wanted.ASSIGN: _Work.edited,
    wanted.PRIORITY: _Work.edited,
    wanted.DUE: _Work.edited,
    wanted.BEGIN: _Work.begun,
    wanted.WAIT: _Work.waiting,
    wanted.COMPLETE: _Work.completed,
    wanted.COMMENT: _Work.commented,
}


def _words(refusal: Conflict) -> Text:
    told = refusal.told or refusal.detail
    return told if isinstance(told, Text) else T("The work order cannot take this step")


def count(ctx: Context, selection: Selection) -> Told:
    """Return how many orders are meant, before it is decided what each of them gets."""
    ctx.actor.require(WRITE)
    chosen = _selected(ctx, selection).with_only_columns(func.count()).order_by(None)
    total = ctx.session.scalar(chosen) or 0
    return Told(total, missing=_missing(selection, total))


def preview(ctx: Context, selection: Selection, change: OrderBulk) -> Told:
    """Return what a step would do to each chosen order, without doing it.

    Raises Invalid for more than 2,000 orders, and for a step that cannot be at all.
    """
    work = _work(ctx, change)
    ids = _ids(ctx, selection)
    for chunk in _chunks(ids):
        for order in _orders(ctx, chunk, work.now):
            work.look(order)
    return _told(work, selection, len(ids))


def apply(ctx: Context, selection: Selection, change: OrderBulk, *, expected: int | None = None) -> Told:
    """Do it for all of them in one transaction; orders that refuse it are told, not forced.

    `expected` is how many the caller saw of a whole list: Conflict when there are more or fewer now, and nothing is
    changed then. Raises Invalid as `preview` does.
    """
    work = _work(ctx, change)
    ids = _ids(ctx, selection)
    if selection.everything and expected is not None and expected != len(ids):
        told = T("The list has %(now)s orders now, and had %(then)s; please look again", now=len(ids), then=expected)
        raise Conflict(told, code="list_moved")
    for chunk in _chunks(ids):
        made = [row for order in _orders(ctx, chunk, work.now, lock=True) if (row := work.act(order)) is not None]
        if made:
            ctx.session.execute(insert(_EVENTS), made)
    if change.action == wanted.ASSIGN and work.ids:
        given.orders(ctx, work.ids)
    if work.ids:
        detail = {"action": change.action, "new": plain({"value": change.value, "at": change.at, "text": change.text})}
        counted = {"changed_count": len(work.ids), "ids": work.ids[:CHUNK]}
        audit.record(ctx, "work_order_bulk_update", RESOURCE, change.action, detail={**detail, **counted})
    return _told(work, selection, len(ids), done=True)


def sites_of(ctx: Context, selection: Selection) -> dict[str, int]:
    """Return how many of the chosen orders are at each site."""
    ctx.actor.require(WRITE)
    counted = _selected(ctx, selection).with_only_columns(WorkOrder.site, func.count()).order_by(None)
    return {row[0]: row[1] for row in ctx.session.execute(counted.group_by(WorkOrder.site))}


def loads(ctx: Context, usernames: list[str]) -> dict[str, int]:
    """Return how many open orders that the caller may see each of these people has."""
    ctx.actor.require(rows.READ)
    mine = rows.keys(ctx.actor).where(rows.OPEN, WorkOrder.assignee.in_(usernames))
    counted = mine.with_only_columns(WorkOrder.assignee, func.count()).group_by(WorkOrder.assignee)
    return {str(name): number for name, number in ctx.session.execute(counted)}


def _work(ctx: Context, change: OrderBulk) -> _Work:
    ctx.actor.require(WRITE)
    now = ctx.now()
    _check(change, now)
    whom = worker_named(ctx, change.value, (WRITE,)) if change.action == wanted.ASSIGN else None
    return _Work(ctx, change, whom, now)


def _check(change: OrderBulk, now: datetime) -> None:
    if change.action not in wanted.BULK_ACTIONS:
        raise Invalid.field("action", T("There is no such step"))
    if change.action == wanted.PRIORITY and change.value not in PRIORITIES:
        raise Invalid.field("value", T("A priority is needed"))
    if change.action == wanted.WAIT and change.value not in HOLD_REASONS:
        raise Invalid.field("value", T("A reason of waiting is needed"))
    if change.action == wanted.WAIT:
        holds.check_until(change.at, now)
    if change.action == wanted.DUE and change.at is None:
        raise Invalid.field("at", T("A due date is needed"))
    if change.action == wanted.DUE:
        check_due(change.at, now)
    if change.action in (wanted.PRIORITY, wanted.DUE, wanted.COMPLETE) and not change.text:
        raise Invalid.field("text", T("A reason is needed"))
    if change.action == wanted.COMMENT and not change.text:
        raise Invalid.field("text", T("A comment needs words"))


def _selected(ctx: Context, selection: Selection) -> Any:
    """Return the SELECT of the ids that are meant; orders of other sites are simply not among them."""
    if not selection.everything:
        return rows.keys(ctx.actor).where(WorkOrder.id.in_(sorted(set(selection.ids))))
    listed = lists.spec(ctx.now())
    unknown = set(selection.filters) - {item.key for item in listed.filters}
    if unknown:
        # A misspelt filter left out would change orders that nobody meant.
        raise Invalid.field("filters", T("There is no filter “%(name)s”", name=min(unknown)[:40]))
    return matching(ctx, listed, ListQuery(filters=selection.filters, search=selection.search), ctx.now())


def _ids(ctx: Context, selection: Selection) -> list[int]:
    ids = list(ctx.session.scalars(_selected(ctx, selection).order_by(WorkOrder.id).limit(MOST + 1)))
    if len(ids) > MOST:
        raise Invalid(T("At most %(most)s orders can be changed at once; please narrow the filter", most=MOST))
    return ids


def _orders(ctx: Context, ids: list[int], now: datetime, *, lock: bool = False) -> Iterator[WorkOrderView]:
    statement = rows.base(ctx.actor).where(WorkOrder.id.in_(ids)).order_by(WorkOrder.id)
    locked = statement.with_for_update(of=WorkOrder) if lock else statement
    return (rows.view(row, now) for row in ctx.session.execute(locked).all())


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    return (ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK))


def _missing(selection: Selection, total: int) -> int:
    return 0 if selection.everything else len(set(selection.ids)) - total


def _told(work: _Work, selection: Selection, total: int, *, done: bool = False) -> Told:
    return Told(
        total=total,
        changed=len(work.ids),
        unchanged=work.unchanged,
        refused=len(work.refused),
        missing=_missing(selection, total),
        left_out=tuple(work.refused[:SHOWN]),
        loads=_loads(work, done=done),
        changes=tuple(work.moved),
        undo=work.command.token if work.command else None,
    )


def _loads(work: _Work, *, done: bool) -> tuple[Load, ...]:
    """Return the load of everybody who gets or loses orders, who gets them first."""
    moved = {name: number for name, number in work.given.items() if name and number}
    if not moved:
        return ()
    there = loads(work.ctx, list(moved))
    named = select(User.username, User.display_name).where(User.username.in_(moved))
    names = {row.username: row.display_name for row in work.ctx.session.execute(named)}
    before = {name: there.get(name, 0) - (moved[name] if done else 0) for name in moved}
    ranked = sorted(moved, key=lambda name: (-moved[name], name))[:LOADS_SHOWN]
    return tuple(Load(names.get(name) or name, before[name], before[name] + moved[name]) for name in ranked)
