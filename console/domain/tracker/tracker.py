"""The tracker: one set of words and closing rules for every programme.

The remediation tracker and the weekly trackers differ only in the data of their `Programme`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.domain.text import N_, T, Text

STATUSES = ("pending", "in_progress", "done", "blocked")
OPEN_STATUSES = tuple(status for status in STATUSES if status != "done")
COMPLETION_STATUSES = ("active", "completed", "completed_with_exceptions")
ACTIVE, COMPLETED, COMPLETED_WITH_EXCEPTIONS = COMPLETION_STATUSES


@dataclass(frozen=True)
class CountedItem:
    """What an item must tell to be counted."""

    status: str = "pending"
    completion_checked: bool = False
    assignee: str | None = None
    rule_status: str = "warning"
    required: bool = False
    due_at: datetime | None = None
    is_active: bool = True
    evidence_required: bool = False
    evidence_count: int = 0


@dataclass(frozen=True)
class Tally:
    """Counts over the active items of a tracker (`closed`: the inactive ones)."""

    total: int = 0
    pending: int = 0
    in_progress: int = 0
    done: int = 0
    blocked: int = 0
    missing_assignee: int = 0
    unchecked: int = 0
    critical_open: int = 0
    overdue: int = 0
    missing_evidence: int = 0
    evidence_total: int = 0
    closed: int = 0

    @property
    def open(self) -> int:
        """Active items that are not done."""
        return self.total - self.done


@dataclass(frozen=True)
class Condition:
    """One closing rule: it fails when its measure is not zero.

    `code` is the stable word for clients, `text` the sentence for people (with `%(count)s` in it).
    """

    code: str
    measure: Callable[[Tally], int]
    text: str


@dataclass(frozen=True)
class TrackerKind:
    """What is particular about one tracker; everything else is the same for all.

    Whether a tracker without items may be closed is said by its conditions: the weekly ones hold `NO_ITEMS`, the
    remediation tracker does not. `empty_rate`: completion rate shown without items. `needs_sync`: never synced is a
    blocker of its own. `site_runs`: closed per site, not as a whole. The permissions are alternatives; error texts
    name the first. `audit_prefix` begins the words of the audit log, the `resource`s name what was acted on.
    `any_change_reopens`: not only status and assignee open a closed tracker again. `without` names columns, filters
    and facts that its items do not have; `evidence_words` are the kinds of items that need evidence.
    """

    key: str
    item_prefix: str
    conditions: tuple[Condition, ...]
    audit_prefix: str
    resource: str
    item_resource: str
    closing_resource: str
    evidence_resource: str
    read: tuple[str, ...]
    write: tuple[str, ...]
    manage: tuple[str, ...]
    force: tuple[str, ...]
    item_not_found: Text
    evidence_not_found: Text
    not_ready: str
    invalid_status: str
    force_denied: Text | None = None
    empty_rate: int = 0
    needs_sync: bool = False
    site_runs: bool = True
    evidence_words: tuple[Text, ...] = ()
    any_change_reopens: bool = False
    without: frozenset[str] = frozenset()

    def has(self, word: str) -> bool:
        """Return whether items of this tracker have the column, filter or fact of that name."""
        return word not in self.without


NO_ITEMS = Condition("no_items", lambda t: int(t.total == 0), N_("There are no items yet"))
PENDING = Condition("pending", lambda t: t.pending, N_("Waiting: %(count)s"))
IN_PROGRESS = Condition("in_progress", lambda t: t.in_progress, N_("In progress: %(count)s"))
BLOCKED = Condition("blocked", lambda t: t.blocked, N_("Blocked: %(count)s"))
UNASSIGNED = Condition("missing_assignee", lambda t: t.missing_assignee, N_("Without assignee: %(count)s"))
UNCHECKED = Condition("missing_completion_checked", lambda t: t.unchecked, N_("Completion not checked: %(count)s"))
CRITICAL = Condition("critical_open", lambda t: t.critical_open, N_("Critical and open: %(count)s"))
OVERDUE = Condition("overdue", lambda t: t.overdue, N_("Late: %(count)s"))
NO_EVIDENCE = Condition(
    "missing_required_evidence",
    lambda t: t.missing_evidence,
    N_("Required evidence missing: %(count)s (%(types)s)"),
)

REMEDIATION = TrackerKind(
    key="remediation",
    item_prefix="GR",
    conditions=(PENDING, IN_PROGRESS, BLOCKED, UNASSIGNED, UNCHECKED, CRITICAL, OVERDUE),
    audit_prefix="ops_governance_remediation_tracker",
    resource="ops_governance_remediation_tracker",
    item_resource="ops_governance_remediation_tracker_item",
    closing_resource="ops_governance_remediation_tracker",
    evidence_resource="ops_governance_remediation_tracker_evidence",
    read=("admins:manage", "governance:read"),
    write=("admins:manage", "governance:write"),
    manage=("admins:manage", "governance:manage"),
    force=("admins:manage", "governance:manage"),
    item_not_found=T("Remediation tracker item not found"),
    evidence_not_found=T("Remediation tracker evidence not found"),
    not_ready="Remediation tracker completion gate failed",
    invalid_status="Invalid tracker status",
    empty_rate=100,
    needs_sync=True,
    site_runs=False,
    without=frozenset({"item_type", "evidence", "blocking"}),
)
WEEKLY_CONDITIONS = (NO_ITEMS, PENDING, IN_PROGRESS, BLOCKED, UNASSIGNED, UNCHECKED, NO_EVIDENCE)
NEVER_SYNCED = "never_synced"


@dataclass(frozen=True)
class Overview:
    """API contract, remediation tracker overview; counts of active items, `closed_count` of inactive ones."""

    generated_at: datetime
    total_items: int
    active_count: int
    closed_count: int
    pending_count: int
    in_progress_count: int
    done_count: int
    blocked_count: int
    completion_rate_percent: int
    missing_assignee_count: int
    critical_open_count: int
    overdue_count: int


@dataclass(frozen=True)
class Readiness:
    """Can the tracker be closed, and if not, what stands in the way.

    `blockers` and `blocker_codes` run side by side, in the order of the programme's conditions.
    """

    generated_at: datetime
    total_items: int
    pending_count: int
    in_progress_count: int
    done_count: int
    blocked_count: int
    completion_rate_percent: int
    missing_assignee_count: int
    missing_completion_checked_count: int
    critical_open_count: int
    overdue_count: int
    missing_required_evidence_count: int
    evidence_total_count: int
    readiness_score_percent: int
    ready: bool
    blockers: tuple[Text, ...]
    blocker_codes: tuple[str, ...]
    blocker_counts: tuple[int, ...]
    passed_codes: tuple[str, ...]
    never_synced: bool

    @property
    def checked_at(self) -> datetime:
        """When it was measured, as the weekly trackers call it."""
        return self.generated_at


def percent(part: int, whole: int) -> int:
    """`part` of `whole` in whole percent, rounded half to even (API contract, common rules)."""
    quotient, rest = divmod(100 * part, whole)
    if 2 * rest > whole or (2 * rest == whole and quotient % 2):
        return quotient + 1
    return quotient


def is_open(item: CountedItem) -> bool:
    """Active and not done."""
    return item.is_active and item.status != "done"


def is_overdue(item: CountedItem, now: datetime) -> bool:
    """Open and strictly past its due date."""
    return is_open(item) and item.due_at is not None and item.due_at < now


def is_critical(item: CountedItem) -> bool:
    """Open, and its required rule fails."""
    return is_open(item) and item.rule_status == "fail" and item.required


def tally(items: Iterable[CountedItem], now: datetime) -> Tally:
    """Count items one by one; the services count the same in SQL, and a test compares both."""
    items = list(items)
    active = [item for item in items if item.is_active]
    by_status = {status: sum(item.status == status for item in active) for status in STATUSES}
    return Tally(
        total=len(active),
        **by_status,
        missing_assignee=sum(not (item.assignee or "").strip() for item in active),
        unchecked=sum(not item.completion_checked for item in active),
        critical_open=sum(is_critical(item) for item in active),
        overdue=sum(is_overdue(item, now) for item in active),
        missing_evidence=sum(item.evidence_required and not item.evidence_count for item in active),
        evidence_total=sum(item.evidence_count for item in active),
        closed=len(items) - len(active),
    )


def completion_rate(programme: TrackerKind, counts: Tally) -> int:
    """Done items in whole percent; without items the programme's `empty_rate`."""
    return percent(counts.done, counts.total) if counts.total else programme.empty_rate


def overview(programme: TrackerKind, counts: Tally, now: datetime) -> Overview:
    """Return the counts of a tracker at `now` (UTC)."""
    return Overview(
        generated_at=now,
        total_items=counts.total,
        active_count=counts.total,
        closed_count=counts.closed,
        pending_count=counts.pending,
        in_progress_count=counts.in_progress,
        done_count=counts.done,
        blocked_count=counts.blocked,
        completion_rate_percent=completion_rate(programme, counts),
        missing_assignee_count=counts.missing_assignee,
        critical_open_count=counts.critical_open,
        overdue_count=counts.overdue,
    )


def readiness(programme: TrackerKind, counts: Tally, now: datetime, *, synced: bool = True) -> Readiness:
    """Apply the programme's closing rules to its counts at `now` (UTC).

    Score = the larger of conditions met and completion rate, capped at 99 while anything blocks. It is 0 for a tracker
    that holds nothing although it should, and for one that holds nothing and was never synced.
    """
    never_synced = programme.needs_sync and not synced
    measured = [(condition, condition.measure(counts)) for condition in programme.conditions]
    failing = [(condition, count) for condition, count in measured if count]
    blockers = [_blocker(programme, condition, count) for condition, count in failing]
    codes = [condition.code for condition, _ in failing]
    numbers = [count for _, count in failing]
    if never_synced:
        blockers.append(T("The tracker has never been synced with the gate"))
        codes.append(NEVER_SYNCED)
        numbers.append(1)
    rate = completion_rate(programme, counts)
    return Readiness(
        generated_at=now,
        total_items=counts.total,
        pending_count=counts.pending,
        in_progress_count=counts.in_progress,
        done_count=counts.done,
        blocked_count=counts.blocked,
        completion_rate_percent=rate,
        missing_assignee_count=counts.missing_assignee,
        missing_completion_checked_count=counts.unchecked,
        critical_open_count=counts.critical_open,
        overdue_count=counts.overdue,
        missing_required_evidence_count=counts.missing_evidence,
        evidence_total_count=counts.evidence_total,
        readiness_score_percent=_score(programme, counts, len(failing), rate, never_synced),
        ready=not codes,
        blockers=tuple(blockers),
        blocker_codes=tuple(codes),
        blocker_counts=tuple(numbers),
        passed_codes=tuple(condition.code for condition, count in measured if not count),
        never_synced=never_synced,
    )


def _blocker(programme: TrackerKind, condition: Condition, count: int) -> Text:
    if condition is NO_EVIDENCE:
        return T(condition.text, count=count, types=programme.evidence_words)
    return T(condition.text, count=count)


def _score(programme: TrackerKind, counts: Tally, failing: int, rate: int, never_synced: bool) -> int:
    if not failing and not never_synced:
        return 100
    if not counts.total and (never_synced or NO_ITEMS in programme.conditions):
        return 0
    met = percent(len(programme.conditions) - failing, len(programme.conditions))
    return min(99, max(met, rate) if counts.total else met)


def item_number(prefix: str, number: int) -> str:
    """Return the id that people quote: `GR-007`."""
    return f"{prefix}-{number:03d}"


def title_of(row: Any) -> str | Mapping[str, Any]:
    """Return what is to be done by the `texts`, `item_name`, `action` and `item_key` of a row, as it is stored."""
    return row.texts.get("name") or row.item_name or row.texts.get("action") or row.action or row.item_key
