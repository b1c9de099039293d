"""How right alerts were: what is found, in which figure it counts, and which rates follow (alert noise policy).

Everything here judges plain values that were read from raw rows; nothing asks the code that sent the alerts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

# The labels of what is found. Programs test these words, people read their sentences.
LOST_ESCALATION, LATE_ESCALATION, LOST_REPEAT = "lost_escalation", "late_escalation", "lost_repeat"
MISSED_ASSIGNMENT, NO_CHANNEL = "missed_assignment", "no_channel"
MISSED_ALERT, DOUBLED_ALERT, WITHOUT_CAUSE = "missed_alert", "doubled_alert", "alert_without_cause"
DEAD_CHANNEL, DELETED_DELIVERY = "dead_channel", "deleted_delivery"
LATE_JOB, LOST_JOB, DOUBLED_JOB, CLOCK_JUMP = "late_job", "lost_job", "doubled_job", "clock_jump"
MARKED_FALSE, RECORDED_MISSED = "marked_false", "recorded_missed"

# The four figures of the page and the labels whose counts they add up.
MISSED, FALSE, ESCALATIONS, JOBS = "missed", "false", "escalations", "jobs"
FIGURES: Mapping[str, tuple[str, ...]] = {
    MISSED: (LOST_ESCALATION, NO_CHANNEL, MISSED_ALERT, RECORDED_MISSED),
    FALSE: (DOUBLED_ALERT, WITHOUT_CAUSE, MARKED_FALSE),
    ESCALATIONS: (LOST_ESCALATION, NO_CHANNEL, LOST_REPEAT, LATE_ESCALATION, MISSED_ASSIGNMENT),
    JOBS: (LATE_JOB, LOST_JOB, DOUBLED_JOB, CLOCK_JUMP),
}
# What no figure counts, and whoever looks after the channels must know.
TRACES = (DEAD_CHANNEL, DELETED_DELIVERY)
LABELS = tuple(dict.fromkeys((*(label for labels in FIGURES.values() for label in labels), *TRACES)))

# How long after its moment a message may come: an hourly run, and half an hour for it.
PROMISED_WITHIN = timedelta(minutes=90)
# After this an alert that reached nobody was missed, and a channel that took nothing does not work.
REACHED_WITHIN = timedelta(hours=1)
# Two clocks that belong together differ by less than this.
SKEW = timedelta(minutes=5)
WEEK = timedelta(days=7)
WEEKS = 2

OK, WARNING, CRITICAL = "ok", "warning", "critical"


@dataclass(frozen=True)
class Finding:
    """One thing that was not as it should have been: what, when (aware UTC), how many, and where to look."""

    label: str
    at: datetime
    until: datetime | None = None
    count: int = 1
    site: str | None = None
    item_id: int | None = None
    delivery_id: int | None = None
    run_id: int | None = None
    job_name: str | None = None
    channel: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What the policy bears, in percent."""

    false_percent: float
    missed_percent: float


@dataclass(frozen=True)
class Rates:
    """Alerts and incidents between two instants (aware UTC), and how many of them were false or missed.

    A rate is None where there is nothing that it could be of.
    """

    start: datetime
    end: datetime
    alert_count: int = 0
    false_count: int = 0
    incident_count: int = 0
    missed_count: int = 0

    @property
    def false_percent(self) -> float | None:
        """Return the share of alerts that were false."""
        return _percent(self.false_count, self.alert_count)

    @property
    def missed_percent(self) -> float | None:
        """Return the share of incidents that nobody was told about."""
        return _percent(self.missed_count, self.incident_count)

    def above(self, limits: Limits) -> tuple[str, ...]:
        """Return the figures that are above their limits: `missed`, `false`."""
        rates = (
            (MISSED, self.missed_percent, limits.missed_percent),
            (FALSE, self.false_percent, limits.false_percent),
        )
        return tuple(name for name, rate, limit in rates if rate is not None and rate > limit)


def _percent(part: int, whole: int) -> float | None:
    return round(100 * min(part, whole) / whole, 2) if whole else None


class Tally:
    """Counts alerts, incidents and findings over the window and over each of its last two weeks."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self.start, self.end = start, end
        self._counts: Counter[tuple[str, int | None]] = Counter()
        self.labels: Counter[str] = Counter()

    def alert(self, at: datetime, count: int = 1) -> None:
        """Count alerts; the same message to several channels is one."""
        self._add("alert_count", at, count)

    def incident(self, at: datetime, count: int = 1) -> None:
        """Count incidents that somebody had to be told about."""
        self._add("incident_count", at, count)

    def finding(self, found: Finding) -> None:
        """Count what was found, in the rate that it belongs to."""
        self.labels[found.label] += found.count
        if found.label in FIGURES[MISSED]:
            self._add("missed_count", found.at, found.count)
        if found.label in FIGURES[FALSE]:
            self._add("false_count", found.at, found.count)

    def _add(self, name: str, at: datetime, count: int) -> None:
        self._counts[name, None] += count
        week = (self.end - at) // WEEK if at < self.end else 0
        self._counts[name, week] += count

    def rates(self) -> Rates:
        """Return the rates of the whole window."""
        return self._rates(None, self.start, self.end)

    def weeks(self) -> tuple[Rates, ...]:
        """Return the rates of the last seven days, then those of the seven before."""
        bounds = [self.end - WEEK * number for number in range(WEEKS + 1)]
        return tuple(self._rates(number, bounds[number + 1], bounds[number]) for number in range(WEEKS))

    def _rates(self, week: int | None, start: datetime, end: datetime) -> Rates:
        names = ("alert_count", "false_count", "incident_count", "missed_count")
        return Rates(start, end, **{name: self._counts[name, week] for name in names})


def weeks_above(weeks: Iterable[Rates], limits: Limits) -> int:
    """Return how many weeks in a row, the newest first, were above a limit."""
    count = 0
    for week in weeks:
        if not week.above(limits):
            break
        count += 1
    return count


def standing(weeks: Iterable[Rates], limits: Limits) -> str:
    """Return `critical` for two weeks in a row above a limit, `warning` for one (alert noise policy), else `ok`."""
    return (OK, WARNING, CRITICAL)[min(weeks_above(weeks, limits), WEEKS)]
