"""What the tests of the automation's and of the autopilot's endpoints share."""

import json

from sqlalchemy import select

from console.models.audit import AuditLog

T = "/api/ops/governance/gate/remediation/tracker"
A = f"{T}/autopilot"
PREFIX = "ops_governance_remediation_tracker_"
RUN = ("run_id", "job_name", "trigger", "status", "started_at", "finished_at")
M = ("open_items", "overdue_count", "unassigned_open_count", "critical_open_count")
FIELDS = (
    *("enabled", "notify_enabled", "unassigned_trigger", "overdue_trigger", "cooldown_minutes", "skip_if_no_action"),
    *("kpi_window_days", "kpi_due_soon_hours", "escalation_due_soon_hours", "auto_assign_max_items"),
)
METRICS = (
    *("total_items", "active_items", "open_items", "pending_count", "in_progress_count", "done_count"),
    *("blocked_count", "completion_rate_percent", "critical_open_count", "unassigned_open_count", "overdue_count"),
    *("due_soon_count", "done_last_window_count", "throughput_per_day", "avg_open_age_hours"),
    *("median_open_age_hours", "oldest_open_age_hours"),
)
GUARD = (
    *("checked_at", "force", "cooldown_minutes", "ready", "blocked", "reason", "last_run_id", "last_run_at"),
    *("next_allowed_at", "minutes_until_ready"),
)
EVALUATION = (
    *("checked_at", "force", "policy", "metrics", "should_run_auto_assign", "should_run_escalation"),
    *("planned_actions", "kpi_snapshot"),
)


def ok(response, *keys):
    """Assert an answer whose first keys are the published ones, in their order."""
    assert response.status_code == 200, response.text
    assert tuple(response.json)[: len(keys)] == keys
    return response.json


def audited(session, action):
    session.rollback()
    rows = session.scalars(select(AuditLog).where(AuditLog.action == PREFIX + action).order_by(AuditLog.id))
    return [(row.resource_type, row.resource_id, row.status, json.loads(row.detail_json)) for row in rows]
