"""When an item is escalated: steps with a memory instead of the same message every hour (API contract, escalation)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.jobs.runs import Status
from console.domain.text import N_, T, Text

NONE, DUE_SOON, LATE, CRITICAL_LATE = 0, 1, 2, 3
LEVELS = {DUE_SOON: N_("Due soon"), LATE: N_("Late"), CRITICAL_LATE: N_("Critical and late")}

# Runs of an hourly job start some seconds apart: an interval of whole hours must not miss its hour by them.
REPEAT_GRACE = timedelta(minutes=5)
# A message that was sent further in the future than this comes from a clock that was set back since.
SKEW = timedelta(minutes=5)

STEP, REPEAT, TOLD, NOT_DUE, NO_DEADLINE = "step", "repeat", "told", "not_due", "no_deadline"


@dataclass(frozen=True)
class EscalationPolicy:
    """When to speak: hours before the deadline (0: only when late), never more than half of the SLA if `half_sla`.

    `repeat_hours` is how long a level stays told; 0 tells each level once.
    """

    due_soon_hours: int = 12
    half_sla: bool = True
    repeat_hours: int = 4


@dataclass(frozen=True)
class Watched:
    """What the escalation must know of an open item.

    `level`, `told_at` and `told_due_at` are the last message about it: which step, when, and for which deadline.
    `snoozed`: nobody wants to be reminded of it now; a new step is told all the same.
    """

    id: int
    due_at: datetime | None
    sla_hours: int
    critical: bool
    level: int = NONE
    told_at: datetime | None = None
    told_due_at: datetime | None = None
    snoozed: bool = False


@dataclass(frozen=True)
class Escalation:
    """What is done about one item: `send` or not, by which rule, at which level it stands.

    `candidate` says that it is late or due soon at all; `next_at` is when an unchanged item would be told again.
    """

    item_id: int
    level: int
    candidate: bool
    send: bool
    rule: str
    next_at: datetime | None = None


def effective_minutes(sla_hours: int, policy: EscalationPolicy) -> int:
    """Return how many minutes before its deadline an item counts as due soon under the policy."""
    minutes = policy.due_soon_hours * 60
    return min(minutes, max(sla_hours, 1) * 30) if policy.half_sla else minutes


def level_of(item: Watched, now: datetime, policy: EscalationPolicy) -> int:
    """Return the step at which an open item stands at `now` (aware UTC), 0 when nobody needs to be told."""
    if item.due_at is None:
        return NONE
    if item.due_at < now:
        return CRITICAL_LATE if item.critical else LATE
    minutes = effective_minutes(item.sla_hours, policy)
    return DUE_SOON if minutes and item.due_at <= now + timedelta(minutes=minutes) else NONE


def remembered(item: Watched, now: datetime) -> int:
    """Return the level that people were told; a reopened item has another deadline, and any other one starts afresh."""
    if item.told_at is None or item.told_at > now + SKEW or item.told_due_at != item.due_at:
        return NONE
    return item.level


def escalation(item: Watched, now: datetime, policy: EscalationPolicy) -> Escalation:
    """Decide about one open item: told on a step upwards, and again when the repeat interval has passed."""
    level = level_of(item, now, policy)
    if level == NONE:
        return Escalation(item.id, level, False, False, NO_DEADLINE if item.due_at is None else NOT_DUE)
    known = remembered(item, now)
    if level > known:
        return Escalation(item.id, level, True, True, STEP)
    if not policy.repeat_hours or item.told_at is None:
        return Escalation(item.id, level, True, False, TOLD)
    next_at = item.told_at + timedelta(hours=policy.repeat_hours)
    again = now >= next_at - REPEAT_GRACE and not item.snoozed
    return Escalation(item.id, level, True, again, REPEAT if again else TOLD, next_at)


def minutes_until(due_at: datetime, now: datetime) -> int:
    """Return whole minutes until a deadline, negative when it has passed (rounded towards the deadline)."""
    return int((due_at - now).total_seconds() / 60)


def run_status(*, candidates: int, critical: int, failed: bool) -> Status:
    """Return the status of an escalation run (API contract): a message that reached nobody is at least a warning."""
    if critical:
        return "critical"
    return "warning" if candidates or failed else "success"


_STEPS = {
    DUE_SOON: N_("New step: due soon"),
    LATE: N_("New step: late"),
    CRITICAL_LATE: N_("New step: critical and late"),
}
_REPEATS = {
    DUE_SOON: N_("Still due soon, repeated every %(hours)s h"),
    LATE: N_("Still late, repeated every %(hours)s h"),
    CRITICAL_LATE: N_("Still critical and late, repeated every %(hours)s h"),
}
_TOLD = {
    DUE_SOON: N_("Due soon, told already; repeated every %(hours)s h"),
    LATE: N_("Late, told already; repeated every %(hours)s h"),
    CRITICAL_LATE: N_("Critical and late, told already; repeated every %(hours)s h"),
}


def sentence(rule: str, level: int, *, minutes: int, repeat_hours: int) -> Text:
    """Say why an item is escalated, or why it is left alone; `minutes` are those until the deadline."""
    if rule == NO_DEADLINE:
        return T("It has no deadline")
    if rule == NOT_DUE:
        return T("%(hours)s h until the deadline, no step", hours=minutes // 60)
    if rule == STEP:
        return Text(_STEPS[level])
    if not repeat_hours:
        return T("Told once, never repeated")
    return Text((_REPEATS if rule == REPEAT else _TOLD)[level], {"hours": repeat_hours})
