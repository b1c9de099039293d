"""Facts for the tests of gate and plan: everything in order, to be spoiled one by one."""

from datetime import UTC, date, datetime, timedelta

from console.domain.gate.rules import GateFacts, LatestRun, PreflightFacts, RunbookFacts, SecurityFacts
from console.domain.gate.streak import Streak

NOW = datetime(2026, 3, 2, tzinfo=UTC)
STREAK = Streak(4, 4, 4, 4, True, 4, False, date(2026, 3, 2), NOW - timedelta(days=2))
GOOD_SMOKE = {
    "rollback_ready": True,
    "rollback_reference_match": True,
    "rollback_reference_sha256_match": True,
    "runbook_gate_passed": True,
    "checklist_version": "2026.03.v1",
    "ui_main_shell_checked": True,
    "ui_main_shell_status": "ok",
}


def run(hours_ago: float, *, status: str = "success", **detail: object) -> LatestRun:
    """Return a finished run of some hours ago."""
    return LatestRun(1, status, NOW - timedelta(hours=hours_ago), detail)


GOOD = GateFacts(
    preflight=PreflightFacts("ok", 0, 0, "web:one", NOW - timedelta(minutes=5), 300),
    runbook=RunbookFacts("ok", 0, 9),
    security=SecurityFacts("low", 12, 30),
    streak=STREAK,
    daily_check=run(5),
    dr_rehearsal=run(100, restore_valid=True),
    deploy_smoke=run(20, **GOOD_SMOKE),
    checklist_version="2026.03.v1",
)
