"""Preflight, latency, runbook, posture and security dashboard over the API."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.models.audit import AuditLog
from console.models.runbook import PreflightSnapshot
from console.services.gate import posture
from console.web.extensions import db
from tests.conftest import TokenClient
from tests.factories import make_token, make_user

OPS = "/api/ops"


@pytest.fixture
def storing(make_app, session, clock):
    """A client of an application that stores samples."""
    app = make_app(API_LATENCY_PERSIST_ENABLED=True, API_LATENCY_TARGETS=("GET /health", f"GET {OPS}/preflight"))
    user = make_user(session, now=clock.now(), role="owner")
    client = TokenClient(app, app.response_class, use_cookies=False)
    client.token = make_token(session, user, now=clock.now())
    session.commit()
    yield client
    with app.app_context():
        db.engine.dispose()


def test_preflight_has_the_published_keys_and_its_source(api):
    body = api().get(f"{OPS}/preflight").json

    assert list(body)[:9] == [
        "generated_at", "env", "fail_on_error", "overall_status", "has_error", "error_count", "warning_count",
        "check_count", "checks",
    ]  # fmt: skip
    assert list(body["checks"][0])[:4] == ["id", "severity", "status", "message"]
    assert (body["source"], body["age_seconds"], body["instances"]) == ("this_process", 0, [])
    assert body["env"] == "test"


def test_refreshing_stores_the_preflight_of_this_process(api, session):
    body = api().get(f"{OPS}/preflight?refresh=true").json

    assert body["source"].startswith("web-")
    assert [one["kind"] for one in body["instances"]] == ["web"]
    session.rollback()
    assert session.scalar(select(func.count()).select_from(PreflightSnapshot)) == 1


def test_a_second_look_within_a_minute_is_as_fresh_as_the_first(api, clock):
    caller = api()
    seen = []
    for _ in range(3):
        clock.advance(timedelta(seconds=5))
        body = caller.get(f"{OPS}/preflight?refresh=true").json
        seen.append((body["age_seconds"], len(body["instances"])))

    assert seen == [(0, 1)] * 3


def test_samples_survive_an_emptied_memory(storing):
    for _ in range(9):
        storing.get("/health")

    body = storing.get(f"{OPS}/performance/api-latency").json

    assert list(body["endpoints"][0])[:6] == ["endpoint", "method", "path", "sample_source", "sample_count", "p95_ms"]
    health = body["endpoints"][0]
    assert (health["endpoint"], health["sample_source"]) == ("GET /health", "database")
    assert health["sample_count"] >= 9
    assert set(health["burn_windows"]) == {"short", "long"}
    assert body["burn_rate"]["error_budget_percent"] == 1.0


def test_without_persistence_the_memory_of_this_process_answers(api, client):
    for _ in range(3):
        client.get("/health")

    health = api().get(f"{OPS}/performance/api-latency").json["endpoints"][0]

    assert health["sample_source"] == "memory"
    assert health["sample_count"] >= 3


def test_the_runbook_lists_the_checks_whose_facts_exist(api):
    body = api().get(f"{OPS}/runbook/checks").json

    # What this product added stands after the published checks.
    assert [check["id"] for check in body["checks"]][:25] == [
        "sla_cron_recent",
        "alert_retry_recent",
        "startup_preflight",
        "ops_quality_weekly_report_streak",
        "ops_daily_check_archive",
        "api_latency_p95",
        "api_burn_rate",
        "audit_chain_integrity",
        "evidence_archive_integrity_batch",
        "deploy_smoke_checklist",
        "runbook_critical_monthly_review",
        "migration_rollback_guide",
        "token_expiry_pressure",
        "rate_limit_backend",
        "audit_archive_signing",
        "alert_channel_guard",
        "alert_retention_recent",
        "alert_guard_recovery_recent",
        "alert_mttr_slo_recent",
        "alert_noise_policy_documented",
        "alert_mttr_slo_breach",
        "w07_weekly_quality_recent",
        "dr_rehearsal_recent",
        "ops_quality_weekly_report_recent",
        "w07_quality_alert_channel",
    ]
    by_id = {check["id"]: check for check in body["checks"]}
    assert by_id["migration_rollback_guide"]["path"] == "docs/W15_MIGRATION_ROLLBACK.md"
    assert by_id["alert_noise_policy_documented"]["path"] == "docs/W17_ALERT_NOISE_POLICY.md"
    assert by_id["rate_limit_backend"]["active_backend"] == "memory"
    assert by_id["audit_archive_signing"]["algorithm"] == "hmac-sha256"
    assert body["overall_status"] in {"ok", "warning"}


def test_the_noise_policy_has_its_numbers(api):
    body = api().get(f"{OPS}/alerts/noise-policy").json

    assert list(body) == [
        "version", "generated_at", "review_window_days", "false_positive_threshold_percent",
        "false_negative_threshold_percent", "policy_doc_path", "evaluation",
        "false_positive_rate_percent", "false_negative_rate_percent", "measured_at", "measured_run_id", "weeks_above",
    ]  # fmt: skip
    assert (body["review_window_days"], body["false_positive_threshold_percent"]) == (14, 5.0)


def test_the_posture_has_every_published_block(api):
    body = api().get(f"{OPS}/security/posture").json

    assert list(body)[:13] == [
        "generated_at", "env", "rate_limit", "audit_archive_signing", "api_latency", "deploy_smoke_policy",
        "evidence_archive_integrity_policy", "preflight", "ops_quality_reports", "dr_rehearsal", "alerting",
        "evidence_storage_backend", "token_policy",
    ]  # fmt: skip
    assert list(body["rate_limit"]) == [
        "status", "message", "configured_store", "active_backend", "redis_url_configured", "redis_client_ready",
        "redis_ping_ok", "redis_error",
    ]  # fmt: skip
    assert body["token_policy"] == {
        "require_expiry": True, "max_ttl_days": 30, "rotate_after_days": 45, "rotate_warning_days": 7,
        "max_idle_days": 30, "max_active_per_user": 5,
    }  # fmt: skip
    assert body["audit_archive_signing"]["algorithm"] == "hmac-sha256"
    assert body["dr_rehearsal"]["latest_run_at"] is None
    assert (body["alerting"]["webhook_target_count"], body["alerting"]["retention_days"]) == (0, None)


def test_the_posture_counts_the_webhooks(make_ctx):
    ctx = make_ctx()
    urls = "https://a.example/1, https://a.example/2; https://a.example/1"
    wired = replace(ctx, config=ctx.config.replaced(ALERT_WEBHOOK_URLS=urls, ALERT_SLACK_URLS="https://c.example/3"))

    assert posture.view(wired)["alerting"]["webhook_target_count"] == 2


def test_the_posture_tells_no_secret(api, config):
    text = api().get(f"{OPS}/security/posture").text
    secrets = [config[name] for name in ("SECRET_KEY", "AUDIT_ARCHIVE_SIGNING_KEY", "AUDIT_CHAIN_KEY")]

    assert all(secrets)
    assert [secret for secret in secrets if secret in text] == []


def test_the_security_dashboard_has_the_published_fields(api):
    body = api().get(f"{OPS}/admin/security-dashboard?days=7").json

    assert set(body["users"]) == {"total_users", "active_users"}
    assert set(body["tokens"]) == {
        "active_tokens", "expiring_7d", "stale_14d", "dormant_30d", "rotate_overdue", "wildcard_scope_tokens",
        "non_owner_wildcard_tokens",
    }  # fmt: skip
    assert set(body["actions"]) == {"total", "failed_or_warning", "sensitive_total", "off_hours_total", "unique_actors"}
    assert body["coverage"] == {"active_users_without_token": 0}
    assert 0 <= body["risk"]["score"] <= 100
    assert body["window_days"] == 7


def test_anomalies_come_with_korean_advice(api, session, clock):
    make_user(session, now=clock.now())
    session.commit()

    body = api().get(f"{OPS}/admin/security-dashboard").json

    assert [one["id"] for one in body["anomalies"]] == ["users_without_active_token"]
    assert list(body["anomalies"][0]) == ["id", "status", "metric", "threshold", "message"]
    assert "사용자" in body["recommendations"][0]
    assert body["overall_status"] == "warning"


@pytest.mark.parametrize("days", ["0", "181", "x"])
def test_days_out_of_bounds_are_422(api, days):
    assert api().get(f"{OPS}/admin/security-dashboard?days={days}").status_code == 422


PATHS = [
    "preflight", "performance/api-latency", "runbook/checks", "alerts/noise-policy", "security/posture",
    "admin/security-dashboard",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_reading_never_enters_the_audit_chain(api, session, path):
    assert api().get(f"{OPS}/{path}").status_code == 200

    session.rollback()
    assert session.scalar(select(func.count()).select_from(AuditLog)) == 0


@pytest.mark.parametrize("path", ["preflight", "security/posture", "admin/security-dashboard", "alerts/noise-policy"])
@pytest.mark.parametrize(("role", "status"), [("manager", 200), ("auditor", 200), ("operator", 403)])
def test_who_reads_about_security(api, path, role, status):
    assert api(role).get(f"{OPS}/{path}").status_code == status
