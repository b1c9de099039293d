"""Histories of items, messages and runs as rows: clean ones, into which a test breaks one thing at a time.

The rows are those that a console would have written which keeps every promise; the comparison reads nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from console.domain.alerts.alerts import ESCALATED
from console.domain.automation import sla
from console.domain.automation.sla import EscalationPolicy, Watched
from console.domain.jobs import cron
from console.domain.jobs import names as job_names
from console.domain.jobs.schedule import ScheduleEntry
from console.domain.tracker.tracker import REMEDIATION
from console.models.alerts import AlertDelivery
from console.models.jobs import JobRun, JobSchedule
from console.models.policies import PolicyRevision
from console.models.tracker import TrackerEvent, TrackerItem
from console.services.policies.automation import AUTOPILOT

ESCALATION = ScheduleEntry(job_names.ESCALATION, "20 * * * *")
KPI = ScheduleEntry(job_names.KPI, "50 */6 * * *")
LINES = (ESCALATION, KPI)
HOUR = timedelta(hours=1)


@dataclass
class Thing:
    """An item as the history knows it; `changes` are `(when, kind, new values)`, oldest first."""

    opened_at: datetime
    due_at: datetime
    sla_hours: int = 24
    required: bool = False
    rule_status: str = "warning"
    status: str = "in_progress"
    assignee: str | None = "kim"
    changes: Sequence[tuple[datetime, str, dict[str, Any]]] = ()
    level: int = 0
    told_at: datetime | None = None
    told_due_at: datetime | None = None


@dataclass
class History:
    """Writes rows from `start` to `now` (aware UTC): an escalation each hour, as the policy of the hour says."""

    session: Session
    start: datetime
    now: datetime
    channels: Sequence[str]
    policies: Sequence[tuple[datetime, dict[str, Any]]] = ()
    number: int = 0
    items: dict[int, Thing] = field(default_factory=dict)

    def write(self, things: Iterable[Thing]) -> None:
        """Write items with their events, the messages about them, the policy and the runs of the schedule."""
        for thing in things:
            self._item(thing)
        for number, (at, values) in enumerate(self.policies, start=1):
            self.session.add(
                PolicyRevision(policy_key=AUTOPILOT.key, revision=number, policy_json=values, at=at, actor="owner")
            )
        self._walk()
        self._runs()
        self.session.commit()

    def _item(self, thing: Thing) -> None:
        self.number += 1
        row = TrackerItem(
            tracker=REMEDIATION.key,
            item_type="manual",
            item_key=f"manual-{self.number}",
            item_name=f"Item {self.number}",
            number=self.number,
            first_seen_at=thing.opened_at,
            opened_at=thing.opened_at,
            created_at=thing.opened_at,
            updated_at=self.now,
            sla_hours=thing.sla_hours,
            due_at=thing.due_at,
            status=thing.status,
            required=thing.required,
            rule_status=thing.rule_status,
            assignee=thing.assignee,
        )
        self.session.add(row)
        self.session.flush()
        self.items[row.id] = thing
        self._event(row, thing.opened_at, "opened", {}, {"status": "pending", "due_at": thing.due_at.isoformat()})

    def _event(self, row: TrackerItem, at: datetime, kind: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        self.session.add(
            TrackerEvent(item_id=row.id, tracker=REMEDIATION.key, at=at, actor="system", kind=kind, old=old, new=new)
        )

    def _policy(self, at: datetime) -> dict[str, Any]:
        return next((values for since, values in reversed(self.policies) if since <= at), {})

    def _walk(self) -> None:
        """Go from change to change and from run to run, in the order of time."""
        moments: list[tuple[datetime, int, int, str, dict[str, Any]]] = []
        for item_id, thing in self.items.items():
            moments += [(at, 0, item_id, kind, new) for at, kind, new in thing.changes]
        run = self.start.replace(minute=20, second=0, microsecond=0)
        while run <= self.now:
            if run > self.start:
                moments.append((run + timedelta(seconds=4), 1, 0, "", {}))
            run += HOUR
        rows = {row.id: row for row in self.session.query(TrackerItem)}
        for at, _order, item_id, kind, new in sorted(moments, key=lambda one: one[:3]):
            if item_id:
                self._change(rows[item_id], at, kind, new)
            else:
                self._escalate(rows, at)

    def _change(self, row: TrackerItem, at: datetime, kind: str, new: dict[str, Any]) -> None:
        def plain(values: dict[str, Any]) -> dict[str, Any]:
            return {key: one.isoformat() if isinstance(one, datetime) else one for key, one in values.items()}

        self._event(row, at, kind, plain({key: getattr(row, key) for key in new}), plain(new))
        for key, value in new.items():
            setattr(row, key, value)
        done = row.status == "done"
        row.completion_checked, row.completed_at = done, at if done else None
        self.session.flush()

    def _escalate(self, rows: dict[int, TrackerItem], at: datetime) -> None:
        values = self._policy(at)
        if values.get("paused") or not values.get("notify_enabled", True):
            return
        policy = EscalationPolicy(
            values.get("escalation_due_soon_hours", 12),
            values.get("escalation_half_sla", True),
            values.get("escalation_repeat_hours", 4),
        )
        told = 0
        for item_id, thing in self.items.items():
            row = rows[item_id]
            if thing.opened_at > at or row.status == "done" or not row.is_active:
                continue
            critical = row.required and row.rule_status == "fail"
            watched = Watched(
                item_id, row.due_at, row.sla_hours, critical, thing.level, thing.told_at, thing.told_due_at
            )
            decided = sla.escalation(watched, at, policy)
            if decided.send:
                thing.level, thing.told_at, thing.told_due_at = decided.level, at, row.due_at
                self._event(row, at, "escalated", {}, {"level": decided.level})
                told += 1
        if told:
            self.alert(at + timedelta(milliseconds=30))

    def alert(self, at: datetime, *, event_type: str = ESCALATED, status: str = "success", **values: Any) -> None:
        """Write an alert that every channel took."""
        for channel in self.channels:
            self.session.add(
                AlertDelivery(
                    message_id=f"msg_{uuid4().hex}",
                    event_type=event_type,
                    channel=channel,
                    target="https://hooks.example/…",
                    status=status,
                    attempt_count=1,
                    last_attempt_at=at + timedelta(seconds=20),
                    created_at=at,
                    updated_at=at,
                    **values,
                )
            )
        self.session.flush()

    def _runs(self) -> None:
        made = []
        for line in LINES:
            self.session.add(JobSchedule(key=line.key, job_name=line.job, known_since=self.start, cursor_at=self.now))
            made += [run_of(line.job, instant) for instant in cron.between(line.cron, line.zone, self.start, self.now)]
        for run in sorted(made, key=lambda one: (one.requested_at, one.job_name)):
            self.session.add(run)
            self.session.flush()


def run_of(job: str, instant: datetime, **values: Any) -> JobRun:
    """Return a run of the schedule that began and ended in time."""
    began = instant + timedelta(seconds=3)
    given = {
        "job_name": job,
        "trigger": "cron",
        "state": "finished",
        "status": "success",
        "executed": True,
        "requested_by": "scheduler",
        "requested_at": instant + timedelta(seconds=1),
        "scheduled_for": instant,
        "started_at": began,
        "finished_at": began + timedelta(seconds=2),
        **values,
    }
    return JobRun(**given)
