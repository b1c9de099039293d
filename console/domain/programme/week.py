"""The weekly execution programme: what a week consists of, when it is due, and the tracker that follows from it.

A week is data (its document in `console/domain/programme/packs`); nothing else knows how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from console.domain.programme.documents import PLAN
from console.domain.text import N_, T
from console.domain.tracker.tracker import WEEKLY_CONDITIONS, TrackerKind

MONDAY, FRIDAY = 0, 4
# The first Monday of the published calendar (API contract, programme calendar).
FIRST_MONDAY = date.fromisoformat(PLAN["start_date"])
WEEK_DAYS = 7
LAST_MINUTE = time(23, 59)

# The phases of the published calendar; a document may name another one.
PHASES = {
    word: word
    for word in (
        *(N_("Preparation"), N_("Launch"), N_("Adaptation"), N_("Habit"), N_("Autonomy"), N_("Sustain")),
        *(N_("Stabilize"), N_("Optimize"), N_("Automate"), N_("Scale")),
    )
}

# Columns, filters and facts of an item that a weekly tracker does not have.
WITHOUT = frozenset(
    {
        *("rule_status", "rule", "critical", "priority", "platform", "state", "sla_hours", "opened_at", "manual"),
        # Nobody is reminded of the items of a week.
        *("gate", "snoozed"),
    }
)


@dataclass(frozen=True)
class Entry:
    """One thing to do in a week. `key` is published and stays; `name` is a message id.

    `day` and `end` (`HH:MM`, of the site's own clock) say when it is due; without them it is due when the week ends.
    `evidence` differs from its type only where it is given; `korean` is the name as the document says it.
    """

    key: str
    name: str
    owner: str
    day: int | None = None
    start: str = ""
    end: str = ""
    evidence: bool | None = None
    korean: str = ""


@dataclass(frozen=True)
class EntryType:
    """One list of a week: the word that the API uses, its label, and whether its entries need evidence."""

    word: str
    label: str
    entries: tuple[Entry, ...]
    evidence: bool = False


@dataclass(frozen=True)
class WeekEntry:
    """An entry with its type, ready to become an item."""

    kind: EntryType
    entry: Entry

    @property
    def evidence_required(self) -> bool:
        """Whether the week can only be closed with evidence for it."""
        return self.kind.evidence if self.entry.evidence is None else self.entry.evidence


@dataclass(frozen=True)
class Week:
    """One week of the programme that has a tracker. `code` is the word of the addresses (`w02`)."""

    code: str
    focus: str
    phase: str
    owner: str
    goal: str
    types: tuple[EntryType, ...]

    @property
    def number(self) -> int:
        """Return the number of the week, 1 for the first of the calendar."""
        return int(self.code.removeprefix("w"))

    @property
    def label(self) -> str:
        """Return the week as people write it: `W02`."""
        return self.code.upper()

    @cached_property
    def entries(self) -> tuple[WeekEntry, ...]:
        """Return every entry in the order of the catalogue."""
        return tuple(WeekEntry(kind, entry) for kind in self.types for entry in kind.entries)

    def starts_on(self, first_monday: date = FIRST_MONDAY) -> date:
        """Return the Monday of the week in a calendar that begins on `first_monday`."""
        return first_monday + timedelta(days=WEEK_DAYS * (self.number - 1))

    @cached_property
    def programme(self) -> TrackerKind:
        """Return the tracker of the week; paths, texts, permissions and audit words follow from its code."""
        read, write = permissions(self.code)
        return TrackerKind(
            key=self.code,
            item_prefix=self.label,
            conditions=WEEKLY_CONDITIONS,
            audit_prefix=f"{self.code}_tracker",
            resource=f"adoption_{self.code}_tracker",
            item_resource=f"adoption_{self.code}_tracker_item",
            closing_resource=f"adoption_{self.code}_tracker_site",
            evidence_resource=f"adoption_{self.code}_evidence",
            read=(read,),
            write=(write,),
            manage=(write,),
            force=("admins:manage",),
            force_denied=T("force completion requires admins:manage"),
            item_not_found=T("%(week)s tracker item not found", week=self.label),
            evidence_not_found=T("%(week)s evidence not found", week=self.label),
            not_ready=f"{self.label} completion gate failed",
            invalid_status=f"Invalid {self.label} tracker status",
            evidence_words=tuple(T(kind.label) for kind in self.types if kind.evidence),
            any_change_reopens=True,
            without=WITHOUT,
        )


def permissions(code: str) -> tuple[str, str]:
    """Return the permissions to read and to write a week (API contract, permissions and site scope)."""
    return f"adoption_{code}:read", f"adoption_{code}:write"


def due_at(entry: Entry, monday: date, zone: ZoneInfo) -> datetime:
    """Return when an entry is due, as UTC: at its own end, else with the last minute of Friday, both in `zone`."""
    day = monday + timedelta(days=FRIDAY if entry.day is None else entry.day)
    at = time.fromisoformat(entry.end) if entry.end else LAST_MINUTE
    return datetime.combine(day, at, zone).astimezone(UTC)


def phase_of(today: date, monday: date) -> str:
    """Return whether a week is `past`, `running` or `coming` on `today`; Saturday and Sunday still belong to it."""
    if today < monday:
        return "coming"
    return "running" if today < monday + timedelta(days=WEEK_DAYS) else "past"
