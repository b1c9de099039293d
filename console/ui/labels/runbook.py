"""How rules, checks and evidence are called on pages: message ids for the keys that the API speaks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from console.domain.text import N_, Text

RULES = {
    "preflight_no_error": N_("Preflight without errors"),
    "runbook_no_critical": N_("No critical runbook check"),
    "security_risk_within_max": N_("Security risk within the limit"),
    "daily_check_recent": N_("Recent daily check"),
    "dr_restore_valid_recent": N_("Recent proof of recovery"),
    "deploy_smoke_binding_recent": N_("Recent deploy smoke test"),
    "weekly_streak_target_met": N_("Weekly quality reports without a gap"),
    "site_danger_ordered": N_("No danger without a work order"),
    "site_critical_in_time": N_("Urgent work orders in time"),
    "site_rounds_done": N_("Rounds done in their time"),
    "site_evidence_given": N_("Evidence of urgent work"),
}
CHECKS = {
    "ops_quality_weekly_report_streak": N_("Weekly quality reports in a row"),
    "ops_daily_check_archive": N_("Files of the daily check"),
    "deploy_smoke_checklist": N_("Deploy smoke test"),
    "runbook_critical_monthly_review": N_("Monthly review of the gate"),
    "dr_rehearsal_recent": N_("Recovery rehearsal"),
    "ops_quality_weekly_report_recent": N_("Weekly quality report"),
    "startup_preflight": N_("Preflight"),
    "api_latency_p95": N_("Response times"),
    "api_burn_rate": N_("Error budget"),
    "audit_chain_integrity": N_("Audit chain"),
    "evidence_archive_integrity_batch": N_("Evidence and archives"),
    "sla_cron_recent": N_("Escalation of work orders"),
    "alert_retry_recent": N_("Retries of alerts"),
    "alert_outbox_moving": N_("Alert outbox"),
    "alert_channel_guard": N_("Alert channels"),
    "alert_retention_recent": N_("Retention of alerts"),
    "alert_guard_recovery_recent": N_("Trials of channels in trouble"),
    "alert_mttr_slo_recent": N_("Check of the recoveries"),
    "alert_mttr_slo_breach": N_("Objective for recoveries"),
    "migration_rollback_guide": N_("Rollback guide"),
    "token_expiry_pressure": N_("Tokens about to expire"),
    "rate_limit_backend": N_("Rate limits"),
    "audit_archive_signing": N_("Signed archives"),
    "alert_noise_within_limits": N_("Accuracy of alerts"),
    "alert_noise_policy_documented": N_("Alert noise policy"),
    "remediation_escalation_recent": N_("Hourly escalation"),
    "remediation_auto_assign_recent": N_("Hourly assignment"),
    "remediation_kpi_recent": N_("Hourly figures"),
    "remediation_autopilot_recent": N_("Hourly autopilot"),
    "w07_weekly_quality_recent": N_("Weekly figures of W07"),
    "w07_quality_alert_channel": N_("Channel of the W07 alert"),
    "worker_alive": N_("Worker"),
    "scheduler_alive": N_("Scheduler"),
    "queue_age": N_("Waiting runs"),
    "rate_limit_redis_config": N_("Redis of the rate limits"),
    "audit_archive_signing_key": N_("Signing key of archives"),
    "rollback_guide_file": N_("Rollback guide"),
    "alert_noise_policy_doc": N_("Alert noise policy"),
    "ops_daily_archive_path": N_("Folder of daily checks"),
    "ops_quality_report_archive_path": N_("Folder of quality reports"),
    "deploy_smoke_archive_path": N_("Folder of deploy records"),
    "dr_rehearsal_backup_path": N_("Folder of rehearsals"),
    "backup_key": N_("Key of the backups"),
    "evidence_storage_path": N_("Folder of evidence"),
    "insecure_local_auth": N_("Access without credential"),
    "admin_token_bootstrap": N_("Bootstrap token"),
    "secret_strength": N_("Strength of secrets"),
    "compatibility_switches": N_("Compatibility switches"),
    "owner_second_factor": N_("Second factor of owners"),
    "public_url": N_("Own address in messages"),
    "schema_version": N_("Schema of the database"),
    "programme_documents": N_("Documents of the programme"),
    "private_folders": N_("Rights of the data folder"),
    "allowed_hosts": N_("Own host names"),
    "database_certificate": N_("Certificate of the database"),
}
# What became of the files of a stored check (`console/domain/archives` and `console/domain/runbook/daily`).
ARCHIVE_STATES = {
    "intact": N_("as written"),
    "changed": N_("changed since"),
    "missing": N_("missing in the folder"),
    "unreadable": N_("not readable in the folder"),
    "unfiled": N_("in the database only"),
    "pruned": N_("no longer kept"),
    "none": N_("no files"),
}
ALERT_LEVELS = {
    "off": N_("Alerts switched off"),
    "warning": N_("Alert from a warning on"),
    "critical": N_("Alert when critical"),
    "always": N_("Alert every time"),
}
KINDS = {
    "web": N_("Web"),
    "worker": N_("Worker"),
    "scheduler": N_("Scheduler"),
    "command": N_("Command"),
    "this_process": N_("this process"),
}
RISK_TERMS = {
    "failed_or_warning": N_("Failed or warned changes"),
    "off_hours_total": N_("Actions outside business hours"),
    "expiring_7d": N_("Tokens that expire within 7 days"),
    "rotate_overdue": N_("Tokens past their rotation date"),
    "active_users_without_token": N_("Users without access"),
    "dormant_30d": N_("Tokens unused for 30 days"),
    "non_owner_wildcard_tokens": N_("Tokens for all sites held by non-owners"),
}
# Fields of evidence and policy, in the words of the API, and what people call them.
FIELDS = {
    "overall_status": N_("Overall"),
    "error_count": N_("Errors"),
    "warning_count": N_("Warnings"),
    "critical_count": N_("Critical"),
    "check_count": N_("Checks"),
    "source": N_("According to"),
    "computed_at": N_("Computed"),
    "age_seconds": N_("Age"),
    "is_stale": N_("Up to date"),
    "error_ids": N_("Failed checks"),
    "critical_ids": N_("Critical checks"),
    "risk_level": N_("Risk level"),
    "risk_score": N_("Risk score"),
    "max_risk_level": N_("Highest level allowed"),
    "window_days": N_("Days looked back"),
    "max_age_hours": N_("Oldest allowed"),
    "max_age_days": N_("Oldest allowed"),
    "latest_run_at": N_("Last run"),
    "latest_status": N_("Result of the last run"),
    "latest_run_id": N_("Number of the last run"),
    "latest_restore_valid": N_("Restore proven"),
    "enabled": N_("Switched on"),
    "rollback_ready": N_("Rollback prepared"),
    "runbook_gate_passed": N_("Runbook gate passed"),
    "rollback_reference_match": N_("Rollback guide matches"),
    "rollback_reference_sha256_match": N_("Checksum of the guide matches"),
    "current_checklist_version": N_("Current checklist"),
    "latest_checklist_version": N_("Checklist of the last run"),
    "checklist_version_match": N_("Checklist matches"),
    "ui_main_shell_checked": N_("Main page checked"),
    "ui_main_shell_status": N_("Result of the main page"),
    "current_streak_weeks": N_("Weeks in a row"),
    "target_weeks": N_("Weeks wanted"),
    "configured_target_weeks": N_("Weeks wanted in the long run"),
    "latest_success_at": N_("Last success"),
    "allow_warning": N_("GO with warnings"),
    "max_security_risk_level": N_("Highest security risk"),
    "require_preflight_no_error": N_("Preflight required"),
    "require_runbook_no_critical": N_("Runbook required"),
    "require_daily_check_recent": N_("Daily check required"),
    "daily_check_max_age_hours": N_("Daily check not older than"),
    "require_dr_restore_valid_recent": N_("Recovery proof required"),
    "dr_max_age_days": N_("Recovery proof not older than"),
    "require_deploy_smoke_binding_recent": N_("Deploy smoke test required"),
    "deploy_smoke_max_age_hours": N_("Deploy smoke test not older than"),
    "require_weekly_streak_target_met": N_("Weekly reports required"),
    "security_dashboard_days": N_("Window of the security risk"),
    "dr_weight": N_("Weight of the recovery proof"),
    "min_weighted_score_percent": N_("Least weighted score"),
    "generated_at": N_("Computed"),
    "decision": N_("Verdict"),
    "failure_count": N_("Failed rules"),
    "created_count": N_("Newly opened"),
    "reopened_count": N_("Opened again"),
    "resolved_count": N_("Closed"),
    "active_count": N_("Items on the board"),
    "candidate_count": N_("Items in question"),
    "assigned_count": N_("Assigned"),
    "skipped_count": N_("Skipped"),
    "no_candidate_count": N_("Nobody fits"),
    "notified_count": N_("Alerts sent"),
    "suppressed_count": N_("Alerts held back"),
    "processed_count": N_("Processed"),
    "success_count": N_("Succeeded"),
    "failed_count": N_("Failed"),
    "dead_count": N_("Given up"),
    "deleted_count": N_("Deleted"),
    "scanned_count": N_("Scanned"),
    "quarantined_count": N_("Quarantined"),
    "retention_days": N_("Days kept"),
    "keep_days": N_("Days kept"),
    "entry_count": N_("Entries"),
    "month": N_("Month"),
    "dry_run": N_("Dry run"),
    "force": N_("Forced"),
    "skipped": N_("Skipped"),
}
STATUS_FIELDS = frozenset({"decision", "overall_status", "latest_status", "ui_main_shell_status", "risk_level"})
# Limits are words of the same kind, but nothing to worry about.
WORD_FIELDS = frozenset({"max_risk_level", "max_security_risk_level"})
OWN_KINDS = {
    **dict.fromkeys(STATUS_FIELDS, "status"),
    **dict.fromkeys(WORD_FIELDS, "word"),
    "age_seconds": "length",
    "is_stale": "stale",
}

UNITS = frozenset({"percent", "hours", "days", "minutes"})


def label(table: Mapping[str, str], key: str) -> str:
    """Return the message id for a key; required variables are named by themselves, unknown keys stay as they are."""
    if key.startswith("required_env_"):
        return key.removeprefix("required_env_").upper()
    return table.get(key, key)


def kind_of(key: str, value: Any) -> str:
    """Tell how a value of evidence is written.

    One of none, flag, length, stale, status, word, instant, number, list, text, or a number's unit: percent, hours,
    days, minutes.
    """
    if value is None or value == []:
        return "none"
    if key in OWN_KINDS:
        return OWN_KINDS[key]
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, (int, float)):
        unit = key.rpartition("_")[2]
        return unit if unit in UNITS else "number"
    if isinstance(value, list):
        return "list"
    return "instant" if key.endswith("_at") else "text"


def instant(value: str | datetime) -> datetime:
    """Read an instant as stored evidence has it."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def named(text: Text | Mapping[str, Any]) -> Text | Mapping[str, Any]:
    """Return a sentence whose `ids` or `names` are keys of checks or of evidence with what people call them."""
    params = text.params if isinstance(text, Text) else text.get("params") or {}
    for key, labels in (("ids", CHECKS), ("names", FIELDS)):
        words = str(params.get(key) or "").split(", ")
        if all(word in labels for word in words):
            msgid = text.msgid if isinstance(text, Text) else str(text.get("msgid", ""))
            return Text(msgid, {**params, key: tuple(Text(labels[word]) for word in words)})
    return text
