"""The daily check: when it alerts, what its run is called, and its summary as JSON and CSV.

Source: API contract, daily check and its job.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.domain.archives.archives import CHANGED, INTACT, MISSING, UNFILED, UNREADABLE
from console.domain.jobs.names import DAILY_CHECK
from console.domain.jobs.runs import Status
from console.domain.runbook.runbook import CRITICAL, OK, WARNING, CheckResult, Runbook

VERSION = "v1"
OFF, ALWAYS = "off", "always"
_LEVELS = {
    **dict.fromkeys(("off", "none", "disabled"), OFF),
    **dict.fromkeys(("warning", "warn"), WARNING),
    **dict.fromkeys(("always", "all", "ok"), ALWAYS),
}
_RANK = (CRITICAL, WARNING, OK)
_DUE = {OFF: (), WARNING: (WARNING, CRITICAL), CRITICAL: (CRITICAL,), ALWAYS: (OK, WARNING, CRITICAL)}
# What is said of files whose time is over, of a check that never had any, and the words from worst to best.
PRUNED, NO_FILES = "pruned", "none"
_WORST = (CHANGED, MISSING, UNREADABLE, PRUNED, UNFILED, INTACT)
# What is said when an alert was due and no channel is set up; no answer of a receiver reads like it.
NO_TARGETS = "no_targets"
HEAD = (
    *("run_id", "checked_at", "trigger", "status", "overall_status", "check_count", "warning_count", "critical_count"),
    *("alert_level", "alert_attempted", "alert_dispatched", "alert_error"),
)
ALERT = ("level", "attempted", "dispatched", "error")
SUMMARY = (
    *("version", "job_name", "run_id", "checked_at", "trigger", "status", "overall_status", "check_count"),
    *("warning_count", "critical_count", "alert", "mttr_slo_check", "checks"),
)
CHECK_HEAD = ("check_id", "check_status", "check_message")


@dataclass(frozen=True)
class AlertOutcome:
    """What became of the alert of a check: `error` tells why somebody who should know does not.

    `channels` has one entry per channel with `target`, `success` and `error`.
    """

    level: str
    attempted: bool = False
    dispatched: bool = False
    error: str | None = None
    channels: tuple[Mapping[str, Any], ...] = ()
    delivery_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Changed:
    """A check that stands otherwise now than in the stored run; `before` is None for one that the run did not know."""

    check: CheckResult
    before: str | None

    @property
    def is_worse(self) -> bool:
        """Return whether it got worse since the run."""
        return is_worse(self.check.status, self.before)


@dataclass(frozen=True)
class Since:
    """The run since which a check fails without a break: the first of its present streak (aware UTC)."""

    run_id: int
    at: datetime


def failing_since(book: Runbook, found: Since | None, before: Mapping[str, Since]) -> dict[str, Since]:
    """Return since which run each failing check fails.

    `found` is the run that looks, None when nobody counts it as one; `before` are those of the run before it: whatever
    failed there goes on.
    """
    since = ((check.id, before.get(check.id, found)) for check in book.checks if check.fails)
    return {check_id: one for check_id, one in since if one is not None}


def is_worse(status: str, before: str | None) -> bool:
    """Return whether a result is worse than the one before; before the first there was nothing wrong."""
    return _RANK.index(status) < _RANK.index(before or OK)


def worst_first(checks: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Return checks with the critical ones first, then warnings; within them the published order."""
    return tuple(sorted(checks, key=lambda check: _RANK.index(check.status)))


def changed(stored: Mapping[str, str], book: Runbook) -> tuple[Changed, ...]:
    """Return the checks that stand otherwise than they stood (`stored`: status by id), worst first."""
    found = (Changed(check, stored.get(check.id)) for check in worst_first(book.checks))
    return tuple(one for one in found if one.check.status != (one.before or OK))


def alert_level(word: str) -> str:
    """Return `off`, `warning`, `critical` or `always`; anything unknown is `critical`, so that a typo is not silent."""
    return _LEVELS.get(word.strip().lower(), CRITICAL)


def alert_is_due(level: str, overall: str) -> bool:
    """Return whether a check with this result has to be told."""
    return overall in _DUE[level]


def outcome(level: str, delivered: Mapping[int, tuple[str, bool, str | None]]) -> AlertOutcome:
    """Return what became of an alert by its deliveries: id to masked channel, taken by the receiver, and error.

    No channel at all is an error too: a result that had to be told was not.
    """
    if not delivered:
        return AlertOutcome(level, attempted=True, error=NO_TARGETS)
    failed = [f"{target}: {error}" for target, taken, error in delivered.values() if not taken and error]
    return AlertOutcome(
        level,
        attempted=True,
        dispatched=any(taken for _, taken, _ in delivered.values()),
        error="; ".join(failed) or None,
        channels=tuple(
            {"target": target, "success": taken, "error": error} for target, taken, error in delivered.values()
        ),
        delivery_ids=tuple(delivered),
    )


def run_status(overall: str, alert_error: str | None) -> Status:
    """Return the status of the run: that of the worst check; a success whose alert was not told is a warning."""
    if overall == CRITICAL:
        return "critical"
    return "warning" if overall == WARNING or alert_error else "success"


def summary(run: Mapping[str, Any], detail: Mapping[str, Any], checked_at: datetime | None) -> dict[str, Any]:
    """Return the summary of a check (API contract, summary): `run` has its id, trigger and status."""
    return {
        "version": VERSION,
        "job_name": DAILY_CHECK,
        "run_id": run["run_id"],
        "checked_at": checked_at,
        "trigger": run["trigger"],
        "status": run["status"],
        "overall_status": detail.get("overall_status"),
        "check_count": detail.get("check_count", 0),
        "warning_count": detail.get("warning_count", 0),
        "critical_count": detail.get("critical_count", 0),
        "alert": {
            "level": detail.get("alert_level"),
            "attempted": detail.get("alert_attempted", False),
            "dispatched": detail.get("alert_dispatched", False),
            "error": detail.get("alert_error"),
        },
        "mttr_slo_check": detail.get("mttr_slo_check", {}),
        "checks": [{key: one.get(key) for key in ("id", "status", "message")} for one in detail.get("checks", ())],
    }


def in_order(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored summary with its fields in their published order: a database may keep them in its own."""
    alert: Mapping[str, Any] = stored.get("alert", {})
    made = {name: stored.get(name) for name in SUMMARY}
    return {**made, "alert": {name: alert.get(name) for name in ALERT}}


def archive_state(states: Sequence[str]) -> str:
    """Return the worst word for the files of a check."""
    return min(states, key=_WORST.index, default=NO_FILES)


def csv_rows(made: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Return the lines of the CSV form of a summary, heads included."""
    alert = made["alert"]
    yield HEAD
    yield (
        *(made[key] for key in HEAD[:8]),
        *(alert[key] for key in ALERT),
    )
    yield ()
    yield CHECK_HEAD
    for one in made["checks"]:
        yield one["id"], one["status"], one["message"]
