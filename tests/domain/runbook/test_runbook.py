"""The registry of runbook checks and every verdict of the checks that exist."""

from datetime import UTC, datetime, timedelta

import pytest

from console.domain.gate.rules import LatestRun, PreflightFacts
from console.domain.reliability.latency import Samples, judge, summarize
from console.domain.reliability.policy import LatencyPolicy, Target, WindowCounts
from console.domain.runbook import automation_checks as runbook_automation
from console.domain.runbook import checks as runbook_checks
from console.domain.runbook import runbook
from console.domain.runbook.accuracy_check import NoiseFacts
from console.domain.runbook.alert_checks import OutboxFacts
from console.domain.runbook.channel_checks import ChannelFacts
from console.domain.runbook.checks import ChainFacts, DocumentFacts, RateLimitFacts, SigningFacts, TokenFacts
from console.domain.runbook.evidence_checks import DrillFacts, EvidenceFacts, ReportFacts
from console.domain.runbook.integrity import IntegrityFacts
from console.domain.runbook.process_checks import ProcessFacts
from console.domain.runbook.programme_checks import ProgrammeFacts
from console.domain.runbook.release_checks import ReleaseFacts
from console.domain.runbook.review import ReviewFacts
from tests.domain.gate.gate_facts import GOOD_SMOKE, STREAK, run

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def _latency(ms=5.0, bad=0):
    samples = Samples("database", [ms] * 9, 0, NOW, WindowCounts(9, bad), WindowCounts(9, bad))
    return summarize([judge(Target("GET", "/health"), samples, LatencyPolicy(), NOW)], LatencyPolicy(), NOW)


def _release(hours=2, status="success", **changes):
    """Return the facts of a release whose smoke test was recorded some hours ago; no hours: none was."""
    smoke = LatestRun(7, status, NOW - timedelta(hours=hours), GOOD_SMOKE | changes) if hours is not None else None
    return {"releases": ReleaseFacts(NOW, smoke, 48, True, "2026.03.v1", "0123456789ab", "/overview")}


def _rate_limit(status):
    return RateLimitFacts(status, "Rate limits are counted in Redis", "auto", "redis", True, True, True, None)


ESCALATED = runbook_automation.Watched([runbook_automation.Seen(1, NOW - timedelta(minutes=90))])
GOOD = {
    "preflight": PreflightFacts("ok", 0, 0, "web-1", NOW, 10),
    "latency": _latency(),
    "audit_chain": ChainFacts(True, 0, 120),
    "evidence": EvidenceFacts(
        ReportFacts(NOW, STREAK, run(24)),
        DrillFacts(NOW, run=run(100, restore_valid=True)),
        ReviewFacts("2026-03"),
    ),
    "documents": DocumentFacts("docs/a.md", True, "docs/b.md", True),
    "tokens": TokenFacts(0),
    "rate_limit": _rate_limit("ok"),
    "signing": SigningFacts(True, True),
    "automation": runbook_automation.AutomationFacts(
        NOW, {"sla_escalation": ESCALATED, "alert_mttr_slo_check": ESCALATED}
    ),
    "channels": ChannelFacts(NOW),
    "integrity": IntegrityFacts(NOW),
    "outbox": OutboxFacts(NOW),
    "processes": ProcessFacts(NOW),
    "programme": ProgrammeFacts(NOW, run(8 * 24), True, 1),
    **_release(),
    "noise": NoiseFacts(NOW, 7, NOW),
}


def _check(check_id, **facts):
    book = runbook.look_through(GOOD | facts, NOW)
    return next(check for check in book.checks if check.id == check_id)


def test_the_checks_stand_in_the_published_order_and_are_all_ok_on_good_facts():
    book = runbook.look_through(GOOD, NOW)

    assert [check.id for check in book.checks] == [
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
        "alert_outbox_moving",
        "remediation_escalation_recent",
        "remediation_auto_assign_recent",
        "remediation_kpi_recent",
        "remediation_autopilot_recent",
        "worker_alive",
        "scheduler_alive",
        "queue_age",
        "alert_noise_within_limits",
    ]
    assert (book.overall_status, book.critical_ids) == ("ok", ())
    assert all(check.owner_role for check in book.checks)


@pytest.mark.parametrize(
    ("check_id", "facts", "status"),
    [
        ("w07_weekly_quality_recent", {"programme": ProgrammeFacts(NOW)}, "warning"),
        ("w07_weekly_quality_recent", {"programme": ProgrammeFacts(NOW, run(8 * 24 + 1))}, "warning"),
        ("w07_quality_alert_channel", {"programme": ProgrammeFacts(NOW, None, True, 0)}, "warning"),
        ("w07_quality_alert_channel", {"programme": ProgrammeFacts(NOW, None, False, 0)}, "ok"),
        ("deploy_smoke_checklist", _release(None), "warning"),
        ("deploy_smoke_checklist", _release(48), "ok"),
        ("deploy_smoke_checklist", _release(49, "critical"), "warning"),
        ("deploy_smoke_checklist", _release(status="critical"), "critical"),
        ("deploy_smoke_checklist", _release(status="warning"), "ok"),
        ("deploy_smoke_checklist", _release(runbook_gate_passed=False), "warning"),
        ("deploy_smoke_checklist", _release(checklist_version="2026.02.v1"), "warning"),
        ("deploy_smoke_checklist", _release(checklist_version=""), "warning"),
        ("deploy_smoke_checklist", _release(ui_main_shell_checked=False), "warning"),
        ("deploy_smoke_checklist", _release(ui_main_shell_status="critical"), "critical"),
        ("deploy_smoke_checklist", _release(rollback_ready="true"), "warning"),
        ("startup_preflight", {"preflight": PreflightFacts("warning", 0, 2, "web-1")}, "warning"),
        ("startup_preflight", {"preflight": PreflightFacts("critical", 1, 0, "web-1")}, "critical"),
        ("api_latency_p95", {"latency": _latency(500)}, "warning"),
        ("api_latency_p95", {"latency": _latency(900)}, "critical"),
        ("api_burn_rate", {"latency": _latency(bad=2)}, "critical"),
        ("api_burn_rate", {"latency": _latency(bad=1)}, "ok"),
        ("audit_chain_integrity", {"audit_chain": ChainFacts(False, 3, 120)}, "critical"),
        ("audit_chain_integrity", {"audit_chain": ChainFacts(True, 0, 120, full_age_seconds=3600)}, "ok"),
        ("audit_chain_integrity", {"audit_chain": ChainFacts(True, 0, 120, full_age_seconds=3601)}, "warning"),
        ("audit_chain_integrity", {"audit_chain": ChainFacts(True, 0, 120, full_age_seconds=86_401)}, "critical"),
        ("evidence_archive_integrity_batch", {"integrity": IntegrityFacts(NOW, {"status": "ok"}, NOW)}, "ok"),
        ("alert_retry_recent", {"outbox": OutboxFacts(NOW, pending_count=2)}, "warning"),
        ("alert_retry_recent", {"outbox": OutboxFacts(NOW, retried_at=NOW - DAY)}, "ok"),
        ("alert_retry_recent", {"outbox": OutboxFacts(NOW, pending_count=2, retried_at=NOW - DAY / 16)}, "ok"),
        ("alert_retry_recent", {"outbox": OutboxFacts(NOW, pending_count=2, retried_at=NOW - DAY / 15)}, "warning"),
        ("alert_noise_within_limits", {"noise": NoiseFacts(NOW)}, "ok"),
        ("alert_noise_within_limits", {"noise": NoiseFacts(NOW, 7, NOW - 1.6 * DAY)}, "warning"),
        ("alert_noise_within_limits", {"noise": NoiseFacts(NOW, 7, NOW, "warning", 1)}, "warning"),
        ("alert_noise_within_limits", {"noise": NoiseFacts(NOW, 7, NOW, "critical", 2)}, "critical"),
        ("alert_outbox_moving", {"outbox": OutboxFacts(NOW, 3, NOW - DAY / 96)}, "ok"),
        ("alert_outbox_moving", {"outbox": OutboxFacts(NOW, 3, NOW - DAY / 90)}, "warning"),
        ("alert_outbox_moving", {"outbox": OutboxFacts(NOW, 3, NOW - DAY / 23)}, "critical"),
        ("alert_outbox_moving", {"outbox": OutboxFacts(NOW, 0, None, 1)}, "warning"),
        (
            "evidence_archive_integrity_batch",
            {"integrity": IntegrityFacts(NOW, {"status": "critical"}, NOW)},
            "critical",
        ),
        ("evidence_archive_integrity_batch", {"integrity": IntegrityFacts(NOW, {"status": "warning"}, NOW)}, "warning"),
        ("evidence_archive_integrity_batch", {"integrity": IntegrityFacts(NOW, {}, NOW, failed=True)}, "warning"),
        ("evidence_archive_integrity_batch", {"integrity": IntegrityFacts(NOW, {}, NOW - 4 * DAY)}, "warning"),
        ("migration_rollback_guide", {"documents": DocumentFacts("a", False, "b", True)}, "critical"),
        ("token_expiry_pressure", {"tokens": TokenFacts(1)}, "warning"),
        ("rate_limit_backend", {"rate_limit": _rate_limit("critical")}, "critical"),
        ("audit_archive_signing", {"signing": SigningFacts(False, True)}, "warning"),
        ("audit_archive_signing", {"signing": SigningFacts(False, False)}, "ok"),
        ("alert_noise_policy_documented", {"documents": DocumentFacts("a", True, "b", False)}, "warning"),
    ],
)
def test_a_check_turns_with_its_facts(check_id, facts, status):
    assert _check(check_id, **facts).status == status


@pytest.mark.parametrize(
    ("check_id", "fields"),
    [
        ("startup_preflight", {"error_count", "warning_count", "generated_at"}),
        (
            "api_latency_p95",
            {
                "target_count", "warning_threshold_ms", "critical_threshold_ms", "min_samples",
                "insufficient_samples_count", "critical_count", "warning_count", "endpoints",
            },
        ),
        (
            "api_burn_rate",
            {
                "short_window_minutes", "long_window_minutes", "warning_threshold", "critical_threshold", "min_samples",
                "error_budget_percent", "latency_budget_percent", "critical_count", "warning_count", "warming_up_count",
            },
        ),
        ("audit_chain_integrity", {"issue_count"}),
        ("migration_rollback_guide", {"path"}),
        ("rate_limit_backend", {"configured_store", "active_backend", "redis_ping_ok"}),
        ("audit_archive_signing", {"algorithm", "enabled"}),
        ("alert_noise_policy_documented", {"path"}),
    ],
)  # fmt: skip
def test_every_check_carries_its_published_fields(check_id, fields):
    assert fields <= set(_check(check_id).fields)


def test_the_worst_check_is_the_overall_status():
    book = runbook.look_through(GOOD | {"tokens": TokenFacts(2), "audit_chain": ChainFacts(False, 1, 1)}, NOW)

    assert (book.overall_status, book.critical_ids) == ("critical", ("audit_chain_integrity",))


def test_a_place_of_the_list_is_given_once():
    with pytest.raises(ValueError, match="place 3"):

        @runbook.check(3, owner_role="x", needs=(), page="x")
        def another() -> runbook.Finding:
            raise AssertionError


def test_every_fact_that_a_check_needs_is_known_by_name():
    assert set(runbook.needed_facts()) == set(GOOD)
    assert runbook_checks.TOKEN_EXPIRY_DAYS == 3


def test_the_escalation_of_work_orders_is_owed_every_ninety_minutes():
    def look(runs=(), known=None):
        facts = runbook_automation.AutomationFacts(NOW, {"sla_escalation": runbook_automation.Watched(runs, known)})
        return _check("sla_cron_recent", automation=facts).status

    assert look([runbook_automation.Seen(1, NOW - timedelta(minutes=90))]) == "ok"
    assert look([runbook_automation.Seen(1, NOW - timedelta(minutes=91), failed=True)]) == "warning"
    assert look() == "warning"
    # Nothing was owed before a scheduler knew the line.
    assert look(known=NOW - timedelta(minutes=60)) == "ok"
    assert look(known=NOW - timedelta(minutes=91)) == "warning"
