"""The runbook check that asks whether the last release was looked at (API contract, deploy smoke checklist)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.domain.gate.rules import LatestRun
from console.domain.runbook.runbook import CRITICAL, OK, WARNING, Finding, check
from console.domain.text import T


@dataclass(frozen=True)
class ReleaseFacts:
    """The last recorded smoke test at `now` (aware UTC), and the checklist that it is held against."""

    now: datetime
    latest: LatestRun | None
    recent_hours: int
    require_runbook_gate: bool
    checklist_version: str
    checklist_signature: str
    ui_path: str


@check(10, owner_role="Release Manager", needs=("releases",), page="deploys")
def deploy_smoke_checklist(releases: ReleaseFacts) -> Finding:
    """Judge the last smoke test of a release."""
    fields = _fields(releases)
    run = releases.latest
    seen_at = run.finished_at if run else None
    if run is None:
        return Finding(WARNING, T("No deploy smoke test has been recorded yet."), fields, seen_at=seen_at)
    age = releases.now - run.finished_at
    if age > timedelta(hours=releases.recent_hours):
        hours = int(age / timedelta(hours=1))
        limit = releases.recent_hours
        message = T(
            "The last deploy smoke test is %(hours)s h old; the limit is %(limit)s h.", hours=hours, limit=limit
        )
        return Finding(WARNING, message, fields, seen_at=seen_at)
    if run.status == CRITICAL:
        return Finding(CRITICAL, T("The last deploy smoke test ended critical."), fields, seen_at=seen_at)
    if releases.require_runbook_gate and not fields["runbook_gate_passed"]:
        return Finding(WARNING, T("The last deploy smoke test did not pass the runbook gate."), fields, seen_at=seen_at)
    if not fields["checklist_version_match"]:
        message = T("The last deploy smoke test was checked against another checklist.")
        return Finding(WARNING, message, fields, seen_at=seen_at)
    if not fields["ui_main_shell_checked"]:
        message = T("The last deploy smoke test did not look at the frame of the console.")
        return Finding(WARNING, message, fields, seen_at=seen_at)
    if fields["ui_main_shell_status"] in (WARNING, CRITICAL):
        message = T("The last deploy smoke test found the frame of the console incomplete.")
        return Finding(fields["ui_main_shell_status"], message, fields, seen_at=seen_at)
    if not fields["rollback_ready"]:
        return Finding(WARNING, T("A rollback was not ready at the last deploy smoke test."), fields, seen_at=seen_at)
    return Finding(OK, T("The last deploy smoke test is recent and matches the checklist."), fields, seen_at=seen_at)


def _fields(releases: ReleaseFacts) -> dict[str, Any]:
    run = releases.latest
    stored = run.detail if run is not None else {}
    version = stored.get("checklist_version")
    return {
        "recent_window_hours": releases.recent_hours,
        "latest_run_at": run.finished_at if run is not None else None,
        "latest_run_status": run.status if run is not None else "missing",
        "latest_run_id": run.run_id if run is not None else None,
        "rollback_ready": stored.get("rollback_ready") is True,
        "runbook_gate_passed": stored.get("runbook_gate_passed") is True,
        "checklist_version": version,
        "require_runbook_gate": releases.require_runbook_gate,
        "current_checklist_version": releases.checklist_version,
        "checklist_signature": stored.get("checklist_signature"),
        "current_checklist_signature": releases.checklist_signature,
        "checklist_version_match": bool(version) and version == releases.checklist_version,
        "ui_main_shell_checked": stored.get("ui_main_shell_checked") is True,
        "ui_main_shell_status": stored.get("ui_main_shell_status", "missing"),
        "ui_main_shell_path": stored.get("ui_main_shell_path", releases.ui_path),
    }
