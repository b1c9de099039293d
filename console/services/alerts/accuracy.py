"""How right alerts were: recomputed from raw rows, compared with what happened, and kept with the run.

Who should have been warned, escalated, assigned and reported follows from items and their events, the policies in
force, and the instants of the schedule. Nothing here calls the escalation, the outbox or the scheduler that it judges.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from console.core.config import Config
from console.core.context import Context
from console.core.serialize import plain
from console.domain.alerts import accuracy as domain
from console.domain.alerts import item_promises, message_promises, run_promises
from console.domain.alerts.accuracy import Finding, Limits, Rates, Tally
from console.domain.alerts.alerts import ASSIGNED, ESCALATED, RULE_FAILS
from console.domain.alerts.item_promises import Item, Judged
from console.domain.alerts.message_promises import Cause, ChannelLife, Message
from console.domain.alerts.routing import ANYTHING
from console.domain.automation import workload
from console.domain.automation.workload import Person
from console.domain.jobs import cron
from console.domain.jobs import names as job_names
from console.domain.jobs.schedule import ScheduleEntry
from console.models.alerts import AlertFinding, AlertMark
from console.models.automation import RunFact
from console.models.identity import User
from console.models.jobs import JobSchedule
from console.services.alerts import accuracy_rows as raw
from console.services.alerts import channels
from console.services.jobs.runs import Run

# Of each label so many rows are kept with the run; the numbers count all.
KEPT_PER_LABEL = 500
_MATCHED = {item_promises.TOLD: ESCALATED, raw.ASSIGNED: ASSIGNED, raw.RAISED: RULE_FAILS}
# An item is given away by the second run that had room for it.
_ROOM_RUNS = 2


@dataclass(frozen=True)
class Accuracy:
    """What one comparison found. Rates are percents, None where there was nothing to be right or wrong about.

    `weeks` are the last seven days and the seven before; `weeks_above` counts those above a limit, the newest first.
    `schedule_since`: older runs may have been removed. `labels` counts every finding, also those that are not kept.
    """

    generated_at: datetime
    window_days: int
    window_start: datetime
    schedule_since: datetime
    standing: str
    weeks_above: int
    false_limit_percent: float
    missed_limit_percent: float
    alert_count: int
    false_count: int
    false_percent: float | None
    incident_count: int
    missed_count: int
    missed_percent: float | None
    escalation_count: int
    instant_count: int
    item_count: int
    event_count: int
    labels: Mapping[str, int]
    weeks: tuple[Mapping[str, Any], ...]
    kept_count: int


@dataclass(frozen=True)
class Measured:
    """A comparison and the rows behind its numbers."""

    accuracy: Accuracy
    findings: tuple[Finding, ...]


def limits(config: Config) -> Limits:
    """Return what the alert noise policy bears."""
    return Limits(
        config["ALERT_NOISE_FALSE_POSITIVE_THRESHOLD_PERCENT"], config["ALERT_NOISE_FALSE_NEGATIVE_THRESHOLD_PERCENT"]
    )


def measure(ctx: Context, lines: Sequence[ScheduleEntry]) -> Measured:
    """Judge the review window, two weeks at least, from raw rows; writes nothing. `lines` is the present schedule."""
    now = ctx.now()
    days = max(ctx.config["ALERT_NOISE_REVIEW_WINDOW_DAYS"], (domain.WEEK * domain.WEEKS).days)
    return _Comparison(ctx, now, now - timedelta(days=days), lines).made(days)


class _Comparison:
    def __init__(self, ctx: Context, now: datetime, since: datetime, lines: Sequence[ScheduleEntry]) -> None:
        self.ctx, self.now, self.since, self.lines = ctx, now, since, lines
        self.tally = Tally(since, now)
        self.kept: defaultdict[str, list[Finding]] = defaultdict(list)
        self.spans = raw.spans(ctx, since, now)
        self.targets = channels.listed(ctx)
        # Those that choose what they take, or take nothing for a while: that a message did not go there proves nothing.
        self.choosy = frozenset(one.key for one in self.targets if one.paused or one.wants != ANYTHING)
        # By the kind of event that caused them: how many incidents were told at an instant, and how many for the first
        # time. They grow with the number of runs, not with that of items.
        self.causes: defaultdict[str, Counter[datetime]] = defaultdict(Counter)
        self.first_told: Counter[datetime] = Counter()
        self.doubled: Counter[datetime] = Counter()
        self.escalations = self.instants = self.item_count = self.event_count = 0
        self.schedule_since = raw.kept_since(ctx, since, now)

    def made(self, days: int) -> Measured:
        self._items()
        self._messages()
        self._schedule()
        self._marks()
        bounds, rates, weeks = limits(self.ctx.config), self.tally.rates(), self.tally.weeks()
        found = tuple(one for label in domain.LABELS for one in self.kept[label])
        accuracy = Accuracy(
            generated_at=self.now,
            window_days=days,
            window_start=self.since,
            schedule_since=self.schedule_since,
            standing=domain.standing(weeks, bounds),
            weeks_above=domain.weeks_above(weeks, bounds),
            false_limit_percent=bounds.false_percent,
            missed_limit_percent=bounds.missed_percent,
            alert_count=rates.alert_count,
            false_count=rates.false_count,
            false_percent=rates.false_percent,
            incident_count=rates.incident_count,
            missed_count=rates.missed_count,
            missed_percent=rates.missed_percent,
            escalation_count=self.escalations,
            instant_count=self.instants,
            item_count=self.item_count,
            event_count=self.event_count,
            labels={label: self.tally.labels[label] for label in domain.LABELS},
            weeks=tuple(_week(week, bounds) for week in weeks),
            kept_count=len(found),
        )
        return Measured(accuracy, found)

    def _found(self, findings: Iterable[Finding]) -> None:
        for one in findings:
            self.tally.finding(one)
            if len(self.kept[one.label]) < KEPT_PER_LABEL:
                self.kept[one.label].append(one)

    def _items(self) -> None:
        people, room = _people(self.ctx), _room(self.ctx, self.since)
        for item, row in raw.items(self.ctx, self.since):
            self.item_count += 1
            self.event_count += len(item.events)
            judged = item_promises.judge(item, self.spans, self.since, self.now)
            self._take(item, judged)
            if row.assignee is None and item.state.open and row.assignment_source != workload.RETURNED:
                self._found(self._unassigned(item, row, people, room))

    def _take(self, item: Item, judged: Judged) -> None:
        for event in item.events:
            if event.kind in _MATCHED:
                self.causes[event.kind][event.at] += 1
        for at in judged.steps:
            self.tally.incident(at)
        self.escalations += len(judged.steps) + judged.repeats
        self.first_told.update(judged.told_steps)
        self.doubled.update(judged.doubled)
        if not self.targets:
            # Nobody could have been told, whatever the escalation did.
            lost = (domain.LOST_ESCALATION, domain.LOST_REPEAT)
            judged.findings = [
                replace(one, label=domain.NO_CHANNEL) if one.label in lost else one for one in judged.findings
            ]
        self._found(judged.findings)

    def _unassigned(self, item: Item, row: Any, people: Sequence[Person], room: Sequence[datetime]) -> list[Finding]:
        free = [event.at for event in item.events if "assignee" in event.new and event.new["assignee"] is None]
        since = max([row.opened_at, item.created_at, *free])
        passed = [at for at in room if at > since + domain.SKEW and not raw.silent_at(self.spans, at)]
        if len(passed) < _ROOM_RUNS or not workload.candidates(people, row.owner_role, item.site):
            return []
        detail = {"item": item.name, "runs": len(passed), "owner_role": row.owner_role}
        return [Finding(domain.MISSED_ASSIGNMENT, since, site=item.site, item_id=item.id, detail=detail)]

    def _messages(self) -> None:
        # What was raised together with the first events of the window may have a cause before it.
        since = self.since + domain.REACHED_WITHIN
        causes = {kind: self._causes(kind, since) for kind in _MATCHED}
        lives: defaultdict[str, ChannelLife] = defaultdict(ChannelLife)
        for at, count in sorted(self.doubled.items()):
            self._found([Finding(domain.DOUBLED_ALERT, at, detail={"event_type": ESCALATED, "items": count})])
        told = {event_type: kind for kind, event_type in _MATCHED.items()}
        seen = set()
        for event_type, messages in raw.messages(self.ctx, since):
            kind = told.get(event_type)
            seen.add(kind)
            self._judge_type(event_type, causes[kind] if kind else [], messages, lives, needs_cause=kind is not None)
        for kind, event_type in _MATCHED.items():
            if kind not in seen:
                self._judge_type(event_type, causes[kind], (), lives, needs_cause=True)
        known = {one.key for one in self.targets}
        found = (life.finding(channel) for channel, life in sorted(lives.items()) if channel in known)
        self._found(one for one in found if one is not None)

    def _causes(self, kind: str, since: datetime) -> list[Cause]:
        """Return what had to be told about; rules that fail and assignments not while messages were switched off."""
        certain = kind == item_promises.TOLD
        made = []
        for at, count in sorted(self.causes[kind].items()):
            if at < since or (not certain and raw.silent_at(self.spans, at)):
                continue
            if kind == raw.RAISED:
                self.tally.incident(at, count)
            made.append(Cause(at, self.first_told[at] if certain else count, certain))
        return made

    def _judge_type(
        self,
        event_type: str,
        causes: Sequence[Cause],
        messages: Iterable[Message],
        lives: Mapping[str, ChannelLife],
        *,
        needs_cause: bool,
    ) -> None:
        """Judge the messages of one event type, each beside the one before and the one after it."""
        before: Message | None = None
        absent: list[Cause] = []
        held: tuple[Message | None, Message] | None = None
        for cause, message in message_promises.paired(causes, messages):
            if message is None:
                if cause is not None:
                    absent.append(cause)
                continue
            if held is not None:
                self._found(message_promises.judge_channels(*held, message.channels - self.choosy))
            self._absent(absent, event_type, before, message.channels - self.choosy)
            absent = []
            self._one(cause, message, lives, needs_cause=needs_cause)
            held, before = (before, message), message
        configured = frozenset(one.key for one in self.targets) - self.choosy
        if held is not None:
            self._found(message_promises.judge_channels(*held, configured))
        self._absent(absent, event_type, before, configured)

    def _absent(self, causes: Iterable[Cause], event_type: str, before: Message | None, after: frozenset[str]) -> None:
        # What happened in this very moment may not have been written by the snapshot that was read.
        settled = (cause for cause in causes if cause.at < self.now - domain.SKEW)
        found = (message_promises.judge_absence(cause, event_type, before, after) for cause in settled)
        self._found(one for one in found if one is not None)

    def _one(
        self, cause: Cause | None, message: Message, lives: Mapping[str, ChannelLife], *, needs_cause: bool
    ) -> None:
        self.tally.alert(message.at)
        for row in message.rows:
            lives[row.channel].see(row, self.now)
        found = list(message_promises.judge_message(cause, message, self.now, needs_cause=needs_cause))
        if (cause is None or not cause.count) and any(one.label == domain.MISSED_ALERT for one in found):
            # A repeat, or an alert of another kind: an incident of its own.
            self.tally.incident(message.at)
        self._found(found)

    def _schedule(self) -> None:
        judged = run_promises.judge_rows(
            raw.runs(self.ctx, self.schedule_since), raw.retried(self.ctx, self.schedule_since), self.now
        )
        self._found(judged)
        for job, (start, instants, tolerance) in _instants(self.ctx, self.lines, self.schedule_since, self.now).items():
            self.instants += len(instants)
            end = self.now - tolerance
            rows = raw.runs_of(self.ctx, job, start, end)
            self._found(run_promises.judge_line(job, instants, rows, tolerance=tolerance, now=self.now))

    def _marks(self) -> None:
        wanted = select(AlertMark).where(
            AlertMark.happened_at >= self.since, AlertMark.happened_at <= self.now, AlertMark.withdrawn_at.is_(None)
        )
        for mark in self.ctx.session.scalars(wanted.order_by(AlertMark.happened_at, AlertMark.id)):
            missed = mark.kind == "missed"
            if missed:
                self.tally.incident(mark.happened_at)
            label = domain.RECORDED_MISSED if missed else domain.MARKED_FALSE
            detail = {"what": mark.what, "reason": mark.reason, "event_type": mark.event_type, "by": mark.marked_by}
            self._found([Finding(label, mark.happened_at, site=mark.site, delivery_id=mark.delivery_id, detail=detail)])


def _week(week: Rates, bounds: Limits) -> dict[str, Any]:
    names = ("alert_count", "false_count", "false_percent", "incident_count", "missed_count", "missed_percent")
    return {
        "start": week.start,
        "end": week.end,
        **{name: getattr(week, name) for name in names},
        "above": list(week.above(bounds)),
    }


def _people(ctx: Context) -> list[Person]:
    columns = (User.id, User.username, User.role, User.permissions, User.site_scope, User.is_bootstrap)
    found = ctx.session.execute(select(*columns).where(User.is_active.is_(True), User.role.in_(workload.POOL)))
    return [Person(*row) for row in found]


def _room(ctx: Context, since: datetime) -> list[datetime]:
    """Return when assignment runs ended that could have given away more than they did, oldest first."""
    runs = select(RunFact.finished_at, RunFact.assigned_count).where(
        RunFact.job_name == job_names.AUTO_ASSIGN,
        RunFact.dry_run.is_(False),
        RunFact.acted.is_(True),
        RunFact.finished_at >= since,
    )
    # One that gave away nothing had room for everything, whatever its limit was.
    return sorted(row.finished_at for row in ctx.session.execute(runs) if not row.assigned_count)


def _instants(
    ctx: Context, lines: Sequence[ScheduleEntry], since: datetime, now: datetime
) -> dict[str, tuple[datetime, list[datetime], timedelta]]:
    """Return for each job from when on, its instants that are long enough ago, and how late a run may be.

    Each line counts from when the scheduler first saw it; one that is gone, as long as it was looked at.
    """
    present = {line.key: line for line in lines}
    found: defaultdict[str, set[datetime]] = defaultdict(set)
    starts: dict[str, datetime] = {}
    tolerances: dict[str, timedelta] = {}
    for row in ctx.session.scalars(select(JobSchedule)):
        job, words, zone = _line(row.key)
        tolerance = present[row.key].tolerance if row.key in present else ScheduleEntry(job, words).tolerance
        start, end = max(since, row.known_since), (now if row.key in present else min(now, row.cursor_at)) - tolerance
        tolerances[job] = max(tolerance, tolerances.get(job, tolerance))
        starts[job] = min(start, starts.get(job, start))
        if start < end:
            found[job].update(cron.between(words, zone, start, end, most=100_000))
    return {job: (starts[job], sorted(instants), tolerances[job]) for job, instants in found.items()}


def _line(key: str) -> tuple[str, str, str]:
    job, *words, zone = key.split(" ")
    return job, " ".join(words), zone


def keep(ctx: Context, run: Run, findings: Sequence[Finding]) -> None:
    """Store the rows behind the numbers with their run."""
    rows = [
        {
            "run_id": run.id,
            "label": one.label,
            "at": one.at,
            "until": one.until,
            "count": one.count,
            "site": one.site,
            "item_id": one.item_id,
            "delivery_id": one.delivery_id,
            "found_run_id": one.run_id,
            "job_name": one.job_name,
            "channel": one.channel,
            "detail": plain(one.detail),
        }
        for one in findings
    ]
    if rows:
        ctx.session.execute(insert(AlertFinding), rows)
