"""The schedule: when which job runs (API contract, jobs and their times, UTC).

The page /jobs shows this table. A line whose words are changed is another line and starts without a past.
"""

from __future__ import annotations

from datetime import timedelta

from console.domain.jobs import names as job_names
from console.domain.jobs.schedule import ScheduleEntry
from console.domain.text import N_

HOUR = timedelta(hours=1)

ENTRIES: tuple[ScheduleEntry, ...] = (
    ScheduleEntry(
        job_names.DAILY_CHECK,
        "15 0 * * *",
        tolerance=HOUR,
        sentence=N_("Every day at 09:15 in Seoul, before the verdict"),
    ),
    # The verdict of the day first, then the board; the board follows the facts every hour.
    ScheduleEntry(job_names.GATE, "45 0 * * *", sentence=N_("Every day at 09:45 in Seoul, the verdict of the day")),
    ScheduleEntry(
        job_names.SYNC,
        "52 * * * *",
        sentence=N_("Every hour at 52 past, so that the board follows the facts"),
    ),
    ScheduleEntry(
        job_names.SLA_ESCALATION, "*/15 * * * *", options={"limit": 500}, sentence=N_("Every quarter of an hour")
    ),
    ScheduleEntry(job_names.HANDOVER_ESCALATION, "*/5 * * * *", sentence=N_("Every five minutes")),
    ScheduleEntry(job_names.ESCALATION, "20 * * * *", sentence=N_("Every hour at 20 past")),
    ScheduleEntry(job_names.AUTO_ASSIGN, "35 * * * *", sentence=N_("Every hour at 35 past")),
    ScheduleEntry(job_names.KPI, "50 * * * *", sentence=N_("Every hour at 50 past")),
    ScheduleEntry(job_names.AUTOPILOT, "55 * * * *", sentence=N_("Every hour at 55 past, after the sync")),
    ScheduleEntry(job_names.ALERT_DELIVERY, "* * * * *", sentence=N_("Every minute")),
    ScheduleEntry(
        job_names.ALERT_RETRY, "*/10 * * * *", options={"limit": 300, "patient": True}, sentence=N_("Every ten minutes")
    ),
    ScheduleEntry(
        job_names.ALERT_ACCURACY, "40 18 * * *", tolerance=HOUR, sentence=N_("Every night at 03:40 in Seoul")
    ),
    ScheduleEntry(job_names.ALERT_MTTR_SLO, "10 * * * *", sentence=N_("Every hour at 10 past")),
    ScheduleEntry(
        job_names.ALERT_GUARD_RECOVER,
        "25 * * * *",
        options={"state": "quarantined", "max_targets": 30},
        sentence=N_("Every hour at 25 past"),
    ),
    ScheduleEntry(
        job_names.ALERT_RETENTION,
        "35 1 * * *",
        options={"write_archive": True},
        tolerance=HOUR,
        sentence=N_("Every day at 10:35 in Seoul"),
    ),
    ScheduleEntry(job_names.AUDIT_CHECKPOINT, "17 * * * *", sentence=N_("Every hour at 17 past")),
    # Twice an hour, so that the gate always reads a verification of the last hour.
    ScheduleEntry(job_names.AUDIT_VERIFY, "10,40 * * * *", sentence=N_("Every half hour, at minutes 10 and 40")),
    ScheduleEntry(
        job_names.AUDIT_ARCHIVE,
        "5 0 1 * *",
        options={"write_file": True},
        tolerance=HOUR,
        sentence=N_("On the first of each month at 09:05 in Seoul"),
    ),
    ScheduleEntry(
        job_names.QUALITY_WEEKLY,
        "40 23 * * 5",
        tolerance=HOUR,
        sentence=N_("On Saturdays at 08:40 in Seoul, the week before"),
    ),
    ScheduleEntry(
        job_names.W07_WEEKLY, "30 23 * * 5", tolerance=HOUR, sentence=N_("On Saturdays at 08:30 in Seoul, all sites")
    ),
    ScheduleEntry(
        job_names.QUALITY_MONTHLY,
        "20 0 1 * *",
        tolerance=HOUR,
        sentence=N_("On the first of each month at 09:20 in Seoul, the month before"),
    ),
    ScheduleEntry(
        job_names.MONTHLY_FREEZE,
        "2 * * * *",
        sentence=N_("Every hour at 2 past, so that each site closes its month in its own morning"),
    ),
    ScheduleEntry(job_names.DR_REHEARSAL, "50 1 * * 0", tolerance=HOUR, sentence=N_("Every Sunday at 10:50 in Seoul")),
    ScheduleEntry(job_names.EVIDENCE_SCAN, "*/10 * * * *", sentence=N_("Every ten minutes")),
    ScheduleEntry(job_names.EVIDENCE_THUMBNAILS, "* * * * *", sentence=N_("Every minute")),
    ScheduleEntry(job_names.EVIDENCE_SWEEP, "50 2 * * *", tolerance=HOUR, sentence=N_("Every day at 11:50 in Seoul")),
    ScheduleEntry(
        job_names.EVIDENCE_INTEGRITY, "10 19 * * *", tolerance=HOUR, sentence=N_("Every night at 04:10 in Seoul")
    ),
    ScheduleEntry(job_names.IDENTITY_CLEAN_UP, "26 * * * *", sentence=N_("Every hour at 26 past")),
    ScheduleEntry(job_names.BURN_ALERTS, "*/5 * * * *", sentence=N_("Every five minutes")),
    ScheduleEntry(
        job_names.LATENCY_RETENTION, "20 2 * * *", tolerance=HOUR, sentence=N_("Every day at 11:20 in Seoul")
    ),
    ScheduleEntry(job_names.RUNS_RETENTION, "35 2 * * *", tolerance=HOUR, sentence=N_("Every day at 11:35 in Seoul")),
    ScheduleEntry(job_names.TALLY_CHECK, "25 19 * * *", tolerance=HOUR, sentence=N_("Every night at 04:25 in Seoul")),
)
