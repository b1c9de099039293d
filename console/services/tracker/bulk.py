"""The same change for many items: by their ids, or for everything that a filter matches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, not_, or_, true

from console.core.context import Context
from console.core.listing import ListQuery
from console.core.records import INTERNAL
from console.domain.alerts.snooze import HANDLED
from console.domain.errors import Conflict, Invalid
from console.domain.text import T, Text
from console.domain.tracker.requests import BulkChange, ItemChange, Selection
from console.domain.tracker.tracker import REMEDIATION, STATUSES, TrackerKind, item_number
from console.models.tracker import TrackerItem
from console.services.alerts import given
from console.services.audit import record as audit
from console.services.common.lists import matching
from console.services.jobs import progress
from console.services.tracker import assignees, rows, snooze
from console.services.tracker import store as tracker_store
from console.services.tracker.assignees import Candidate, Whom
from console.services.tracker.change import Decision, Person, check_due, decide
from console.services.tracker.columns import spec
from console.services.tracker.manual import MANUAL
from console.services.tracker.rows import ItemView
from console.services.tracker.store import Event

# One transaction holds them all; more than this is hardly meant, and the filter can be narrowed.
MOST = 10_000
CHUNK = 500
SHOWN = 200
REASONS_SHOWN = 5

_CLOSED = T("The item is closed; only its note can be changed")
# Why an item refuses an action, where it is not the person.
REFUSALS = {
    "assign": _CLOSED,
    "status": _CLOSED,
    "due": _CLOSED,
    "close": T("Only finished items that were added by hand can be closed"),
}


@dataclass(frozen=True)
class LeftOut:
    """An item that the action would leave as it is, and why."""

    item_id: str
    reason: Text


@dataclass(frozen=True)
class Preview:
    """What a bulk action would do. `missing`: ids that are not there, or not for the caller's eyes.

    Of what would become done, `missing_evidence` lacks evidence that it needs, and nobody has `without_assignee`.
    `left_out` are the first of the `refused` items.
    """

    action: str
    total: int
    will_change: int
    unchanged: int
    refused: int
    missing: int
    as_job: bool
    missing_evidence: int = 0
    without_assignee: int = 0
    left_out: Annotated[tuple[LeftOut, ...], INTERNAL] = ()


@dataclass(frozen=True)
class BulkRow:
    """What became of one item: `changed`, `unchanged` or `refused`.

    The message says why it was refused, or what the change hardly helps with.
    """

    id: int
    item_id: str
    outcome: str
    message: Text | None = None


@dataclass(frozen=True)
class BulkResult:
    """The outcome of a bulk action; `rows` shows the first 200, refused ones first. `undo` takes the changes back."""

    action: str
    total: int
    changed: int
    unchanged: int
    refused: int
    missing: int
    rows: tuple[BulkRow, ...]
    undo: str | None


def preview(
    ctx: Context,
    selection: Selection,
    change: BulkChange,
    programme: TrackerKind = REMEDIATION,
    *,
    undecided: bool = False,
) -> Preview:
    """Count what a bulk action would do, without doing it: one query, one more for the reasons of what is left out.

    `undecided`: only the action is known yet, not what it sets; nothing counts as unchanged then.
    """
    now = ctx.now()
    ctx.actor.require(*programme.write)
    if not undecided:
        _check(ctx, programme, change, now)
    whom = _whom(ctx, programme, change)
    refused, unchanged = _conditions(change, whom)
    if undecided:
        refused = TrackerItem.is_active.is_(False) if change.action in ("status", "due") else refused
        unchanged = false()
    selected = _selected(ctx, programme, selection, now)
    becomes_done = and_(not_(refused), not_(unchanged), true() if change.status == "done" else false())
    figures = selected.with_only_columns(
        func.count(),
        func.sum(case((refused, 1), else_=0)),
        func.sum(case((and_(not_(refused), unchanged), 1), else_=0)),
        func.sum(case((and_(becomes_done, rows.NO_EVIDENCE), 1), else_=0)),
        func.sum(case((and_(becomes_done, TrackerItem.assignee.is_(None)), 1), else_=0)),
    )
    total, refused_count, unchanged_count, unproven, nobodys = (
        number or 0 for number in ctx.session.execute(figures).one()
    )
    left_out = _left_out(ctx, programme, selected.where(refused), change, whom) if refused_count else ()
    return Preview(
        action=change.action,
        total=total,
        will_change=total - refused_count - unchanged_count,
        unchanged=unchanged_count,
        refused=refused_count,
        missing=0 if selection.everything else len(set(selection.ids)) - total,
        as_job=total > ctx.config["TRACKER_BULK_DIRECT_ROWS"],
        missing_evidence=unproven,
        without_assignee=nobodys,
        left_out=left_out,
    )


def _whom(ctx: Context, programme: TrackerKind, change: BulkChange) -> Whom:
    return assignees.whom(ctx, change.assignee, programme) if change.action == "assign" else assignees.NOBODY


def _left_out(
    ctx: Context, programme: TrackerKind, refused: Select[Any], change: BulkChange, whom: Whom
) -> tuple[LeftOut, ...]:
    named = refused.with_only_columns(TrackerItem.number, TrackerItem.site).order_by(TrackerItem.id)
    return tuple(
        LeftOut(item_number(programme.item_prefix, row.number), whom.obstacle(row.site) or REFUSALS[change.action])
        for row in ctx.session.execute(named.limit(REASONS_SHOWN))
    )


def apply(ctx: Context, selection: Selection, change: BulkChange, programme: TrackerKind = REMEDIATION) -> BulkResult:
    """Do it for all of them in one transaction; a run reports its progress.

    Raises Invalid for more than 10,000 items. Items that refuse the change (closed ones) are told, not forced.
    """
    now = ctx.now()
    _check(ctx, programme, change, now)
    wanted = _selected(ctx, programme, selection, now).order_by(TrackerItem.id).limit(MOST + 1)
    ids = list(ctx.session.scalars(wanted))
    if len(ids) > MOST:
        raise Invalid(T("At most %(most)s items can be changed at once; please narrow the filter", most=MOST))
    whom = _whom(ctx, programme, change)
    work = _Work(ctx, programme, change, whom, now)
    for done, chunk in _chunks(ids):
        work.chunk(chunk)
        progress.progress(ctx, done, len(ids), T("Changed: %(count)s", count=work.changed))
    if work.changed:
        work.finish()
    failed = [row for row in work.rows if row.outcome == "refused"]
    others = [row for row in work.rows if row.outcome != "refused"]
    return BulkResult(
        action=change.action,
        total=len(ids),
        changed=work.changed,
        unchanged=sum(row.outcome == "unchanged" for row in others),
        refused=len(failed),
        missing=0 if selection.everything else len(set(selection.ids) - set(ids)),
        rows=tuple((failed + others)[:SHOWN]),
        undo=work.command.token if work.command else None,
    )


def able_for(
    ctx: Context, selection: Selection, programme: TrackerKind = REMEDIATION
) -> tuple[tuple[Candidate, int], ...]:
    """Return the people who may work on some of the chosen items, with how many: those for most of them first."""
    ctx.actor.require(*programme.write)
    site = TrackerItem.site_key
    counted = _selected(ctx, programme, selection, ctx.now()).with_only_columns(site, func.count()).group_by(site)
    sites = {key or None: number for key, number in ctx.session.execute(counted)}
    found = [
        (person, sum(number for name, number in sites.items() if person.can_work(programme, name)))
        for person in assignees.candidates(ctx, programme=programme)
    ]
    return tuple(sorted((one for one in found if one[1]), key=lambda one: -one[1]))


def _check(ctx: Context, programme: TrackerKind, change: BulkChange, now: datetime) -> None:
    ctx.actor.require(*programme.write)
    if change.action == "status" and change.status not in STATUSES:
        raise Invalid.field("status", T("A status is needed"))
    if change.action == "due":
        if change.due_at is None:
            raise Invalid.field("due_at", T("A due date is needed"))
        check_due(change.due_at, change.reason, now)


def _selected(ctx: Context, programme: TrackerKind, selection: Selection, now: datetime) -> Select[Any]:
    """Return the ids that are meant; other sites' ids are simply not among them."""
    if selection.everything:
        unknown = set(selection.filters) - {item.key for item in spec(programme, now).filters}
        if unknown:
            # A misspelt filter left out would change items that nobody meant.
            raise Invalid.field("filters", T("There is no filter “%(name)s”", name=min(unknown)[:40]))
        query = ListQuery(filters=selection.filters, search=selection.search)
        return matching(ctx, spec(programme, now), query, now)
    return rows.keys(programme, ctx.actor).where(TrackerItem.id.in_(sorted(set(selection.ids))))


def _conditions(change: BulkChange, whom: Whom) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Which items refuse the action, and which are as wanted already."""
    closed = TrackerItem.is_active.is_(False)
    if change.action == "assign":
        text = change.assignee.strip()
        refused = whom.elsewhere() if change.only_able else false()
        return refused, TrackerItem.assignee == text if text else TrackerItem.assignee.is_(None)
    if change.action == "status":
        return and_(closed, TrackerItem.status != change.status), TrackerItem.status == change.status
    if change.action == "due":
        other = TrackerItem.due_at.is_distinct_from(change.due_at)
        return and_(closed, other), not_(other)
    unfit = or_(closed, TrackerItem.item_type != MANUAL, TrackerItem.status != "done")
    return unfit, not_(true())


def _chunks(ids: list[int]) -> Iterator[tuple[int, list[int]]]:
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        yield start + len(chunk), chunk


class _Work:
    """One bulk action under way."""

    def __init__(self, ctx: Context, programme: TrackerKind, change: BulkChange, whom: Whom, now: datetime) -> None:
        self.ctx, self.programme, self.change, self.whom, self.now = ctx, programme, change, whom, now
        self.wanted = ItemChange(
            assignee=change.assignee if change.action == "assign" else None,
            status=change.status if change.action == "status" else None,
            due_at=change.due_at if change.action == "due" else None,
            reason=change.reason,
        )
        self.rows: list[BulkRow] = []
        self.ids: list[int] = []
        self.woken: list[int] = []
        self.sites: set[str | None] = set()
        self.changed = 0
        self.command: tracker_store.Command | None = None

    def chunk(self, ids: list[int]) -> None:
        """Change some hundred items: one read, one conditional update each, one insert of all events."""
        statement = rows.base(self.programme, self.ctx.actor).where(TrackerItem.id.in_(ids)).order_by(TrackerItem.id)
        locked = statement.with_for_update(of=TrackerItem)
        written: list[tuple[int, str | None, int, Event]] = []
        for item in rows.views(self.programme, self.ctx.session.execute(locked), self.now):
            try:
                decided = self._decide(item)
            except Conflict as refusal:
                message = refusal.detail if isinstance(refusal.detail, Text) else None
                self.rows.append(BulkRow(item.id, item.item_id, "refused", message))
                continue
            if not decided.values:
                self.rows.append(BulkRow(item.id, item.item_id, "unchanged"))
                continue
            self._store(item, decided)
            self.rows.append(BulkRow(item.id, item.item_id, "changed", self.whom.obstacle(item.site)))
            written += [(item.id, item.site, item.version + 1, event) for event in decided.events]
        tracker_store.write_events(self.ctx, self.programme, written, self.now, self.command)
        if self.change.status == "done" and self.woken:
            snooze.end(self.ctx, self.woken, HANDLED, self.now)
            self.woken = []

    def _decide(self, item: ItemView) -> Decision:
        if self.change.only_able and (told := self.whom.obstacle(item.site)):
            raise Conflict(told, code="assignee_cannot_work")
        if self.change.action != "close":
            return decide(item, self.wanted, self._person(), self.ctx.actor, self.now)
        if not (item.manual and item.is_active and item.status == "done"):
            raise Conflict(REFUSALS["close"])
        event = Event("resolved", {"is_active": True}, {"is_active": False})
        return Decision({"is_active": False}, (event,), active=False)

    def _person(self) -> Person | None:
        return self.whom.person if self.change.action == "assign" else None

    def _store(self, item: ItemView, decided: Decision) -> None:
        if self.command is None:
            self.command = tracker_store.begin_command(self.ctx, self.programme, "bulk", self.now)
        if not tracker_store.update_item(self.ctx, item.id, item.version, decided.values, self.now):
            raise Conflict(tracker_store.MEANWHILE, code="version_conflict")
        self.changed += 1
        self.ids.append(item.id)
        if item.snoozed_until is not None:
            self.woken.append(item.id)
        if decided.resets(self.programme):
            self.sites.add(item.site if self.programme.site_runs else None)

    def finish(self) -> None:
        """Reopen what was closed, and put the action on record once, with the ids that it changed."""
        for site in self.sites:
            tracker_store.reopen_completion(self.ctx, self.programme, site, "tracker_item_updated", self.now)
        change = self.change
        if change.action == "assign" and change.assignee.strip():
            given.items(self.ctx, self.ids)
        wanted: dict[str, dict[str, Any]] = {
            "assign": {"assignee": change.assignee.strip() or None},
            "status": {"status": change.status},
            "due": {"due_at": change.due_at, "reason": change.reason.strip()},
            "close": {"is_active": False},
        }
        audit.record(
            self.ctx,
            f"{self.programme.audit_prefix}_item_bulk_update",
            self.programme.item_resource,
            change.action,
            detail={
                "action": change.action,
                "new": tracker_store.stored(wanted[change.action]),
                "changed_count": self.changed,
                "ids": self.ids[:CHUNK],
            },
        )
