"""Escalation: people are told about late items on a step and after an interval, in one message each (API contract).

What a dry run reports is what a real run would do at that moment; both decide by `sla_sql`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from console.core.context import Context
from console.core.i18n import DEFAULT_LOCALE, text_in
from console.domain.alerts import snooze
from console.domain.alerts.alerts import ESCALATED
from console.domain.alerts.personal import things_of
from console.domain.alerts.wanted import NAMED_MOST as ALERT_ITEMS_MOST
from console.domain.automation import sla as domain
from console.domain.automation.autopilot import DISABLED
from console.domain.automation.sla import EscalationPolicy
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Status
from console.domain.text import Text
from console.domain.tracker.tracker import REMEDIATION, item_number
from console.models.automation import ItemEscalation
from console.models.tracker import TrackerEvent, TrackerItem
from console.services.alerts import audience
from console.services.alerts import outbox as alerts
from console.services.alerts.addresses import item_address
from console.services.alerts.outbox import ChannelResult, Raised
from console.services.automation import sla_snapshot as sla
from console.services.automation import sla_sql
from console.services.automation.sla_snapshot import SlaSnapshot
from console.services.automation.sla_sql import SENT, Decided, Window
from console.services.identity import names as people
from console.services.jobs.progress import current
from console.services.policies.automation import Effective
from console.services.tracker import assignees
from console.services.tracker import snooze as tracker_snooze
from console.services.tracker import store as tracker_store

ITEMS_MOST = 50
LINES_MOST = 1000
ASSIGNEES_MOST = 50


@dataclass(frozen=True)
class Candidate:
    """A late or nearly late item; `escalation_rule` says what is done about it: `step`, `repeat` or `told`."""

    id: int
    item_id: str
    rule_id: str
    rule_status: str
    required: bool
    priority: int
    assignee: str | None
    status: str
    due_at: datetime
    escalation_level: int
    escalation_rule: str
    due_soon_effective_minutes: int


@dataclass(frozen=True)
class Escalated:
    """What an escalation run found and did (API contract, section 9.3); the fields after `items` are additions.

    `notified_count`: items that were told now (in a dry run: would be); `suppressed_count`: those that people know of.
    """

    enabled: bool
    due_soon_hours: int
    notify_enabled: bool
    dry_run: bool
    snapshot: SlaSnapshot
    candidate_count: int
    critical_count: int
    notify_attempted: bool
    notify_dispatched: bool
    notify_error: str | None
    notify_channels: tuple[ChannelResult, ...]
    items: tuple[Candidate, ...]
    notified_count: int
    suppressed_count: int
    notify_state: str | None
    skipped: bool
    skip_reason: str | None
    settings_source: str

    @property
    def status(self) -> Status:
        """Return the status of the run."""
        if self.skipped:
            return "success"
        failed = self.notify_attempted and not self.notify_dispatched
        return domain.run_status(candidates=self.candidate_count, critical=self.critical_count, failed=failed)


@dataclass(frozen=True)
class EscalationWish:
    """What a caller says about one run; None leaves it to the policy."""

    due_soon_hours: int | None = None
    notify: bool | None = None


def escalate(ctx: Context, effective: Effective, wish: EscalationWish, *, dry_run: bool) -> Escalated:
    """Tell people what stepped up since they were last told, in the transaction of the caller.

    Decides about all items for all sites; permissions are the caller's business. The memory of an item moves only
    together with a message that was taken: as long as nobody can be told, the next run tries again.
    """
    now = ctx.now()
    policy = _policy(effective, wish)
    notify = _notify(ctx, effective, wish)
    enabled = bool(ctx.config["GOVERNANCE_REMEDIATION_ESCALATION_ENABLED"])
    stopped = not enabled or (effective.policy.paused and not dry_run)
    acts = notify and not dry_run and not stopped
    if acts:
        tracker_store.lock_run(ctx, REMEDIATION)
    seen = sla_sql.window(ctx, now, policy)
    found = sla_sql.decide(ctx, seen)
    items = _candidates(ctx, seen)
    due = found.count(*SENT)
    told, raised = (due if notify and not stopped else 0), None
    if acts and due:
        told, raised = _tell(ctx, seen, found)
    return Escalated(
        enabled=enabled,
        due_soon_hours=policy.due_soon_hours,
        notify_enabled=notify,
        dry_run=dry_run,
        snapshot=sla.snapshot(ctx, now, due_soon_hours=policy.due_soon_hours),
        candidate_count=found.count(),
        critical_count=found.critical,
        notify_attempted=raised is not None,
        notify_dispatched=raised is not None and raised.queued > 0,
        notify_error=raised.error if raised else None,
        notify_channels=raised.channels if raised else (),
        items=items,
        notified_count=told,
        suppressed_count=found.count(domain.TOLD),
        notify_state=raised.state if raised else None,
        skipped=stopped,
        skip_reason=DISABLED if stopped else None,
        settings_source=effective.source(wish.due_soon_hours, wish.notify),
    )


def _policy(effective: Effective, wish: EscalationWish) -> EscalationPolicy:
    stored = effective.policy.escalation
    hours = stored.due_soon_hours if wish.due_soon_hours is None else wish.due_soon_hours
    return EscalationPolicy(hours, stored.half_sla, stored.repeat_hours)


def _notify(ctx: Context, effective: Effective, wish: EscalationWish) -> bool:
    if wish.notify is not None:
        return wish.notify
    return bool(ctx.config["GOVERNANCE_REMEDIATION_ESCALATION_NOTIFY_ENABLED"]) and effective.policy.notify_enabled


_NAMES = ("id", "number", "item_key", "rule_status", "required", "priority", "assignee", "status", "due_at")
_SHOWN = tuple(getattr(TrackerItem, name) for name in _NAMES)
_ORDER = (TrackerItem.priority, TrackerItem.due_at, TrackerItem.id)


def _candidates(ctx: Context, seen: Window) -> tuple[Candidate, ...]:
    statement = sla_sql.candidates(ctx, seen, *_SHOWN, TrackerItem.sla_hours)
    found = ctx.session.execute(statement.order_by(*_ORDER).limit(ITEMS_MOST))
    return tuple(
        Candidate(
            **_published(row),
            escalation_level=row.level,
            escalation_rule=row.rule,
            due_soon_effective_minutes=domain.effective_minutes(row.sla_hours, seen.policy),
        )
        for row in found
    )


def _published(row: Any) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _NAMES if name not in {"number", "item_key"}}
    return {**values, "item_id": item_number(REMEDIATION.item_prefix, row.number), "rule_id": row.item_key}


def _tell(ctx: Context, seen: Window, found: Decided) -> tuple[int, Raised]:
    """Remember what is told, raise the message, write the events; without a message nothing of it stays."""
    handle = current(ctx)
    run_id = handle.run_id if handle else None
    attempt = ctx.session.begin_nested()
    _remember(ctx, seen, run_id)
    told = and_(ItemEscalation.run_id.is_not_distinct_from(run_id), ItemEscalation.told_at == seen.now)
    payload = _payload(ctx, seen, found, told)
    # Each channel is told the most urgent items; whoever has one of the others is told as well.
    reached = audience.reachable(ctx)
    rest = _lines(ctx, and_(told, TrackerItem.assignee.in_(reached))) if reached else ()
    about = things_of(ESCALATED, {"items": _each(payload["items"], rest)}, None)
    raised = alerts.raise_alert(ctx, ESCALATED, payload, about=about, most_lines=ALERT_ITEMS_MOST)
    if not raised.queued:
        # That no channel knows of it yet is no reason to leave out whoever has it.
        attempt.rollback()
        return 0, replace(raised, people_count=audience.spread(ctx, ESCALATED, payload, about).people)
    _write_events(ctx, seen.now, run_id, told)
    # What is told in spite of a snooze has reached another step.
    tracker_snooze.end(ctx, select(ItemEscalation.item_id).where(told), snooze.ESCALATED, seen.now)
    attempt.commit()
    return payload["notified_count"], raised


def _remember(ctx: Context, seen: Window, run_id: int | None) -> None:
    """Move the memory of every item that is told now: one statement."""
    source = sla_sql.candidates(ctx, seen, TrackerItem.id, TrackerItem.due_at).subquery()
    now, run = literal(seen.now, ItemEscalation.told_at.type), literal(run_id, ItemEscalation.run_id.type)
    values = select(source.c.id, source.c.level, source.c.due_at, now, run).where(source.c.rule.in_(SENT))
    dialect = postgresql if ctx.session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(ItemEscalation).from_select(["item_id", "level", "due_at", "told_at", "run_id"], values)
    moved = {name: getattr(statement.excluded, name) for name in ("level", "due_at", "told_at", "run_id")}
    moved["count"] = ItemEscalation.count + 1
    ctx.session.execute(
        statement.on_conflict_do_update(index_elements=[ItemEscalation.item_id], set_=moved),
        execution_options={"synchronize_session": False},
    )


def _write_events(ctx: Context, now: datetime, run_id: int | None, told: Any) -> None:
    """Put the message into the history of every item that was told: one statement."""
    json = TrackerEvent.new.type
    levels = [(ItemEscalation.level == level, literal({"level": level}, json)) for level in domain.LEVELS]
    values = {
        "item_id": TrackerItem.id,
        "tracker": TrackerItem.tracker,
        "site_key": TrackerItem.site_key,
        "at": literal(now, TrackerEvent.at.type),
        "actor": literal(ctx.actor.username),
        "kind": literal("escalated"),
        "old": literal({}, json),
        "new": case(*levels, else_=literal({}, json)),
        "run_id": literal(run_id, TrackerEvent.run_id.type),
        "version": TrackerItem.version,
    }
    source = select(*values.values()).join(ItemEscalation, ItemEscalation.item_id == TrackerItem.id).where(told)
    source = source.order_by(TrackerItem.id)
    ctx.session.execute(insert(TrackerEvent).from_select(list(values), source))


def _payload(ctx: Context, seen: Window, found: Decided, told: Any) -> dict[str, Any]:
    """Return the one message of a run: the most urgent items, and how many each assignee is told about."""
    counts = _by_assignee(ctx, told)
    return {
        "event": ESCALATED,
        "job_name": job_names.ESCALATION,
        "checked_at": seen.now,
        "dry_run": False,
        "due_soon_hours": seen.policy.due_soon_hours,
        "candidate_count": found.count(),
        "critical_count": found.critical,
        # More than any channel is told, so that one of some sites finds those of its sites among them.
        "items": _lines(ctx, told),
        "notified_count": sum(counts.values()),
        "assignees": [
            {"assignee": name, "notified_count": count} for name, count in list(counts.items())[:ASSIGNEES_MOST]
        ],
    }


def _by_assignee(ctx: Context, told: Any) -> dict[str | None, int]:
    number = func.count().label("number")
    statement = (
        select(TrackerItem.assignee, number)
        .select_from(ItemEscalation)
        .join(TrackerItem, TrackerItem.id == ItemEscalation.item_id)
        .where(told)
        .group_by(TrackerItem.assignee)
        .order_by(number.desc(), TrackerItem.assignee)
    )
    return {row.assignee: int(row.number) for row in ctx.session.execute(statement)}


def _each(first: Sequence[dict[str, Any]], rest: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {line["id"] for line in first}
    return [*first, *(line for line in rest if line["id"] not in known)]


def _lines(ctx: Context, told: Any) -> list[dict[str, Any]]:
    names = (TrackerItem.item_name, TrackerItem.action)
    about = (TrackerItem.owner_role, TrackerItem.reason, TrackerItem.site, TrackerItem.assignee_user_id)
    more = (*names, *about, ItemEscalation.level)
    statement = (
        select(*_SHOWN, *more)
        .join(ItemEscalation, ItemEscalation.item_id == TrackerItem.id)
        .where(told)
        .order_by(ItemEscalation.level.desc(), *_ORDER)
        .limit(LINES_MOST)
    )
    found = ctx.session.execute(statement).all()
    names_by_user = people.names_of(ctx, [row.assignee for row in found])
    cannot = assignees.warnings(ctx, found)
    return [_line(ctx, row, names_by_user, cannot.get(row.id)) for row in found]


def _line(ctx: Context, row: Any, names: Mapping[str, str], warning: Text | None) -> dict[str, Any]:
    return {
        **{name: value for name, value in _published(row).items() if name != "required"},
        "title": row.item_name or row.action or row.item_key,
        "assignee_name": names.get(row.assignee, row.assignee),
        "escalation_level": row.level,
        "owner_role": row.owner_role,
        "reason": row.reason,
        "site": row.site,
        **item_address(ctx.config, row.id),
        # Whoever reads it must not wait for somebody who never sees the item.
        "warning": None if warning is None else text_in(DEFAULT_LOCALE, warning),
    }
