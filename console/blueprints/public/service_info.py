"""What the service offers, for clients: keys of addresses and the public list of modules (API contract).

The tables name everything that was ever published; an answer holds only what has a route, so that nothing is promised
before it exists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.blueprints.public.modules import MODULES, MODULES_HEAD, OPS, TRACKER
from console.domain.programme.catalogue import WEEKS
from console.domain.programme.documents import PACKS
from console.domain.programme.measures import METRICS
from console.domain.programme.repeats import POLICY_WORDS
from console.services.programme.publish import downloads

FIXED = {"service": "ka-facility-os", "status": "running", "main_html": "/", "docs": "/docs"}
# Parts of the remediation tracker: the key's middle, and the address where it differs from it.
_TRACKER_PARTS = {
    **{part: part for part in ("sync", "items", "overview", "readiness", "completion", "complete", "sla", "workload")},
    "escalate_run": "escalate/run",
    "escalate_latest": "escalate/latest",
    "auto_assign_run": "auto-assign/run",
    "auto_assign_latest": "auto-assign/latest",
    "kpi": "kpi",
    "kpi_run": "kpi/run",
    "kpi_latest": "kpi/latest",
    **{
        f"autopilot_{part}": f"autopilot/{part}"
        for part in ("run", "latest", "policy", "preview", "guard", "history", "summary", "anomalies")
    },
    "autopilot_history_csv": "autopilot/history.csv",
    "autopilot_summary_csv": "autopilot/summary.csv",
    "autopilot_anomalies_csv": "autopilot/anomalies.csv",
}
PUBLIC, POST_MVP = "/api/public/adoption-plan", "/api/public/post-mvp"
KEYS: dict[str, str] = {
    "auth_me_api": "/api/auth/me",
    "auth_login_api": "/api/auth/login",
    "auth_logout_api": "/api/auth/logout",
    "admin_users_api": "/api/admin/users",
    "admin_user_password_api": "/api/admin/users/{user_id}/password",
    "admin_user_token_issue_api": "/api/admin/users/{user_id}/tokens",
    "admin_tokens_api": "/api/admin/tokens",
    "admin_token_rotate_api": "/api/admin/tokens/{token_id}/rotate",
    "admin_token_revoke_api": "/api/admin/tokens/{token_id}/revoke",
    "admin_token_policy_api": "/api/admin/token-policy",
    "admin_sites_api": "/api/admin/sites",
    "admin_audit_api": "/api/admin/audit-logs",
    "admin_audit_integrity_api": "/api/admin/audit-integrity",
    "admin_audit_rebaseline_api": "/api/admin/audit-chain/rebaseline",
    "admin_audit_archive_monthly_api": "/api/admin/audit-archive/monthly",
    "admin_audit_archive_csv_api": "/api/admin/audit-archive/monthly/csv",
    "public_modules_api": "/api/public/modules",
    "adoption_portal_html": "/web/adoption",
    "facility_console_html": "/web/console",
    "workflow_locks_api": "/api/workflow-locks",
    "work_order_api": "/api/work-orders",
    "work_order_events_api": "/api/work-orders/{id}/events",
    "escalation_api": "/api/work-orders/escalations/run",
    "inspection_api": "/api/inspections",
    "monthly_report_api": "/api/reports/monthly",
    "monthly_report_csv_api": "/api/reports/monthly/csv",
    "monthly_report_pdf_api": "/api/reports/monthly/pdf",
    "sla_simulator_api": f"{OPS}/sla/simulate",
    "sla_policy_api": "/api/admin/policies/sla",
    "sla_policy_proposals_api": "/api/admin/policies/sla/proposals",
    "sla_policy_revisions_api": "/api/admin/policies/sla/revisions",
    "job_runs_api": f"{OPS}/job-runs",
    "alert_deliveries_api": f"{OPS}/alerts/deliveries",
    "alert_retry_api": f"{OPS}/alerts/retries/run",
    "alert_channel_kpi_api": f"{OPS}/alerts/kpi/channels",
    "alert_channel_mttr_kpi_api": f"{OPS}/alerts/kpi/mttr",
    "alert_mttr_slo_policy_api": f"{OPS}/alerts/mttr-slo/policy",
    "alert_mttr_slo_run_api": f"{OPS}/alerts/mttr-slo/check/run",
    "alert_mttr_slo_latest_api": f"{OPS}/alerts/mttr-slo/check/latest",
    "alert_channel_guard_api": f"{OPS}/alerts/channels/guard",
    "alert_channel_guard_recover_api": f"{OPS}/alerts/channels/guard/recover",
    "alert_channel_guard_recover_batch_api": f"{OPS}/alerts/channels/guard/recover-batch",
    "alert_channel_guard_recover_latest_api": f"{OPS}/alerts/channels/guard/recover/latest",
    "alert_retention_policy_api": f"{OPS}/alerts/retention/policy",
    "alert_retention_latest_api": f"{OPS}/alerts/retention/latest",
    "alert_retention_run_api": f"{OPS}/alerts/retention/run",
    "dashboard_summary_api": f"{OPS}/dashboard/summary",
    "dashboard_trends_api": f"{OPS}/dashboard/trends",
    "handover_brief_api": f"{OPS}/handover/brief",
    "handover_brief_csv_api": f"{OPS}/handover/brief/csv",
    "handover_brief_pdf_api": f"{OPS}/handover/brief/pdf",
    "ops_api_latency_api": f"{OPS}/performance/api-latency",
    "ops_evidence_archive_integrity_api": f"{OPS}/integrity/evidence-archive",
    "ops_deploy_checklist_api": f"{OPS}/deploy/checklist",
    "ops_deploy_smoke_record_api": f"{OPS}/deploy/smoke/record",
    "ops_runbook_checks_api": f"{OPS}/runbook/checks",
    "ops_runbook_checks_run_api": f"{OPS}/runbook/checks/run",
    "ops_runbook_checks_latest_api": f"{OPS}/runbook/checks/latest",
    "ops_runbook_checks_latest_summary_json_api": f"{OPS}/runbook/checks/latest/summary.json",
    "ops_runbook_checks_latest_summary_csv_api": f"{OPS}/runbook/checks/latest/summary.csv",
    "ops_runbook_checks_archive_json_api": f"{OPS}/runbook/checks/archive.json",
    "ops_runbook_checks_archive_csv_api": f"{OPS}/runbook/checks/archive.csv",
    "ops_runbook_review_run_api": f"{OPS}/runbook/review/run",
    "ops_runbook_review_latest_api": f"{OPS}/runbook/review/latest",
    "ops_preflight_api": f"{OPS}/preflight",
    "ops_alert_noise_policy_api": f"{OPS}/alerts/noise-policy",
    "ops_security_posture_api": f"{OPS}/security/posture",
    "ops_admin_security_dashboard_api": f"{OPS}/admin/security-dashboard",
    "ops_quality_weekly_report_api": f"{OPS}/reports/quality/weekly",
    "ops_quality_weekly_report_csv_api": f"{OPS}/reports/quality/weekly/csv",
    "ops_quality_monthly_report_api": f"{OPS}/reports/quality/monthly",
    "ops_quality_monthly_report_csv_api": f"{OPS}/reports/quality/monthly/csv",
    "ops_quality_report_run_api": f"{OPS}/reports/quality/run",
    "ops_quality_weekly_streak_api": f"{OPS}/reports/quality/weekly/streak",
    "ops_dr_rehearsal_run_api": f"{OPS}/dr/rehearsal/run",
    "ops_dr_rehearsal_latest_api": f"{OPS}/dr/rehearsal/latest",
    "ops_dr_rehearsal_history_api": f"{OPS}/dr/rehearsal/history",
    "ops_governance_gate_api": f"{OPS}/governance/gate",
    "ops_governance_gate_run_api": f"{OPS}/governance/gate/run",
    "ops_governance_gate_latest_api": f"{OPS}/governance/gate/latest",
    "ops_governance_gate_history_api": f"{OPS}/governance/gate/history",
    "ops_governance_gate_remediation_api": f"{OPS}/governance/gate/remediation",
    "ops_governance_gate_remediation_csv_api": f"{OPS}/governance/gate/remediation/csv",
    **{f"ops_governance_remediation_tracker_{key}_api": f"{TRACKER}/{part}" for key, part in _TRACKER_PARTS.items()},
    **{
        f"adoption_{week}_tracker_{part}_api": f"/api/adoption/{week}/tracker/{part}"
        for week in WEEKS
        for part in ("bootstrap", "items", "overview", "readiness", "completion", "complete")
    },
    **{f"adoption_{key.replace('/', '_').replace('-', '_')}_api": f"{OPS}/adoption/{key}" for key in METRICS},
    **{
        f"adoption_{code}_{kind.replace('-', '_')}_api": f"{OPS}/adoption/{code}/{kind}"
        for code, kind in POLICY_WORDS.items()
    },
    "public_adoption_plan_api": PUBLIC,
    "public_adoption_campaign_api": f"{PUBLIC}/campaign",
    "public_adoption_schedule_csv_api": f"{PUBLIC}/schedule.csv",
    "public_adoption_schedule_ics_api": f"{PUBLIC}/schedule.ics",
    "public_adoption_w04_common_mistakes_html": "/web/adoption/w04/common-mistakes",
    "public_post_mvp_plan_api": POST_MVP,
    "public_post_mvp_backlog_csv_api": f"{POST_MVP}/backlog.csv",
    "public_post_mvp_release_ics_api": f"{POST_MVP}/releases.ics",
    "public_post_mvp_kpi_api": f"{POST_MVP}/kpi-dashboard",
    "public_post_mvp_risks_api": f"{POST_MVP}/risks",
    "adoption_w07_automation_readiness_api": f"{OPS}/adoption/w07/automation-readiness",
    **{
        f"adoption_w07_sla_quality_weekly_{key}_api": f"{OPS}/adoption/w07/sla-quality/{part}"
        for key, part in (
            *(("run", "run-weekly"), ("latest", "latest-weekly")),
            *(("trends", "trends"), ("archive_csv", "archive.csv")),
        )
    },
    "adoption_w07_tracker_completion_package_api": "/api/adoption/w07/tracker/completion-package",
}

# A question whether an address, with its arguments in braces, has a route.
Exists = Callable[[str], bool]


def service_info(exists: Exists) -> dict[str, str]:
    """Return key -> address of everything that has a route."""
    return {**FIXED, **{key: address for key, address in {**KEYS, **_packs()}.items() if exists(address)}}


def _packs() -> dict[str, str]:
    """Return the keys of every week that publishes something, with all its files."""
    made = {}
    for code, document in PACKS.items():
        for key, address in downloads(document).items() if document["layout"] else ():
            made[f"public_adoption_{code}_api" if key == "json" else f"public_adoption_{code}_{key}_api"] = address
    return made


def modules(exists: Exists) -> dict[str, Any]:
    """Return the public modules that have at least one route, with the links that lead somewhere."""
    listed = []
    for id_, name, name_ko, description, kpi_hint, links in MODULES:
        found = [{"label": label, "href": href} for label, href in links if exists(href)]
        if found:
            made = {"id": id_, "name": name, "name_ko": name_ko, "description": description, "kpi_hint": kpi_hint}
            listed.append({**made, "links": found})
    return {**MODULES_HEAD, "modules": listed}
