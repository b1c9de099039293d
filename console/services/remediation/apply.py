"""Bringing the tracker in line with a remediation plan: the decided changes, stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select, update

from console.core.context import Context
from console.core.i18n import DEFAULT_LOCALE, text_in
from console.core.serialize import plain
from console.domain.alerts import snooze as snooze_rules
from console.domain.errors import Conflict
from console.domain.remediation import plan as remediation
from console.domain.remediation import sync as domain
from console.domain.remediation.plan import Plan
from console.domain.remediation.sync import Change, PlannedItem, SyncedRow, SyncPlan
from console.domain.text import T
from console.domain.tracker.tracker import REMEDIATION
from console.models.tracker import TrackerItem
from console.services.audit import record as audit
from console.services.jobs.runs import changed as affected
from console.services.remediation import notice
from console.services.tracker import rows, snooze
from console.services.tracker import store as tracker_store
from console.services.tracker.rows import ItemView
from console.services.tracker.store import Event

RULE = "rule"
# The published answer holds all active items; with sites and hand-made items that needs a limit.
ANSWER_ITEMS = 500


@dataclass(frozen=True)
class SyncResult:
    """What a sync did. The counts are of rules; `items` are the active items that the caller may see, cut to 500.

    `untouched_count`: active items that this plan says nothing about, because it was filtered or cut; they stay open.
    """

    generated_at: datetime
    gate_generated_at: datetime
    decision: str
    include_warnings: bool
    max_items: int
    synced_count: int
    created_count: int
    reopened_count: int
    resolved_count: int
    active_count: int
    items: tuple[ItemView, ...]
    raised_count: int
    untouched_count: int
    unproven_count: int
    completion_reopened: bool
    gate_source: str


def apply(ctx: Context, plan: Plan, now: datetime) -> SyncResult:
    """Bring the tracker in line with a plan, in the transaction of the caller."""
    run = tracker_store.lock_run(ctx, REMEDIATION)
    wanted = [planned(item) for item in plan.items]
    mentioned = [*(item.rule_id for item in wanted), *plan.passed_rule_ids]
    untouched = _unmentioned(ctx, mentioned)
    known = stored(ctx, RULE, TrackerItem.item_key.in_(mentioned))
    decided = domain.sync(known, wanted, plan.passed_rule_ids, plan.gate_generated_at, now)
    carry_out(ctx, RULE, decided.changes, plan.decision, now)
    run.last_synced_at = run.updated_at = now
    run.updated_by = ctx.actor.username
    run.gate_generated_at, run.gate_decision = plan.gate_generated_at, plan.decision
    ctx.session.flush()
    raised = [change.row.id for change in decided.changes if change.kind == domain.RAISED and change.row is not None]
    notice.tell(ctx, raised, now)
    reopened = decided.resets_completion and tracker_store.reopen_completion(
        ctx, REMEDIATION, None, "tracker_synced", now
    )
    return _result(ctx, plan, decided, now, untouched=untouched, reopened=reopened)


def carry_out(
    ctx: Context, kind: str, changes: Sequence[Change], decision: str, now: datetime, site: str | None = None
) -> None:
    """Store decided changes of items of a kind, the platform's or a site's, with events; the tracker must be locked."""
    events: list[tuple[int, str | None, int, Event]] = []
    for change in changes:
        if change.row is None:
            item_id = _insert(ctx, kind, {**change.values, "site": site}, decision, now)
            events += [(item_id, site, 1, _event(word, None, change)) for word in change.kinds]
        else:
            version = _update(ctx, change, decision, now)
            events += [(change.row.id, site, version, _event(word, change.row, change)) for word in change.kinds]
    tracker_store.write_events(ctx, REMEDIATION, events, now)
    _wake(ctx, changes, now)


def _wake(ctx: Context, changes: Sequence[Change], now: datetime) -> None:
    """End the snoozes of what got worse, and of what is off the board now."""
    worse = {row.id for change in changes if (row := change.row) and change.kind in (domain.RAISED, domain.REOPENED)}
    gone = {row.id for change in changes if (row := change.row) and change.values.get("is_active") is False}
    for ids, why in ((worse, snooze_rules.WORSE), (gone - worse, snooze_rules.HANDLED)):
        if ids:
            snooze.end(ctx, ids, why, now)


def planned(item: remediation.PlanItem) -> PlannedItem:
    """Return a line of a plan in the form that is stored."""
    return PlannedItem(
        rule_id=item.rule_id.strip(),
        rule_status=item.rule_status,
        required=item.required,
        priority=item.priority,
        owner_role=item.owner_role,
        sla_hours=max(1, item.sla_hours),
        due_at=item.due_at,
        # Published: the action is Korean, the reason is the rule's own English message.
        action=text_in(DEFAULT_LOCALE, item.action),
        reason=str(item.reason),
        detail=plain(item.detail),
        texts={"action": item.action.as_dict(), "reason": item.reason.as_dict()},
    )


def of_kind(kind: str, site: str | None = None) -> ColumnElement[bool]:
    """Return the condition of the items of a kind, of the platform (`rule`, `check`) or of a site (`site_rule`)."""
    here = TrackerItem.site_key == (site or "")
    return and_(TrackerItem.tracker == REMEDIATION.key, here, TrackerItem.item_type == kind)


def stored(ctx: Context, kind: str, *conditions: ColumnElement[bool], site: str | None = None) -> list[SyncedRow]:
    """Read the rows of a kind that can change, locked."""
    names = ("id", "rule_status", "required", "sla_hours", "due_at", "status", "completed_at", "unproven_at")
    columns = [getattr(TrackerItem, name) for name in (*names, "is_active", "version")]
    statement = (
        select(
            TrackerItem.item_key.label("rule_id"),
            *columns,
            TrackerItem.gate_generated_at.label("seen_at"),
            TrackerItem.verified_at,
        )
        .where(of_kind(kind, site), *conditions)
        .order_by(TrackerItem.id)
        .with_for_update()
    )
    return [_row(**row._asdict()) for row in ctx.session.execute(statement)]


def _row(*, seen_at: datetime | None, verified_at: datetime | None, **values: Any) -> SyncedRow:
    return SyncedRow(**values, judged_at=max(filter(None, (seen_at, verified_at)), default=None))


def _unmentioned(ctx: Context, rule_ids: list[str]) -> int:
    """Count the active items whose rules the snapshot did not mention at all."""
    statement = select(func.count()).select_from(TrackerItem).where(of_kind(RULE), rows.ACTIVE)
    return ctx.session.scalar(statement.where(TrackerItem.item_key.not_in(rule_ids))) or 0


def _insert(ctx: Context, kind: str, values: Mapping[str, Any], decision: str, now: datetime) -> int:
    given = {key: value for key, value in values.items() if key != "rule_id"}
    row = TrackerItem(
        tracker=REMEDIATION.key,
        item_type=kind,
        item_key=values["rule_id"],
        number=tracker_store.next_number(ctx, REMEDIATION),
        source_decision=decision,
        created_by=ctx.actor.username,
        updated_by=ctx.actor.username,
        created_at=now,
        updated_at=now,
        **given,
    )
    ctx.session.add(row)
    ctx.session.flush()
    return row.id


def _update(ctx: Context, change: Change, decision: str, now: datetime) -> int:
    """Store a change; only one that people must know of raises the version and depends on it."""
    row = change.row
    assert row is not None
    values: dict[str, Any] = {**change.values, "updated_at": now, "updated_by": ctx.actor.username}
    if change.kind != domain.RESOLVED:
        values["source_decision"] = decision
    told = bool(change.kinds) or "due_at" in change.values
    statement = update(TrackerItem).where(TrackerItem.id == row.id)
    if told:
        statement = statement.where(TrackerItem.version == row.version)
        values["version"] = row.version + 1
    if change.kind == domain.REOPENED:
        values["reopened_count"] = TrackerItem.reopened_count + 1
    if change.kind in (domain.REOPENED, domain.RAISED):
        # What changed may be given away again, also where a person had taken it back before.
        for column in (TrackerItem.assigned_at, TrackerItem.assignment_source):
            values[column.key] = case((rows.RETURNED, None), else_=column)
    if affected(ctx, statement.values(**values)) != 1:
        raise Conflict(T("The tracker changed during the sync; please repeat it"), code="sync_conflict")
    return row.version + (1 if told else 0)


_TOLD = ("status", "completion_checked", "completed_at", "rule_status", "required", "due_at", "is_active")


def _event(kind: str, row: SyncedRow | None, change: Change) -> Event:
    new = {key: change.values[key] for key in _TOLD if key in change.values}
    if row is None:
        return Event(kind, {}, new)
    new = {key: value for key, value in new.items() if getattr(row, key, None) != value}
    return Event(kind, {key: getattr(row, key) for key in new if hasattr(row, key)}, new)


def _result(
    ctx: Context, plan: Plan, decided: SyncPlan, now: datetime, *, untouched: int, reopened: bool
) -> SyncResult:
    active = rows.keys(REMEDIATION, ctx.actor).where(rows.ACTIVE)
    count = ctx.session.scalar(select(func.count()).select_from(active.subquery())) or 0
    order = (TrackerItem.priority, TrackerItem.due_at, TrackerItem.id)
    shown = rows.base(REMEDIATION, ctx.actor).where(rows.ACTIVE).order_by(*order).limit(ANSWER_ITEMS)
    made = SyncResult(
        generated_at=now,
        gate_generated_at=plan.gate_generated_at,
        decision=plan.decision,
        include_warnings=plan.include_warnings,
        max_items=plan.max_items,
        synced_count=count,
        created_count=decided.counts[domain.OPENED],
        reopened_count=decided.counts[domain.REOPENED],
        resolved_count=decided.counts[domain.RESOLVED],
        active_count=count,
        items=rows.views(REMEDIATION, ctx.session.execute(shown), now),
        raised_count=decided.counts[domain.RAISED],
        untouched_count=decided.untouched_count + untouched,
        unproven_count=sum(change.kind == domain.UNPROVEN for change in decided.changes),
        completion_reopened=reopened,
        gate_source=plan.plan_source,
    )
    audit.record(
        ctx,
        f"{REMEDIATION.audit_prefix}_sync",
        REMEDIATION.audit_prefix,
        "global",
        detail={
            "include_warnings": made.include_warnings,
            "max_items": made.max_items,
            "active_count": made.active_count,
            "created_count": made.created_count,
            "reopened_count": made.reopened_count,
            "resolved_count": made.resolved_count,
        },
    )
    return made
