"""The schedule: when which job runs (API contract, jobs and their times, UTC).

The page /jobs shows this table. A line whose words are changed is another line and starts without a past.
"""

from __future__ import annotations

from datetime import timedelta

from console.domain.jobs.schedule import Line
from console.domain.text import N_

HOUR = timedelta(hours=1)

LINES: tuple[Line, ...] = (
    # The verdict of the day first, then the board; the board follows the facts every hour.
    Line("ops_governance_gate", "45 0 * * *", sentence=N_("Every day at 09:45 in Seoul, the verdict of the day")),
    Line(
        "ops_governance_remediation_sync",
        "52 * * * *",
        sentence=N_("Every hour at 52 past, so that the board follows the facts"),
    ),
    Line("ops_governance_remediation_escalation", "20 * * * *", sentence=N_("Every hour at 20 past")),
    Line("ops_governance_remediation_auto_assign", "35 * * * *", sentence=N_("Every hour at 35 past")),
    Line("ops_governance_remediation_kpi", "50 * * * *", sentence=N_("Every hour at 50 past")),
    Line("ops_governance_remediation_autopilot", "55 * * * *", sentence=N_("Every hour at 55 past, after the sync")),
    Line("alert_delivery", "* * * * *", sentence=N_("Every minute")),
    Line("alert_retry", "*/10 * * * *", options={"limit": 300, "patient": True}, sentence=N_("Every ten minutes")),
    Line("audit_checkpoint", "17 * * * *", sentence=N_("Every hour at 17 past")),
    Line("audit_chain_verify", "40 18 * * *", tolerance=HOUR, sentence=N_("Every night at 03:40 in Seoul")),
    Line(
        "monthly_audit_archive",
        "5 0 1 * *",
        options={"write_file": True},
        tolerance=HOUR,
        sentence=N_("On the first of each month at 09:05 in Seoul"),
    ),
    Line("evidence_scan", "*/10 * * * *", sentence=N_("Every ten minutes")),
    Line("evidence_sweep", "50 2 * * *", tolerance=HOUR, sentence=N_("Every day at 11:50 in Seoul")),
    Line("ops_evidence_archive_integrity", "10 19 * * *", tolerance=HOUR, sentence=N_("Every night at 04:10 in Seoul")),
    Line("identity_clean_up", "25 * * * *", sentence=N_("Every hour at 25 past")),
    Line("api_latency_retention", "20 2 * * *", tolerance=HOUR, sentence=N_("Every day at 11:20 in Seoul")),
    Line("job_runs_retention", "35 2 * * *", tolerance=HOUR, sentence=N_("Every day at 11:35 in Seoul")),
)
