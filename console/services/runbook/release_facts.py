"""What is known of the last release: its recorded smoke test, and the checklist of this moment."""

from __future__ import annotations

from console.core.context import Context
from console.domain.gate.rules import LatestRun
from console.domain.jobs import names as job_names
from console.domain.releases.checklist import Checklist
from console.domain.runbook.release_checks import ReleaseFacts
from console.services.jobs import runs
from console.services.releases import checklist
from console.services.runbook.evidence_facts import latest_run


def facts(ctx: Context) -> ReleaseFacts:
    """Return the newest recorded smoke test and what it is held against: two queries."""
    run = runs.latest(ctx, job_names.DEPLOY_SMOKE)
    return held_against(ctx, latest_run(run) if run is not None else None, checklist.current(ctx))


def held_against(ctx: Context, latest: LatestRun | None, current: Checklist) -> ReleaseFacts:
    """Return the facts for a caller that has read run and checklist already."""
    return ReleaseFacts(
        now=ctx.now(),
        latest=latest,
        recent_hours=current.policy.deploy_smoke_recent_hours,
        require_runbook_gate=current.policy.require_runbook_gate,
        checklist_version=current.version,
        checklist_signature=current.signature,
        ui_path=current.policy.ui_core_path,
    )
