"""Who should have been warned and escalated about one item, from its raw history; compared with what was told.

The rules of a step (`console.domain.automation.sla`) are those of the policy; when a step was due follows from the
history of the item alone, not from the runs that should have noticed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from console.domain.alerts import snooze
from console.domain.alerts.accuracy import (
    LATE_ESCALATION,
    LOST_ESCALATION,
    LOST_REPEAT,
    PROMISED_WITHIN,
    Finding,
)
from console.domain.automation import sla
from console.domain.automation.sla import EscalationPolicy

TOLD = "escalated"
OPENED, UNDONE = "opened", "undo"
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class ItemState:
    """What decides about messages: an item is open while it is active and not done."""

    is_active: bool
    status: str
    due_at: datetime | None
    required: bool
    rule_status: str

    @property
    def open(self) -> bool:
        """Return whether somebody still has to work on it."""
        return self.is_active and self.status != "done"

    @property
    def critical(self) -> bool:
        """Return whether it blocks the gate."""
        return self.required and self.rule_status == "fail"


@dataclass(frozen=True)
class ItemEvent:
    """One raw event of an item, with the values that it changed; a message has the level that was told."""

    at: datetime
    kind: str
    old: Mapping[str, Any] = field(default_factory=dict)
    new: Mapping[str, Any] = field(default_factory=dict)
    level: int = 0


@dataclass(frozen=True)
class Span:
    """A time under one policy (aware UTC, end excluded); `silent`: messages were stopped or switched off."""

    start: datetime
    end: datetime
    policy: EscalationPolicy
    silent: bool = False


@dataclass(frozen=True)
class Stretch:
    """A time in which neither the item nor the policy changed."""

    start: datetime
    end: datetime
    state: ItemState
    span: Span

    @property
    def demands(self) -> bool:
        """Return whether messages about the item may be expected at all."""
        return self.state.open and self.state.due_at is not None and not self.span.silent


@dataclass(frozen=True)
class Item:
    """An item as it stands now, with the events of the window (oldest first); people know it by its `name`."""

    id: int
    site: str | None
    sla_hours: int
    created_at: datetime
    state: ItemState
    events: Sequence[ItemEvent] = ()
    name: str = ""


@dataclass
class Judged:
    """What came of one item: the steps that had to be told, those that were and when, repeats, and what is wrong."""

    steps: list[datetime] = field(default_factory=list)
    told_steps: list[datetime] = field(default_factory=list)
    repeats: int = 0
    doubled: list[datetime] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def rewound(item: Item, since: datetime) -> list[tuple[datetime, ItemState]]:
    """Return `(from when, state)`, oldest first: the present state with the events of the window taken back."""
    state, found = item.state, []
    for event in reversed(item.events):
        before = _before(state, event)
        if before != state:
            found.append((event.at, state))
            state = before
    found.append((max(since, item.created_at), state))
    return found[::-1]


def _before(state: ItemState, event: ItemEvent) -> ItemState:
    if event.kind == OPENED:
        return replace(state, is_active=False)
    old = event.old
    known = {name: old[name] for name in ("is_active", "status", "required", "rule_status") if name in old}
    if event.kind == UNDONE and "from" in old:
        known["status"] = old["from"]
    if "due_at" in old:
        known["due_at"] = None if old["due_at"] is None else datetime.fromisoformat(old["due_at"])
    return replace(state, **known) if known else state


def stretches(states: Sequence[tuple[datetime, ItemState]], spans: Sequence[Span], now: datetime) -> Iterator[Stretch]:
    """Return the times in which nothing changed, oldest first, up to `now`."""
    for number, (start, state) in enumerate(states):
        end = states[number + 1][0] if number + 1 < len(states) else now
        for span in spans:
            low, high = max(start, span.start), min(end, span.end)
            if low < high:
                yield Stretch(low, high, state, span)


def judge(item: Item, spans: Sequence[Span], since: datetime, now: datetime) -> Judged:
    """Compare what should have been told about an item between `since` and `now` (aware UTC) with what was."""
    made = Judged()
    told = sorted((event for event in item.events if event.kind == TOLD), key=lambda event: event.at)
    known = list(stretches(rewound(item, since), spans, now))
    _Steps(item, known, told, since, now, made).judge()
    _judge_repeats(item, known, told, now, made)
    return made


class _Steps:
    def __init__(
        self, item: Item, known: list[Stretch], told: list[ItemEvent], since: datetime, now: datetime, made: Judged
    ) -> None:
        self.item, self.known, self.told, self.now, self.made = item, known, told, now, made
        self.born = item.created_at > since or any(event.kind == OPENED for event in item.events)

    def judge(self) -> None:
        reached, due, since = sla.NONE, None, datetime.min.replace(tzinfo=self.now.tzinfo)
        for number, stretch in enumerate(self.known):
            if number and stretch.state.due_at != due:
                reached, since = sla.NONE, stretch.start
            due = stretch.state.due_at
            if not number and not self.born:
                # What was told before the window is not known: steps that were reached by then are not judged.
                reached = self._level(stretch, stretch.start, self._lead(stretch))
            if not stretch.demands:
                continue
            for at, level in self._levels(stretch):
                if level > reached:
                    reached = level
                    self._promise(number, at, level, since)

    def _lead(self, stretch: Stretch) -> timedelta:
        return timedelta(minutes=sla.effective_minutes(self.item.sla_hours, stretch.span.policy))

    @staticmethod
    def _level(stretch: Stretch, at: datetime, lead: timedelta) -> int:
        due = stretch.state.due_at
        if due is None:
            return sla.NONE
        if due < at:
            return sla.CRITICAL_LATE if stretch.state.critical else sla.LATE
        return sla.DUE_SOON if lead and at >= due - lead else sla.NONE

    def _levels(self, stretch: Stretch) -> Iterator[tuple[datetime, int]]:
        due, lead = stretch.state.due_at, self._lead(stretch)
        assert due is not None
        points = {stretch.start, due - lead, due + _MOMENT}
        for at in sorted(point for point in points if stretch.start <= point < stretch.end):
            yield at, self._level(stretch, at, lead)

    def _promise(self, number: int, at: datetime, level: int, since: datetime) -> None:
        """Judge one step: by when somebody had to be told, provided that the item asked for it until then."""
        first = self.known[number]
        due = first.state.due_at
        assert due is not None
        deadline = at + PROMISED_WITHIN
        if level == sla.DUE_SOON:
            if deadline > due:
                return
            deadline = due
        messages = [event.at for event in self.told if event.at >= since and event.level >= level]
        in_time = next((moment for moment in messages if moment <= deadline), None)
        if in_time is None and (deadline > self.now or _demanded_until(self.known, number, level) < deadline):
            return
        self.made.steps.append(at)
        if in_time is not None:
            self.made.told_steps.append(in_time)
            return
        detail = {
            "item": self.item.name,
            "level": level,
            "due_at": due.isoformat(),
            "expected_until": deadline.isoformat(),
        }
        changed = next((one.start for one in self.known[number + 1 :] if one.state.due_at != due), self.now)
        late = next((moment for moment in messages if moment <= changed), None) if level > sla.DUE_SOON else None
        if late is not None:
            self.made.told_steps.append(late)
            self._found(LATE_ESCALATION, at, late, {**detail, "told_at": late.isoformat()})
        else:
            self._found(LOST_ESCALATION, at, deadline, detail)

    def _found(self, label: str, at: datetime, until: datetime, detail: dict[str, Any]) -> None:
        self.made.findings.append(Finding(label, at, until, site=self.item.site, item_id=self.item.id, detail=detail))


def _demanded_until(known: Sequence[Stretch], number: int, level: int) -> datetime:
    """Return until when the item went on asking for a message of this level; `NONE` means a repeat."""
    first = known[number]
    end = first.end
    for stretch in known[number + 1 :]:
        same = stretch.state.due_at == first.state.due_at and stretch.span.policy == first.span.policy
        milder = level == sla.CRITICAL_LATE and not stretch.state.critical
        worse = level == sla.NONE and stretch.state.critical and not first.state.critical
        if not same or not stretch.demands or milder or worse:
            break
        end = stretch.end
    return end


def _judge_repeats(
    item: Item, known: Sequence[Stretch], told: Sequence[ItemEvent], now: datetime, made: Judged
) -> None:
    """Judge what came after each message: the same again too early, or nothing where a repeat was due."""
    quiet = snoozed(item)
    meant: list[ItemEvent] = []
    for event in told:
        if meant and _too_early(known, meant[-1], event):
            made.doubled.append(event.at)
        else:
            meant.append(event)
    for place, event in enumerate(meant):
        after = meant[place + 1] if place + 1 < len(meant) else None
        number = next((n for n, one in enumerate(known) if one.start <= event.at < one.end), None)
        if number is None or not known[number].demands:
            continue
        hours = known[number].span.policy.repeat_hours
        again = _after_snoozes(event.at, event.at + timedelta(hours=hours), quiet)
        deadline = again + PROMISED_WITHIN
        if not hours or deadline > now or _demanded_until(known, number, sla.NONE) < deadline:
            continue
        due = known[number].state.due_at
        if event.level == sla.DUE_SOON and due is not None and due < deadline:
            # A step comes first, and is judged by itself.
            continue
        made.repeats += 1
        if after is None or after.at > deadline:
            detail = {"item": item.name, "level": event.level, "expected_until": deadline.isoformat()}
            made.findings.append(Finding(LOST_REPEAT, again, deadline, site=item.site, item_id=item.id, detail=detail))


def snoozed(item: Item) -> list[tuple[datetime, datetime]]:
    """Return the times in which a person wanted no reminders of the item, oldest first."""
    found: list[tuple[datetime, datetime]] = []
    for event in item.events:
        if event.kind == snooze.STARTED:
            found.append((event.at, datetime.fromisoformat(event.new["until"])))
        elif event.kind == snooze.ENDED and found:
            found[-1] = (found[-1][0], min(found[-1][1], event.at))
    return found


def _after_snoozes(told: datetime, again: datetime, quiet: Sequence[tuple[datetime, datetime]]) -> datetime:
    """Return when a repeat was due: not before the snooze ended that stood in its way."""
    for start, end in quiet:
        if told <= start < again + PROMISED_WITHIN and end > again:
            again = end
    return again


def _too_early(known: Sequence[Stretch], event: ItemEvent, after: ItemEvent) -> bool:
    """Return whether a message told nothing new: no higher step, the same deadline, within the interval."""
    then = next((one for one in known if one.start <= after.at <= one.end), None)
    if then is None or after.level > event.level or event.at < known[0].start:
        return False
    hours = then.span.policy.repeat_hours
    if hours and after.at - event.at >= timedelta(hours=hours) - sla.REPEAT_GRACE:
        return False
    return len({one.state.due_at for one in known if one.end > event.at and one.start <= after.at}) == 1
