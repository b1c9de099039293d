"""The schedule: when which job runs (API contract, jobs and their times, UTC).

The page /jobs shows this table. A line whose words are changed is another line and starts without a past.
"""

from __future__ import annotations

from datetime import timedelta

from console.domain.schedule import Line
from console.domain.text import N_

HOUR = timedelta(hours=1)

LINES: tuple[Line, ...] = (
    Line("ops_governance_gate", "45 0 * * *", sentence=N_("Every day at 09:45 in Seoul")),
    Line("job_runs_retention", "35 1 * * *", tolerance=HOUR, sentence=N_("Every night at 10:35 in Seoul")),
    Line("api_latency_retention", "45 1 * * *", tolerance=HOUR, sentence=N_("Every day at 10:45 in Seoul")),
    Line("identity_clean_up", "25 * * * *", sentence=N_("Every hour at 25 past")),
)
