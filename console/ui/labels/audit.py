"""Audit actions and reasons as people read them; the words of the trail themselves stay beside them in English."""

from __future__ import annotations

from console.domain.programme.catalogue import WEEKS
from console.domain.text import N_

ACTIONS: dict[str, str] = {
    "admin_audit_archive_export_csv": N_("Audit archive downloaded as CSV"),
    "admin_audit_archive_export_json": N_("Audit archive downloaded"),
    "admin_audit_archive_monthly_run": N_("Month archived"),
    "admin_audit_chain_acknowledge": N_("Loss of a log acknowledged"),
    "admin_audit_chain_rebaseline": N_("Audit hashes recomputed"),
    "admin_audit_log_export_csv": N_("Audit log downloaded as CSV"),
    "admin_site_create": N_("Site created"),
    "admin_site_update": N_("Site changed"),
    "admin_token_auto_disable": N_("Token switched off by its dates"),
    "admin_token_auto_revoke_quota": N_("Tokens above the limit revoked"),
    "admin_token_issue": N_("Token issued"),
    "admin_token_revoke": N_("Token revoked"),
    "admin_token_rotate": N_("Token rotated"),
    "admin_user_create": N_("User created"),
    "admin_user_password_reset": N_("Password reset"),
    "admin_user_set_active": N_("User switched on or off"),
    "admin_user_update": N_("User changed"),
    "alert_delivery_retry": N_("Alert sent again"),
    "alert_mark_false": N_("Alert marked as false"),
    "alert_mark_missed": N_("Missed alert recorded"),
    "alert_mark_withdraw": N_("Mark of an alert taken back"),
    "auth_denied": N_("Sign-in refused"),
    "auth_login_failed": N_("Sign-in failed"),
    "auth_login_success": N_("Sign-in"),
    "auth_logout": N_("Signed out"),
    "auth_logout_all": N_("Signed out everywhere"),
    "auth_password_change": N_("Own password changed"),
    "auth_profile_update": N_("Own profile changed"),
    "auth_second_factor_failed": N_("Second factor was wrong"),
    "auth_second_factor_off": N_("Second factor switched off"),
    "auth_second_factor_on": N_("Second factor switched on"),
    "auth_passkey_add": N_("Passkey added"),
    "auth_passkey_remove": N_("Passkey removed"),
    "auth_passkey_rename": N_("Passkey renamed"),
    "auth_passkey_use": N_("Passkey used"),
    "auth_recovery_codes_renew": N_("Recovery codes renewed"),
    "auth_recovery_code_used": N_("Recovery code used"),
    "admin_user_second_factor_reset": N_("Second factor taken away"),
    "auth_self_deactivate": N_("Own account switched off"),
    "inspection_create": N_("Inspection stored"),
    "inspection_template_publish": N_("Inspection template published"),
    "job_run_cancel": N_("Run stopped"),
    "job_run_request": N_("Run requested"),
    "ops_deploy_smoke_record": N_("Deploy smoke test recorded"),
    "ops_governance_gate_remediation_csv_export": N_("Plan downloaded as CSV"),
    "ops_api_burn_alert_check": N_("Alerts on error budgets begun or ended"),
    "ops_governance_gate_run": N_("Gate judged"),
    "ops_runbook_critical_review_run": N_("Runbook gate reviewed"),
    "ops_runbook_daily_check_archive_csv_export": N_("Daily checks downloaded as CSV"),
    "ops_runbook_daily_check_file_export": N_("File of a daily check downloaded"),
    "ops_runbook_daily_check_run": N_("Daily check run"),
    "ops_runbook_daily_check_summary_csv_export": N_("Newest daily check downloaded as CSV"),
    "ops_governance_remediation_tracker_auto_assign_run": N_("Items assigned automatically"),
    "ops_governance_remediation_tracker_autopilot_anomalies_csv_export": N_("Anomalies downloaded as CSV"),
    "ops_governance_remediation_tracker_autopilot_force": N_("Autopilot run past its guard"),
    "ops_governance_remediation_tracker_autopilot_history_csv_export": N_("Runs of the autopilot downloaded as CSV"),
    "ops_governance_remediation_tracker_autopilot_policy_approve": N_("Change of the autopilot policy approved"),
    "ops_governance_remediation_tracker_autopilot_policy_propose": N_("Change of the autopilot policy proposed"),
    "ops_governance_remediation_tracker_autopilot_policy_reject": N_("Change of the autopilot policy turned down"),
    "ops_governance_remediation_tracker_autopilot_policy_update": N_("Autopilot policy changed"),
    "ops_governance_remediation_tracker_autopilot_summary_csv_export": N_("Summary of the autopilot downloaded as CSV"),
    "ops_governance_remediation_tracker_autopilot_policy_withdraw": N_("Change of the autopilot policy withdrawn"),
    "ops_governance_remediation_tracker_autopilot_run": N_("Autopilot ran"),
    "ops_governance_remediation_tracker_complete": N_("Tracker completed"),
    "ops_governance_remediation_tracker_evidence_download": N_("Evidence downloaded"),
    "ops_governance_remediation_tracker_evidence_quarantine": N_("Evidence quarantined"),
    "ops_governance_remediation_tracker_evidence_remove": N_("Evidence removed"),
    "ops_governance_remediation_tracker_evidence_upload": N_("Evidence added"),
    "ops_governance_remediation_tracker_escalation_run": N_("Late items escalated"),
    "ops_governance_remediation_tracker_item_bulk_update": N_("Several items changed"),
    "ops_governance_remediation_tracker_item_comment": N_("Item commented"),
    "ops_governance_remediation_tracker_item_create": N_("Item added"),
    "ops_governance_remediation_tracker_item_undo": N_("Change of items taken back"),
    "ops_governance_remediation_tracker_item_update": N_("Item changed"),
    "ops_governance_remediation_tracker_kpi_run": N_("Figures taken"),
    "ops_governance_remediation_tracker_sync": N_("Board synced with the gate"),
    "permission_denied": N_("Permission refused"),
    "tracker_tallies_repair": N_("Numbers of items made anew"),
    "workflow_lock_approve": N_("Workflow approved"),
    "workflow_lock_create": N_("Draft of a workflow begun"),
    "workflow_lock_lock": N_("Workflow locked"),
    "workflow_lock_reject": N_("Workflow sent back"),
    "workflow_lock_submit": N_("Workflow handed in for review"),
    "workflow_lock_unlock": N_("Lock of a workflow opened"),
    "workflow_lock_update_draft": N_("Draft of a workflow changed"),
    "work_order_ack": N_("Work order begun"),
    "work_order_cancel": N_("Work order canceled"),
    "work_order_claim": N_("Work order taken"),
    "work_order_comment_add": N_("Work order commented"),
    "work_order_complete": N_("Work order completed"),
    "work_order_create": N_("Work order created"),
    "work_order_hold": N_("Work order made to wait"),
    "work_order_reopen": N_("Work order opened again"),
    "work_order_resume": N_("Work order taken up again"),
    "work_order_update": N_("Work order changed"),
}

# What happens to a week of the programme; its code stands in front of the word.
WEEK_ACTIONS: dict[str, str] = {
    "completion_package_download": N_("Package of a week downloaded"),
    "tracker_bootstrap": N_("Week begun at a site"),
    "tracker_complete": N_("Week completed"),
    "tracker_evidence_download": N_("Evidence downloaded"),
    "tracker_evidence_remove": N_("Evidence removed"),
    "tracker_evidence_upload": N_("Evidence added"),
    "tracker_item_bulk_update": N_("Several items of a week changed"),
    "tracker_item_comment": N_("Item of a week commented"),
    "tracker_item_undo": N_("Change of a week's items taken back"),
    "tracker_item_update": N_("Item of a week changed"),
}

REASONS: dict[str, str] = {
    "prev_hash_mismatch": N_("The link to the entry before does not fit."),
    "entry_hash_mismatch": N_("The content is not the one that was written."),
    "sequence_gap": N_("Entries before this one are missing."),
    "keyed_hash_missing": N_("The entry carries no proof that the product wrote it."),
    "keyed_hash_mismatch": N_("The product did not write the entry like this."),
    "keyed_hash_unknown_key": N_("The entry was written with a key that is not known here."),
    "head_mismatch": N_("The newest entries are missing, or some were added outside the system."),
    "checkpoint_mismatch": N_(
        "A signed checkpoint says something else: entries were changed or cut off, or an older backup was restored."
    ),
    "checkpoint_invalid": N_("A checkpoint is not genuine."),
    "checkpoint_missing": N_("The checkpoint before this one is gone."),
    "checkpoint_file_incomplete": N_("The line of this checkpoint is gone from its file."),
    "chain_missing": N_("A log whose checkpoints were signed here is gone."),
}


def action_label(action: str) -> str:
    """Return the message id of an action, or the word itself when it has no other."""
    code, _line, rest = action.partition("_")
    return WEEK_ACTIONS.get(rest, action) if code in WEEKS else ACTIONS.get(action, action)


def reason_label(reason: str) -> str:
    """Return the message id of what a verification found."""
    return REASONS.get(reason, reason)
