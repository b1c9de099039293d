"""The security posture: settings and stored facts side by side (API contract, security posture).

A value whose facts this installation does not have is None: unknown is said, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.core.config import Config
from console.core.context import Context
from console.domain.alerts.alerts import WEBHOOK
from console.domain.evidence.evidence import MODULES, published_module
from console.domain.jobs import names as job_names
from console.domain.releases.checklist import Checklist
from console.domain.reliability.latency import LatencySnapshot
from console.domain.runbook import daily
from console.services.alerts import accuracy_lists, channels, slo
from console.services.audit import record as audit
from console.services.evidence import store as evidence_store
from console.services.gate import gate
from console.services.jobs import runs
from console.services.jobs.runs import Run
from console.services.policies import policies
from console.services.releases import checklist
from console.services.reliability import latency
from console.services.reliability.latency import MemorySamples
from console.services.runbook import evidence_facts, preflight, runbook

READ = ("admins:manage", "security:read")


def view(
    ctx: Context,
    memory: Mapping[str, MemorySamples] | None = None,
    *,
    latency_seen: LatencySnapshot | None = None,
) -> dict[str, Any]:
    """Return the posture in its published shape; `memory` as for the latency snapshot, which the caller may bring."""
    ctx.actor.require(*READ)
    config = ctx.config
    latest = runs.latest_per_job(ctx, (gate.DEPLOY_SMOKE, gate.DR_REHEARSAL, job_names.W07_WEEKLY))
    return {
        "generated_at": ctx.now(),
        "env": config["ENV"],
        "rate_limit": runbook.rate_limit_facts(config),
        "audit_archive_signing": runbook.signing(config),
        "api_latency": latency_seen or latency.snapshot(ctx, memory),
        "deploy_smoke_policy": _deploy(checklist.current(ctx), latest.get(gate.DEPLOY_SMOKE)),
        "evidence_archive_integrity_policy": {
            "sample_per_table": config["EVIDENCE_INTEGRITY_SAMPLE_PER_TABLE"],
            "max_issues": config["EVIDENCE_INTEGRITY_MAX_ISSUES"],
            "modules": [published_module(module) for module in MODULES],
        },
        "preflight": _preflight(ctx),
        "ops_quality_reports": _quality(ctx),
        "dr_rehearsal": _dr(config, latest.get(gate.DR_REHEARSAL)),
        "alerting": _alerting(ctx, latest.get(job_names.W07_WEEKLY)),
        "evidence_storage_backend": evidence_store.backend(config),
        "token_policy": {
            name: config[f"ADMIN_TOKEN_{name.upper()}"]
            for name in (
                "require_expiry",
                "max_ttl_days",
                "rotate_after_days",
                "rotate_warning_days",
                "max_idle_days",
                "max_active_per_user",
            )
        },
        "audit_append_failures": audit.append_failures(),
        "business_time_zone": config["BUSINESS_TIME_ZONE"],
    }


def _deploy(current: Checklist, run: runs.Run | None) -> dict[str, Any]:
    detail = run.detail if run else {}
    return {
        "checklist_version": current.version,
        "recent_hours": current.policy.deploy_smoke_recent_hours,
        "require_runbook_gate": current.policy.require_runbook_gate,
        "latest_run_at": run.finished_at if run else None,
        "latest_status": run.status if run else None,
        "latest_runbook_gate_passed": detail.get("runbook_gate_passed"),
        "latest_rollback_ready": detail.get("rollback_ready"),
        "checklist_signature": current.signature,
        "checklist_version_source": current.version_source,
    }


def _preflight(ctx: Context) -> dict[str, Any]:
    seen = preflight.facts(ctx)
    return {
        "overall_status": seen.overall_status,
        "has_error": bool(seen.error_count),
        "error_count": seen.error_count,
        "warning_count": seen.warning_count,
        "fail_on_error": ctx.config["PREFLIGHT_FAIL_ON_ERROR"],
        "source": seen.source,
        "age_seconds": seen.age_seconds,
    }


def _quality(ctx: Context) -> dict[str, Any]:
    streak = evidence_facts.streak(ctx)
    return {
        "archive_enabled": ctx.config["OPS_QUALITY_REPORT_ARCHIVE_ENABLED"],
        "archive_path": str(ctx.config.path("OPS_QUALITY_REPORT_ARCHIVE_PATH")),
        "archive_retention_days": ctx.config.get("OPS_QUALITY_REPORT_ARCHIVE_RETENTION_DAYS"),
        "weekly_streak_target": ctx.config["OPS_QUALITY_WEEKLY_STREAK_TARGET"],
        "weekly_streak_current": streak.current_streak_weeks,
        "weekly_streak_met": streak.target_met,
    }


def _dr(config: Config, run: runs.Run | None) -> dict[str, Any]:
    return {
        "enabled": config["DR_REHEARSAL_ENABLED"],
        "backup_path": str(config.path("DR_REHEARSAL_BACKUP_PATH")),
        "retention_days": config.get("DR_REHEARSAL_RETENTION_DAYS"),
        "latest_run_at": run.finished_at if run else None,
        "latest_status": run.status if run else None,
        "latest_restore_valid": run.detail.get("restore_valid") if run else None,
    }


# Published field -> the setting behind it. Fields whose part of the product is not there yet stay None.
_ALERTING = {
    "ops_daily_check_alert_level": "OPS_DAILY_CHECK_ALERT_LEVEL",
    "ops_daily_check_archive_enabled": "OPS_DAILY_CHECK_ARCHIVE_ENABLED",
    "ops_daily_check_archive_path": "OPS_DAILY_CHECK_ARCHIVE_PATH",
    "ops_daily_check_archive_retention_days": "OPS_DAILY_CHECK_ARCHIVE_RETENTION_DAYS",
    "channel_guard_enabled": "ALERT_CHANNEL_GUARD_ENABLED",
    "channel_guard_fail_threshold": "ALERT_CHANNEL_GUARD_FAIL_THRESHOLD",
    "channel_guard_cooldown_minutes": "ALERT_CHANNEL_GUARD_COOLDOWN_MINUTES",
    "guard_recover_max_targets": "ALERT_GUARD_RECOVER_MAX_TARGETS",
    "retention_days": "ALERT_RETENTION_DAYS",
    "retention_max_delete": "ALERT_RETENTION_MAX_DELETE",
    "retention_archive_enabled": "ALERT_RETENTION_ARCHIVE_ENABLED",
    "mttr_slo_enabled": None,
    "mttr_slo_window_days": None,
    "mttr_slo_threshold_minutes": None,
    "mttr_slo_min_incidents": None,
    "mttr_slo_auto_recover_enabled": None,
    "mttr_slo_recover_state": None,
    "mttr_slo_recover_max_targets": None,
    "mttr_slo_notify_enabled": None,
    "mttr_slo_notify_event_type": None,
    "mttr_slo_notify_cooldown_minutes": None,
    "mttr_slo_top_channels": None,
    "mttr_slo_policy_updated_at": None,
    "w07_quality_alert_enabled": "W07_QUALITY_ALERT_ENABLED",
    "w07_quality_alert_cooldown_minutes": "W07_QUALITY_ALERT_COOLDOWN_MINUTES",
    "w07_quality_escalation_threshold_percent": "W07_QUALITY_ALERT_ESCALATION_RATE_THRESHOLD",
    "w07_quality_alert_success_threshold_percent": "W07_QUALITY_ALERT_SUCCESS_RATE_THRESHOLD",
    "w07_quality_webhook_target_count": None,
    "w07_quality_weekly_latest_run_at": None,
    "w07_quality_weekly_latest_status": None,
    "w07_quality_weekly_latest_degraded": None,
    "w07_quality_archive_enabled": "W07_WEEKLY_ARCHIVE_ENABLED",
    "w07_quality_archive_path": "W07_WEEKLY_ARCHIVE_PATH",
}


def _alerting(ctx: Context, weekly: Run | None) -> dict[str, Any]:
    config, objective = ctx.config, policies.resolve(ctx, slo.KIND)
    known = channels.listed(ctx)
    return {
        "webhook_target_count": sum(one.kind == WEBHOOK for one in known),
        **{field: _value(config, name) if name else None for field, name in _ALERTING.items()},
        "ops_daily_check_alert_level": daily.alert_level(config["OPS_DAILY_CHECK_ALERT_LEVEL"]),
        **{f"mttr_slo_{name}": value for name, value in objective.values.items()},
        "mttr_slo_policy_updated_at": objective.updated_at,
        "w07_quality_webhook_target_count": len(known),
        "w07_quality_weekly_latest_run_at": weekly.finished_at if weekly else None,
        "w07_quality_weekly_latest_status": weekly.status if weekly else None,
        "w07_quality_weekly_latest_degraded": weekly.detail.get("degradation", {}).get("degraded") if weekly else None,
    }


def _value(config: Config, name: str) -> Any:
    # A folder is told as it is found, like the archives tell it: relative to DATA_DIR it would be none.
    return str(config.path(name)) if name.endswith("_PATH") else config[name]


def noise_policy(ctx: Context) -> dict[str, Any]:
    """Return the alert noise policy (API contract, alert noise policy), and what the newest comparison measured.

    Rates are null as long as nothing was measured, or nothing happened that could be missed or false.
    """
    ctx.actor.require(*READ)
    config = ctx.config
    seen = accuracy_lists.noise_facts(ctx)
    return {
        "version": "v1",
        "generated_at": ctx.now(),
        "review_window_days": config["ALERT_NOISE_REVIEW_WINDOW_DAYS"],
        "false_positive_threshold_percent": config["ALERT_NOISE_FALSE_POSITIVE_THRESHOLD_PERCENT"],
        "false_negative_threshold_percent": config["ALERT_NOISE_FALSE_NEGATIVE_THRESHOLD_PERCENT"],
        "policy_doc_path": preflight.NOISE_POLICY,
        "evaluation": {
            "false_positive_definition": "An alert was sent without an incident on which somebody had to act.",
            "false_negative_definition": "An incident was confirmed without a matching alert.",
        },
        "false_positive_rate_percent": seen.false_percent,
        "false_negative_rate_percent": seen.missed_percent,
        "measured_at": seen.measured_at,
        "measured_run_id": seen.run_id,
        "weeks_above": seen.weeks_above,
    }
