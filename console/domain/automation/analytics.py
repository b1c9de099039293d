"""What autopilot runs say together: history rows, the summary and its anomalies (API contract, sections 13 and 14)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from console.domain.automation.autopilot import ACTIONS, COOLDOWN, DISABLED, POLICY_DISABLED
from console.domain.text import T, Text

STATUSES = ("success", "warning", "critical")
HEALTHY, WARNING, CRITICAL = "healthy", "warning", "critical"
RECOMMENDATIONS_MOST = 5


@dataclass(frozen=True)
class HistoryRow:
    """One autopilot run in the history; the last four published figures are those before its actions."""

    run_id: int
    status: str
    trigger: str
    started_at: datetime
    finished_at: datetime
    dry_run: bool
    force: bool
    skipped: bool
    skip_reason: str | None
    planned_actions: tuple[str, ...]
    actions: tuple[str, ...]
    errors_count: int
    open_items: int
    overdue_count: int
    unassigned_open_count: int
    critical_open_count: int
    assigned_count: int = 0
    notified_count: int = 0
    open_items_after: int | None = None
    duration_ms: int = 0


@dataclass(frozen=True)
class RunCounts:
    """Sums over the runs of a window, as the database counts them."""

    total: int = 0
    skipped: int = 0
    success: int = 0
    warning: int = 0
    critical: int = 0
    planned_auto_assign: int = 0
    planned_escalation: int = 0
    executed_auto_assign: int = 0
    executed_escalation: int = 0
    errors: int = 0
    dry: int = 0
    executed_real: int = 0
    executed_real_ok: int = 0
    skip_reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LatestRun:
    """The newest run of the window."""

    run_id: int
    status: str
    finished_at: datetime
    skipped: bool
    skip_reason: str | None
    planned_actions: tuple[str, ...]
    actions: tuple[str, ...]
    open_items: int
    overdue_count: int
    unassigned_open_count: int
    critical_open_count: int


@dataclass(frozen=True)
class Summary:
    """The published summary; `execution_success_rate_percent` counts real runs that did something, the others all."""

    generated_at: datetime
    window_days: int
    total_runs: int
    skipped_runs: int
    executed_runs: int
    status_counts: Mapping[str, int]
    planned_action_counts: Mapping[str, int]
    executed_action_counts: Mapping[str, int]
    cooldown_blocked_runs: int
    error_runs: int
    success_rate_percent: float
    skipped_rate_percent: float
    latest_run: LatestRun | None
    execution_success_rate_percent: float
    dry_runs: int
    disabled_runs: int
    skip_reason_counts: Mapping[str, int]
    truncated: bool = False


def count(rows: Iterable[HistoryRow]) -> RunCounts:
    """Count runs one by one; the services count the same in SQL, and a test compares both."""
    runs = list(rows)
    real = [run for run in runs if run.actions and not run.skipped and not run.dry_run]
    reasons: dict[str, int] = {}
    for run in runs:
        if run.skipped and run.skip_reason:
            reasons[run.skip_reason] = reasons.get(run.skip_reason, 0) + 1
    return RunCounts(
        total=len(runs),
        skipped=sum(run.skipped for run in runs),
        **{word: sum(run.status == word for run in runs) for word in STATUSES},
        **{f"planned_{action}": sum(action in run.planned_actions for run in runs) for action in ACTIONS},
        **{f"executed_{action}": sum(action in run.actions for run in runs) for action in ACTIONS},
        errors=sum(run.errors_count > 0 for run in runs),
        dry=sum(run.dry_run for run in runs),
        executed_real=len(real),
        executed_real_ok=sum(not run.errors_count for run in real),
        skip_reasons=reasons,
    )


def latest_of(row: HistoryRow) -> LatestRun:
    """Return a history row in the form of the summary."""
    return LatestRun(**{name: getattr(row, name) for name in LatestRun.__dataclass_fields__})


def rate(part: int, whole: int, empty: float) -> float:
    """Return `part` of `whole` in percent with one decimal, `empty` without any."""
    return round(part / whole * 100, 1) if whole else empty


def summary(counts: RunCounts, latest: LatestRun | None, now: datetime, window_days: int) -> Summary:
    """Turn the sums of a window into the summary at `now` (aware UTC)."""
    reasons = dict(sorted(counts.skip_reasons.items()))
    return Summary(
        generated_at=now,
        window_days=window_days,
        total_runs=counts.total,
        skipped_runs=counts.skipped,
        executed_runs=counts.total - counts.skipped,
        status_counts={word: getattr(counts, word) for word in STATUSES},
        planned_action_counts={action: getattr(counts, f"planned_{action}") for action in ACTIONS},
        executed_action_counts={action: getattr(counts, f"executed_{action}") for action in ACTIONS},
        cooldown_blocked_runs=reasons.get(COOLDOWN, 0),
        error_runs=counts.errors,
        success_rate_percent=rate(counts.success, counts.total, 100.0),
        skipped_rate_percent=rate(counts.skipped, counts.total, 0.0),
        latest_run=latest,
        execution_success_rate_percent=rate(counts.executed_real_ok, counts.executed_real, 100.0),
        dry_runs=counts.dry,
        disabled_runs=reasons.get(POLICY_DISABLED, 0) + reasons.get(DISABLED, 0),
        skip_reason_counts=reasons,
    )


@dataclass(frozen=True)
class Anomaly:
    """Something in the runs that should not be as it is."""

    code: str
    severity: str
    message: Text
    observed: str
    target: str
    recommendation: Text


@dataclass(frozen=True)
class AnomalyMetrics:
    """The figures that anomalies are judged by."""

    total_runs: int
    executed_runs: int
    skipped_runs: int
    success_rate_percent: float
    skipped_rate_percent: float
    cooldown_blocked_runs: int
    error_runs: int
    consecutive_cooldown_skips: int
    execution_success_rate_percent: float


@dataclass(frozen=True)
class Anomalies:
    """The published health of the autopilot: the worst severity, what is wrong, what to do."""

    generated_at: datetime
    window_days: int
    health_status: str
    anomaly_count: int
    anomalies: tuple[Anomaly, ...]
    metrics: AnomalyMetrics
    latest_run: LatestRun | None
    recommendations: tuple[Text, ...]


def history_length(days: int) -> int:
    """Return how many of the newest runs are looked at one by one."""
    return max(10, min(100, days * 6))


def consecutive_skips(rows: Iterable[HistoryRow], reason: str = COOLDOWN) -> int:
    """Count the newest runs in a row that were skipped for `reason` (rows newest first)."""
    number = 0
    for row in rows:
        if not row.skipped or row.skip_reason != reason:
            break
        number += 1
    return number


def anomalies(found: Summary, newest: Sequence[HistoryRow]) -> Anomalies:
    """Judge a summary and the newest runs (newest first). Success is that of real runs that did something."""
    metrics = AnomalyMetrics(
        total_runs=found.total_runs,
        executed_runs=found.executed_runs,
        skipped_runs=found.skipped_runs,
        success_rate_percent=found.success_rate_percent,
        skipped_rate_percent=found.skipped_rate_percent,
        cooldown_blocked_runs=found.cooldown_blocked_runs,
        error_runs=found.error_runs,
        consecutive_cooldown_skips=consecutive_skips(newest),
        execution_success_rate_percent=found.execution_success_rate_percent,
    )
    wrong = [*_of_numbers(metrics), *_of_latest(found.latest_run)]
    wrong.sort(key=lambda one: (one.severity != CRITICAL, one.code))
    severities = {one.severity for one in wrong}
    health = CRITICAL if CRITICAL in severities else WARNING if severities else HEALTHY
    advice = tuple({str(one.recommendation): one.recommendation for one in wrong}.values())
    return Anomalies(
        generated_at=found.generated_at,
        window_days=found.window_days,
        health_status=health,
        anomaly_count=len(wrong),
        anomalies=tuple(wrong),
        metrics=metrics,
        latest_run=found.latest_run,
        recommendations=advice[:RECOMMENDATIONS_MOST],
    )


_SCHEDULE = T("Check that scheduler and worker are running.")
_ERRORS = T("Open the failed runs and remove what made them fail.")
_COOLDOWN = T("Shorten the cooldown, or start the autopilot less often.")
_SKIPS = T("Compare triggers and cooldown with the schedule.")
_WORK = T("Assign the open items and bring the late ones to an end.")


def _of_numbers(metrics: AnomalyMetrics) -> list[Anomaly]:
    made: list[Anomaly] = []

    def note(code: str, severity: str, message: Text, observed: object, target: str, advice: Text) -> None:
        made.append(Anomaly(code, severity, message, str(observed), target, advice))

    runs, rate_, skips = metrics.total_runs, metrics.execution_success_rate_percent, metrics.skipped_rate_percent
    if not runs:
        note("no_recent_runs", CRITICAL, T("There was no run in the window."), 0, ">=1 run", _SCHEDULE)
    elif runs < 5:
        note("low_sample_size", WARNING, T("There were only %(count)s runs.", count=runs), runs, ">=5 runs", _SCHEDULE)
    if rate_ < 85:
        code, severity = ("low_success_rate", CRITICAL) if rate_ < 70 else ("degraded_success_rate", WARNING)
        note(code, severity, T("Only %(rate)s %% of the runs went well.", rate=rate_), rate_, ">=85.0", _ERRORS)
    if skips > 35:
        code, severity = ("high_skip_rate", CRITICAL) if skips > 60 else ("elevated_skip_rate", WARNING)
        note(code, severity, T("%(rate)s %% of the runs were skipped.", rate=skips), skips, "<=35.0", _SKIPS)
    blocked = metrics.cooldown_blocked_runs
    if blocked >= 5:
        heavy = blocked >= 10
        code = "cooldown_blocks_excessive" if heavy else "cooldown_blocks_high"
        text = T("The cooldown held back %(count)s runs.", count=blocked)
        note(code, CRITICAL if heavy else WARNING, text, blocked, "<10" if heavy else "<5", _COOLDOWN)
    errors = metrics.error_runs
    if errors:
        heavy = errors >= 5
        code = "error_runs_high" if heavy else "error_runs_detected"
        text = T("%(count)s runs had errors.", count=errors)
        note(code, CRITICAL if heavy else WARNING, text, errors, "<5" if heavy else "0", _ERRORS)
    row = metrics.consecutive_cooldown_skips
    if row >= 3:
        text = T("The newest %(count)s runs in a row were held back by the cooldown.", count=row)
        note("consecutive_cooldown_skips", CRITICAL if row >= 6 else WARNING, text, row, "<3", _COOLDOWN)
    return made


def _of_latest(latest: LatestRun | None) -> list[Anomaly]:
    if latest is None:
        return []
    made = []
    if latest.status == CRITICAL:
        text = T("The latest run ended critical.")
        made.append(Anomaly("latest_run_critical", CRITICAL, text, CRITICAL, "success|warning", _ERRORS))
    critical, late = latest.critical_open_count, latest.overdue_count
    if critical:
        text = T("Critical open items: %(count)s.", count=critical)
        made.append(Anomaly("critical_open_items", WARNING, text, str(critical), "0", _WORK))
    if late:
        text = T("Late items: %(count)s.", count=late)
        made.append(Anomaly("overdue_items_open", WARNING, text, str(late), "0", _WORK))
    return made
