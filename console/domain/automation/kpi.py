"""Figures of the remediation loop, what they mean and what to do about them (API contract, KPI).

Counts and ages come from the database; `measure` counts the same one by one, and a test compares both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from console.domain.jobs.runs import Status
from console.domain.text import T, Text
from console.domain.tracker.tracker import percent

# The contract's cut of the backlog history.
POINTS_MOST = 400
DAY = timedelta(days=1)
UP, DOWN, FLAT = "up", "down", "flat"


@dataclass(frozen=True)
class KpiMetrics:
    """The published figures; ages are hours with one decimal, 0.0 without open items."""

    total_items: int = 0
    active_items: int = 0
    open_items: int = 0
    pending_count: int = 0
    in_progress_count: int = 0
    done_count: int = 0
    blocked_count: int = 0
    completion_rate_percent: int = 100
    critical_open_count: int = 0
    unassigned_open_count: int = 0
    overdue_count: int = 0
    due_soon_count: int = 0
    done_last_window_count: int = 0
    throughput_per_day: float = 0.0
    avg_open_age_hours: float = 0.0
    median_open_age_hours: float = 0.0
    oldest_open_age_hours: float = 0.0


@dataclass(frozen=True)
class KpiItem:
    """What an item must tell to be measured."""

    opened_at: datetime
    due_at: datetime | None = None
    status: str = "pending"
    is_active: bool = True
    assigned: bool = False
    critical: bool = False


@dataclass(frozen=True)
class BacklogPoint:
    """How many items were open after one measurement."""

    finished_at: datetime
    open_items: int
    source_job: str
    status: str
    run_id: int | None


def hours(seconds: float) -> float:
    """Return an age in hours with one decimal, never negative: a clock set back makes nothing younger than new."""
    return round(max(seconds, 0.0) / 3600, 1)


def completion_rate(done: int, active: int) -> int:
    """Return done items in whole percent of the active ones, 100 without any."""
    return percent(done, active) if active else 100


def throughput(done: int, window_days: int) -> float:
    """Return finished items per day of the window, two decimals."""
    return round(done / window_days, 2)


def measure(
    items: Iterable[KpiItem],
    finished: Iterable[datetime],
    now: datetime,
    *,
    window_days: int,
    due_soon_hours: int,
) -> KpiMetrics:
    """Count items one by one at `now` (aware UTC); `finished` are the instants at which items became done."""
    rows = list(items)
    active = [item for item in rows if item.is_active]
    by_status = {word: sum(item.status == word for item in active) for word in ("pending", "in_progress", "blocked")}
    open_items = [item for item in active if item.status != "done"]
    deadlines = [item.due_at for item in open_items if item.due_at is not None]
    ages = [(now - item.opened_at).total_seconds() for item in open_items]
    done = sum(at >= now - timedelta(days=window_days) for at in finished)
    soon = now + timedelta(hours=due_soon_hours)
    return KpiMetrics(
        total_items=len(rows),
        active_items=len(active),
        open_items=len(open_items),
        pending_count=by_status["pending"],
        in_progress_count=by_status["in_progress"],
        done_count=len(active) - len(open_items),
        blocked_count=by_status["blocked"],
        completion_rate_percent=completion_rate(len(active) - len(open_items), len(active)),
        critical_open_count=sum(item.critical for item in open_items),
        unassigned_open_count=sum(not item.assigned for item in open_items),
        overdue_count=sum(due < now for due in deadlines),
        due_soon_count=sum(now <= due <= soon for due in deadlines) if due_soon_hours else 0,
        done_last_window_count=done,
        throughput_per_day=throughput(done, window_days),
        avg_open_age_hours=hours(sum(ages) / len(ages)) if ages else 0.0,
        median_open_age_hours=hours(median(ages)) if ages else 0.0,
        oldest_open_age_hours=hours(max(ages)) if ages else 0.0,
    )


def trend(points: Sequence[BacklogPoint]) -> str:
    """Tell where the backlog goes: the median of the last day against that of the first (points oldest first).

    Within two days the older half stands against the newer one. Medians, because a single point says little.
    """
    if len(points) < 2:
        return FLAT
    start, end = points[0].finished_at, points[-1].finished_at
    if end - start >= 2 * DAY:
        first = [point.open_items for point in points if point.finished_at < start + DAY]
        last = [point.open_items for point in points if point.finished_at > end - DAY]
    else:
        half = len(points) // 2
        first = [point.open_items for point in points[:half]]
        last = [point.open_items for point in points[-half:]]
    difference = median(last) - median(first)
    return UP if difference > 0 else DOWN if difference < 0 else FLAT


def stride(count: int, most: int = POINTS_MOST) -> int:
    """Return the step by which `count` points are thinned to at most `most`; counting back from the newest."""
    return max(1, -(-count // most))


def status_of(metrics: KpiMetrics) -> tuple[Status, tuple[str, ...]]:
    """Return the status of a KPI run and the reasons for it, the heavier ones first (API contract, status of a run)."""
    heavy = [("overdue", metrics.overdue_count), ("critical_open", metrics.critical_open_count)]
    light = [("unassigned_open", metrics.unassigned_open_count), ("blocked", metrics.blocked_count)]
    reasons = tuple(code for code, count in (*heavy, *light) if count)
    if any(count for _code, count in heavy):
        return "critical", reasons
    return ("warning" if reasons else "success"), reasons


def recommendations(metrics: KpiMetrics) -> tuple[Text, ...]:
    """Return what to do next, in the published order."""
    found = [
        (
            metrics.unassigned_open_count,
            T("%(count)s open without assignee: run the assignment.", count=metrics.unassigned_open_count),
        ),
        (metrics.overdue_count, T("%(count)s overdue: run the escalation.", count=metrics.overdue_count)),
        (
            metrics.blocked_count,
            T("%(count)s blocked: find who decides and remove the cause.", count=metrics.blocked_count),
        ),
        (
            metrics.open_items and not metrics.done_last_window_count,
            T("Nothing was finished in the window while items are open: distribute the work anew."),
        ),
    ]
    told = tuple(text for condition, text in found if condition)
    return told or (T("Stable: keep going."),)
