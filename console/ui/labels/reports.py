"""Words of the quality reports and of archives for people."""

from __future__ import annotations

from console.domain.archives import archives
from console.domain.runbook import integrity
from console.domain.text import N_
from console.ui.labels.common import Word

ARCHIVE_STATES: dict[str, Word] = {
    archives.INTACT: Word(N_("Intact"), "ok", "check"),
    archives.CHANGED: Word(N_("Changed since"), "late", "alert-triangle"),
    archives.MISSING: Word(N_("File missing"), "late", "x"),
    archives.UNREADABLE: Word(N_("Not readable"), "late", "alert-triangle"),
    archives.UNFILED: Word(N_("In the database only"), "wait", "minus"),
}
# What the integrity batch finds wrong with evidence.
EVIDENCE_PROBLEMS: dict[str, Word] = {
    integrity.MISMATCH: ARCHIVE_STATES[archives.CHANGED],
    integrity.MISSING_BLOB: ARCHIVE_STATES[archives.MISSING],
    integrity.READ_ERROR: ARCHIVE_STATES[archives.UNREADABLE],
    integrity.MISSING_HASH: Word(N_("Without hash"), "soon", "alert-triangle"),
}
# How the kinds of archives are called, and the page that lists those of a kind.
ARCHIVE_KINDS = {
    archives.QUALITY_REPORT.key: N_("Quality reports"),
    archives.DAILY_CHECK.key: N_("Daily checks"),
    archives.ALERT_RETENTION.key: N_("Old alerts"),
    archives.W07_WEEKLY.key: N_("Weekly figures of W07"),
    integrity.RECOVERY_COPY: N_("Backups of recovery drills"),
    integrity.CLOSED_MONTH: N_("Closed months"),
    "remediation": N_("Remediation board"),
    "work_orders": N_("Work orders"),
    "inspections": N_("Inspections"),
}
ARCHIVE_PAGES = {archives.QUALITY_REPORT.key: "reports.page", archives.DAILY_CHECK.key: "daily_check.page"}


def archive_state(state: str) -> Word:
    """Return the word of what became of an archive or a file of evidence; an unknown state stands for itself."""
    return ARCHIVE_STATES.get(state) or EVIDENCE_PROBLEMS.get(state) or Word(state)


def archive_kind(key: str) -> str:
    """Return the message id of what the files of a kind are called; an unknown kind stands for itself."""
    return ARCHIVE_KINDS.get(key, key)
