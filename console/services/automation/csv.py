"""The exports of the autopilot's runs: columns and lines of the CSV files (API contract, 13.3, 13.4 and 14)."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from console.core.serialize import CsvColumn, columns_of
from console.domain.automation.analytics import Anomalies, Summary


def _joined(name: str) -> CsvColumn:
    return CsvColumn(name, lambda row: "|".join(getattr(row, name)))


HISTORY_CSV: tuple[CsvColumn, ...] = (
    *columns_of("run_id", "status", "trigger", "started_at", "finished_at", "dry_run", "force", "skipped"),
    *columns_of("skip_reason"),
    _joined("planned_actions"),
    _joined("actions"),
    *columns_of("errors_count", "open_items", "overdue_count", "unassigned_open_count", "critical_open_count"),
)
SUMMARY_CSV = (CsvColumn("metric", itemgetter(0)), CsvColumn("value", itemgetter(1)))


def summary_rows(made: Summary) -> Iterator[tuple[str, Any]]:
    """Return the lines of the summary's CSV in the published order."""
    for name in ("generated_at", "window_days", "total_runs", "executed_runs", "skipped_runs"):
        yield name, getattr(made, name)
    for name in ("cooldown_blocked_runs", "error_runs", "success_rate_percent", "skipped_rate_percent"):
        yield name, getattr(made, name)
    for prefix, counts in (
        ("status", made.status_counts),
        ("planned", made.planned_action_counts),
        ("executed", made.executed_action_counts),
    ):
        for word, count in counts.items():
            yield f"{prefix}_{word}", count
    if made.latest_run is not None:
        for name, value in vars(made.latest_run).items():
            yield (
                f"latest_{name}" if name == "run_id" else f"latest_run_{name}",
                ("|".join(value) if isinstance(value, tuple) else value),
            )


_HEAD = ("generated_at", "window_days", "health_status")
_RATES = ("total_runs", "success_rate_percent", "skipped_rate_percent", "cooldown_blocked_runs", "error_runs")
_FOUND = ("code", "severity", "message", "observed", "target", "recommendation")
ANOMALIES_CSV = tuple(CsvColumn(name, itemgetter(place)) for place, name in enumerate((*_HEAD, *_RATES, *_FOUND)))


def anomaly_rows(made: Anomalies) -> Iterator[tuple[Any, ...]]:
    """Return the lines of the anomalies' CSV: one per anomaly, or the one line `none`."""
    head = (*(getattr(made, name) for name in _HEAD), *(getattr(made.metrics, name) for name in _RATES))
    for one in made.anomalies:
        yield (*head, *(getattr(one, name) for name in _FOUND))
    if not made.anomalies:
        yield (*head, "none", "info", "", "", "", "")
