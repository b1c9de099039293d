"""What a gate snapshot changes on a tracker: the list of changes, decided without touching anything.

Deliberate differences to the earlier implementation (API contract, deliberate differences in values): due dates do
not slide, filtered rules stay open, an unproven "done" comes back, and a rule that got worse is a step of its own.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

OPENED, REOPENED, RAISED, REFRESHED, UNPROVEN, RESOLVED, COVERED = (
    "opened",
    "reopened",
    "raised",
    "refreshed",
    "unproven",
    "resolved",
    "covered",
)
SEVERITY = {"warning": 1, "fail": 2}


@dataclass(frozen=True)
class PlannedItem:
    """One line of the remediation plan (API contract, remediation plan).

    `texts` holds action and reason in the form that each reader sees in their own language.
    """

    rule_id: str
    rule_status: str = "warning"
    required: bool = False
    priority: int = 9
    owner_role: str = "Ops Manager"
    sla_hours: int = 24
    due_at: datetime | None = None
    action: str = ""
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SyncedRow:
    """What the sync must know of a stored item; `judged_at` is of the newest snapshot that spoke of it (UTC)."""

    id: int
    rule_id: str
    rule_status: str
    required: bool
    sla_hours: int
    due_at: datetime | None
    status: str
    completed_at: datetime | None
    unproven_at: datetime | None
    is_active: bool
    version: int = 1
    judged_at: datetime | None = None


@dataclass(frozen=True)
class Change:
    """One change to store: `values` are column values, `kinds` the events to write, `row` is None for a new item."""

    kind: str
    row: SyncedRow | None
    values: Mapping[str, Any]
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class SyncPlan:
    """All changes of one sync and their counts; `untouched` are active items that this snapshot says nothing about."""

    changes: tuple[Change, ...]
    untouched_count: int
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def resets_completion(self) -> bool:
        """A closed tracker is open again when work appeared, came back, got worse or went away."""
        return any(self.counts[kind] for kind in (OPENED, REOPENED, RAISED, RESOLVED, COVERED))


def sync(
    rows: Iterable[SyncedRow],
    plan: Iterable[PlannedItem],
    passed_rules: Collection[str],
    gate_at: datetime,
    now: datetime,
    covered: Collection[str] = (),
) -> SyncPlan:
    """Compare stored items with the plan of a gate snapshot taken at `gate_at` (UTC).

    `rows` are the platform's rule items (site is None), `plan` may be filtered or cut: only rules in `passed_rules`
    resolve their items, and rules that are neither planned nor passed stay as they are. Items in `covered` leave the
    tracker undone: another one is about the same. What a newer snapshot spoke of stays as that one left it.
    """
    stored = {row.rule_id: row for row in rows}
    # An instant to come is of a clock that was set back since: it holds nothing up.
    later = {key for key, row in stored.items() if row.judged_at is not None and gate_at < row.judged_at <= now}
    planned: dict[str, tuple[int, PlannedItem]] = {}
    for rank, item in enumerate(plan, start=1):
        if item.rule_id.strip() and item.rule_id not in later:
            planned.setdefault(item.rule_id, (rank, item))
    changes: list[Change] = []
    for rule_id, (rank, item) in planned.items():
        row = stored.get(rule_id)
        changes.append(_open(item, rank, gate_at, now) if row is None else _refresh(row, item, rank, gate_at, now))
    untouched = 0
    for rule_id, row in stored.items():
        if rule_id in planned or not row.is_active:
            continue
        outdated = rule_id in later or (row.completed_at is not None and row.completed_at > gate_at)
        if rule_id in covered and rule_id not in later:
            changes.append(_cover(row, gate_at))
        elif rule_id in passed_rules and not outdated:
            changes.append(_resolve(row, gate_at, now))
        else:
            untouched += 1
    kinds = (OPENED, REOPENED, RAISED, RESOLVED, COVERED)
    counts = {kind: sum(change.kind == kind for change in changes) for kind in kinds}
    return SyncPlan(tuple(changes), untouched, counts)


def _plan_values(item: PlannedItem, rank: int, gate_at: datetime) -> dict[str, Any]:
    """Return the columns that belong to the plan; no person edits them."""
    return {
        "rule_status": item.rule_status,
        "required": item.required,
        "priority": item.priority,
        "owner_role": item.owner_role,
        "sla_hours": item.sla_hours,
        "action": item.action,
        "reason": item.reason,
        "detail": dict(item.detail),
        "texts": dict(item.texts),
        "plan_rank": rank,
        "gate_generated_at": gate_at,
    }


def _episode(item: PlannedItem, now: datetime) -> dict[str, Any]:
    """Begin a new episode of a failing rule: open, with the deadline of its detection."""
    return {
        "status": "pending",
        "completion_checked": False,
        "completed_at": None,
        "verified_at": None,
        "unproven_at": None,
        "is_active": True,
        "opened_at": now,
        "due_at": item.due_at or now,
        "due_changed_at": None,
    }


def _open(item: PlannedItem, rank: int, gate_at: datetime, now: datetime) -> Change:
    values = {"rule_id": item.rule_id, "first_seen_at": now, **_plan_values(item, rank, gate_at), **_episode(item, now)}
    return Change(OPENED, None, values, (OPENED,))


def _refresh(row: SyncedRow, item: PlannedItem, rank: int, gate_at: datetime, now: datetime) -> Change:
    values = _plan_values(item, rank, gate_at)
    if not row.is_active:
        # An inactive item that is not done was covered by another, or comes from old data: it keeps its status, but it
        # does count, and nobody is late with it on the day it comes back.
        again = {"is_active": True, "opened_at": now, "due_at": item.due_at or now, "due_changed_at": None}
        again = _episode(item, now) if row.status == "done" else again
        return Change(REOPENED, row, {**values, **again}, (REOPENED,))
    raised = SEVERITY.get(item.rule_status, 0) > SEVERITY.get(row.rule_status, 0) or (
        item.rule_status == "fail" and item.required and not row.required
    )
    due_at = item.due_at or now
    if (raised or item.sla_hours < row.sla_hours) and (row.due_at is None or due_at < row.due_at):
        values |= {"due_at": due_at, "due_changed_at": now}
    if row.status == "done" and row.completed_at is not None and gate_at > row.completed_at:
        return _claimed(row, values, gate_at)
    if raised:
        return Change(RAISED, row, values, (RAISED,))
    return _refreshed(row, values)


def _refreshed(row: SyncedRow, values: dict[str, Any]) -> Change:
    return Change(REFRESHED, row, values, ("due",) if "due_at" in values else ())


def _claimed(row: SyncedRow, values: dict[str, Any], gate_at: datetime) -> Change:
    """Somebody said done, the gate says no: the first such snapshot is a grace, the next one reopens the item.

    It was never solved, so it keeps its deadline.
    """
    if row.unproven_at is None:
        return Change(UNPROVEN, row, {**values, "unproven_at": gate_at}, (UNPROVEN,))
    if gate_at <= row.unproven_at:
        return _refreshed(row, values)
    again = {"status": "pending", "completion_checked": False, "completed_at": None, "unproven_at": None}
    return Change(REOPENED, row, {**values, **again}, (REOPENED,))


def _cover(row: SyncedRow, gate_at: datetime) -> Change:
    """Take an item off the tracker because another one is about the same fact: it is neither done nor proven."""
    return Change(COVERED, row, {"is_active": False, "unproven_at": None, "gate_generated_at": gate_at}, (COVERED,))


def _resolve(row: SyncedRow, gate_at: datetime, now: datetime) -> Change:
    """Close an item whose rule passes: it leaves the tracker, and a "done" said before is thereby verified."""
    values: dict[str, Any] = {"is_active": False, "verified_at": gate_at, "unproven_at": None}
    if row.status == "done":
        return Change(RESOLVED, row, values, ("verified",))
    values |= {"status": "done", "completion_checked": True, "completed_at": now}
    return Change(RESOLVED, row, values, ("resolved",))
