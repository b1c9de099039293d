"""The raw rows that the accuracy of alerts is judged by, streamed: memory does not grow with their number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, or_, select

from console.core.context import Context
from console.core.listing import AnySelect
from console.domain.alerts import snooze, wanted
from console.domain.alerts.alerts import CHECKPOINT_SIGNED
from console.domain.alerts.item_promises import TOLD, UNDONE, Item, ItemEvent, ItemState, Span
from console.domain.alerts.message_promises import DeliveryRow, Message
from console.domain.alerts.run_promises import RunRow
from console.domain.automation.autopilot import AutopilotPolicy
from console.domain.policies.policy import filled
from console.domain.tracker.tracker import REMEDIATION, item_number
from console.models.alerts import AlertDelivery
from console.models.jobs import JobRun
from console.models.policies import PolicyRevision
from console.models.tracker import TrackerEvent, TrackerItem
from console.services.policies.automation import AUTOPILOT

_CHUNK = 2000
_STATE = ("is_active", "status", "due_at", "required", "rule_status")
_CHANGES = tuple(f'"{name}"' for name in _STATE)
ASSIGNED, RAISED = "auto_assigned", "raised"
# Kinds of events that change nothing that a message depends on.
_PLAIN = ("comment", "evidence", "evidence_removed", "evidence_quarantined", "accepted", "note")


def _stream(ctx: Context, statement: AnySelect) -> Iterator[Any]:
    return iter(ctx.session.execute(statement, execution_options={"yield_per": _CHUNK}))


def spans(ctx: Context, since: datetime, now: datetime) -> list[Span]:
    """Return the times between two instants under one policy each, from the revisions that were in force."""
    newest_before = (
        select(PolicyRevision.at, PolicyRevision.policy_json)
        .where(PolicyRevision.policy_key == AUTOPILOT.key, PolicyRevision.at <= since)
        .order_by(PolicyRevision.revision.desc())
        .limit(1)
    )
    after = (
        select(PolicyRevision.at, PolicyRevision.policy_json)
        .where(PolicyRevision.policy_key == AUTOPILOT.key, PolicyRevision.at > since, PolicyRevision.at <= now)
        .order_by(PolicyRevision.revision)
    )
    known = [*ctx.session.execute(newest_before), *ctx.session.execute(after)]
    points: list[tuple[datetime, dict[str, Any]]] = [(max(row.at, since), row.policy_json) for row in known]
    if not points or points[0][0] > since:
        points.insert(0, (since, {}))
    off = not (
        ctx.config["GOVERNANCE_REMEDIATION_ESCALATION_ENABLED"]
        and ctx.config["GOVERNANCE_REMEDIATION_ESCALATION_NOTIFY_ENABLED"]
    )
    made = []
    for number, (start, stored) in enumerate(points):
        end = points[number + 1][0] if number + 1 < len(points) else now
        policy = _policy(ctx, stored)
        made.append(Span(start, end, policy.escalation, off or policy.paused or not policy.notify_enabled))
    return made


def _policy(ctx: Context, stored: dict[str, Any]) -> AutopilotPolicy:
    read = filled(AUTOPILOT.fields, stored)
    own = {name: read[name] for name in read if stored.get(name) is not None}
    return AutopilotPolicy(**{**AUTOPILOT.built_in(ctx.config), **own})


def items(ctx: Context, since: datetime) -> Iterator[tuple[Item, Any]]:
    """Yield every item that was open since `since`, with its events and its row, in the order of the ids.

    Rows are read before events: a change in between is an event too many, which changes nothing before it.
    """
    names = ("id", "number", "site", "sla_hours", "created_at", "opened_at", *_STATE)
    more = ("assignee", "assignment_source", "owner_role")
    columns = [getattr(TrackerItem, name) for name in (*names, *more)]
    open_now = and_(TrackerItem.is_active.is_(True), TrackerItem.status != "done")
    asked = (
        select(*columns)
        .where(TrackerItem.tracker == REMEDIATION.key, or_(open_now, TrackerItem.updated_at >= since))
        .order_by(TrackerItem.id)
    )
    rows = _stream(ctx, asked)
    first = next(rows, None)
    events = _events(ctx, since)
    waiting = next(events, None)
    while first is not None:
        mine: list[ItemEvent] = []
        while waiting is not None and waiting[0] <= first.id:
            if waiting[0] == first.id:
                mine.append(waiting[1])
            waiting = next(events, None)
        state = ItemState(**{name: getattr(first, name) for name in _STATE})
        name = item_number(REMEDIATION.item_prefix, first.number)
        yield Item(first.id, first.site, first.sla_hours, first.created_at, state, mine, name), first
        first = next(rows, None)


def _events(ctx: Context, since: datetime) -> Iterator[tuple[int, ItemEvent]]:
    # As text: most events change nothing that is asked for here, and reading JSON is what takes the time.
    old, new = cast(TrackerEvent.old, Text), cast(TrackerEvent.new, Text)
    asked = (
        select(TrackerEvent.item_id, TrackerEvent.at, TrackerEvent.kind, old, new)
        .where(TrackerEvent.tracker == REMEDIATION.key, TrackerEvent.at >= since, TrackerEvent.kind.not_in(_PLAIN))
        .order_by(TrackerEvent.item_id, TrackerEvent.id)
    )
    for item_id, at, kind, before, after in _stream(ctx, asked):
        yield item_id, _event(at, kind, before, after)


def _event(at: datetime, kind: str, before: str, after: str) -> ItemEvent:
    if kind == TOLD:
        return ItemEvent(at, kind, level=_level(after))
    if kind in (snooze.STARTED, snooze.ENDED):
        return ItemEvent(at, kind, new=json.loads(after))
    touched = kind == UNDONE or any(name in before for name in _CHANGES)
    told = '"assignee"' in after
    return ItemEvent(at, kind, json.loads(before) if touched else {}, json.loads(after) if told else {})


@lru_cache(maxsize=64)
def _level(told: str) -> int:
    # The same few texts come back hundreds of thousands of times.
    level: int = json.loads(told).get("level", 0)
    return level


def messages(ctx: Context, since: datetime) -> Iterator[tuple[str, Iterator[Message]]]:
    """Yield the alerts that were raised since `since` by their event type, oldest first."""
    names = ("event_type", "id", "channel", "status", "attempt_count", "last_attempt_at", "created_at", "site")
    more = ("raised_id", "snooze_id", "updated_at", "next_attempt_at")
    asked = (
        select(*(getattr(AlertDelivery, name) for name in (*names, *more)))
        .where(
            AlertDelivery.event_type != CHECKPOINT_SIGNED,
            AlertDelivery.created_at >= since,
            # A trial tells nobody anything.
            AlertDelivery.probe.is_(False),
        )
        .order_by(AlertDelivery.event_type, AlertDelivery.created_at, AlertDelivery.id)
    )
    for event_type, rows in groupby(_stream(ctx, asked), attrgetter("event_type")):
        yield event_type, _messages(event_type, rows, ctx.now())


def _messages(event_type: str, rows: Iterator[Any], now: datetime) -> Iterator[Message]:
    # The rows of one alert were written one after another: two alerts of an instant stay two.
    for (at, _raised), mine in groupby(rows, attrgetter("created_at", "raised_id")):
        yield Message(event_type, at, tuple(_delivery(row, now) for row in mine))


def _delivery(row: Any, now: datetime) -> DeliveryRow:
    spared = wanted.spared(
        row.status,
        snoozed=row.snooze_id is not None,
        raised_at=row.created_at,
        settled_at=row.updated_at,
        next_at=row.next_attempt_at,
        now=now,
    )
    made = DeliveryRow(*row[1:8])
    return replace(made, spared=True) if spared else made


def runs(ctx: Context, since: datetime) -> Iterator[RunRow]:
    """Yield the runs that were asked for since `since`, in the order of their ids."""
    found = _stream(ctx, _runs().where(JobRun.requested_at >= since).order_by(JobRun.id))
    return (_run(row) for row in found)


def runs_of(ctx: Context, job_name: str, since: datetime, until: datetime) -> Iterator[RunRow]:
    """Yield the runs of a job for the instants of its schedule between two instants, oldest first."""
    within: list[ColumnElement[bool]] = [JobRun.scheduled_for > since, JobRun.scheduled_for <= until]
    asked = _runs().where(JobRun.job_name == job_name, *within).order_by(JobRun.scheduled_for)
    return (_run(row) for row in _stream(ctx, asked))


_RUN = ("id", "job_name", "state", "requested_at", "started_at", "finished_at", "scheduled_for", "heartbeat_at")
_RUN_MORE = ("lease_seconds", "missed_count", "retry_of", "error_code")


def _runs() -> Select[Any]:
    return select(*(getattr(JobRun, name) for name in (*_RUN, *_RUN_MORE)), JobRun.requested_by, JobRun.trigger)


def _run(row: Any) -> RunRow:
    # Runs inside an autopilot run are written when that one is closed, with the instants of their own.
    values = dict(zip((*_RUN, *_RUN_MORE), row, strict=False))
    return RunRow(**values, by_schedule=row.requested_by == "scheduler", nested=row.trigger == "autopilot")


def retried(ctx: Context, since: datetime) -> frozenset[int]:
    """Return the ids of lost runs that were put into the queue once more."""
    asked = select(JobRun.retry_of).where(JobRun.retry_of.is_not(None), JobRun.requested_at >= since)
    return frozenset(one for one in ctx.session.scalars(asked) if one is not None)


def silent_at(known: Sequence[Span], at: datetime) -> bool:
    """Return whether nothing was to be told at an instant."""
    return any(span.silent for span in known if span.start <= at < span.end)


def kept_since(ctx: Context, since: datetime, now: datetime) -> datetime:
    """Return from when on every run is still there: those that found nothing to do are removed first."""
    days = min(ctx.config["JOB_RUNS_SKIPPED_DAYS"], ctx.config["JOB_RUNS_RETENTION_DAYS"])
    return max(since, now - timedelta(days=days))
