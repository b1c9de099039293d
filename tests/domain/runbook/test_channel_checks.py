"""The verdicts about the alert channels (API contract, runbook checks 16 to 21)."""

from datetime import UTC, datetime, timedelta

import pytest

from console.domain.gate.rules import LatestRun
from console.domain.runbook import automation_checks, channel_checks
from console.domain.runbook.automation_checks import AutomationFacts, Seen, Watched
from console.domain.runbook.channel_checks import ChannelFacts

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def ran(hours, **detail):
    return LatestRun(1, "warning", NOW - timedelta(hours=hours), detail)


@pytest.mark.parametrize(
    ("check", "facts", "status"),
    [
        ("alert_channel_guard", {}, "ok"),
        ("alert_channel_guard", {"warning_count": 1}, "warning"),
        ("alert_channel_guard", {"quarantined_count": 1}, "critical"),
        ("alert_channel_guard", {"quarantined_count": 1, "guard_enabled": False}, "warning"),
        ("alert_retention_recent", {"candidate_count": 3}, "warning"),
        ("alert_retention_recent", {"candidate_count": 3, "retention": ran(36)}, "ok"),
        ("alert_retention_recent", {"candidate_count": 3, "retention": ran(37)}, "warning"),
        ("alert_retention_recent", {}, "ok"),
        ("alert_guard_recovery_recent", {}, "ok"),
        ("alert_guard_recovery_recent", {"quarantined_count": 1}, "warning"),
        ("alert_guard_recovery_recent", {"quarantined_count": 1, "recovery": ran(3)}, "ok"),
        ("alert_guard_recovery_recent", {"quarantined_count": 1, "recovery": ran(4)}, "warning"),
        ("alert_mttr_slo_breach", {}, "ok"),
        ("alert_mttr_slo_breach", {"slo": ran(1, breach=True)}, "warning"),
        ("alert_mttr_slo_breach", {"slo": ran(1, breach=False)}, "ok"),
        ("alert_mttr_slo_breach", {"slo": ran(1, breach=True, policy={"enabled": False})}, "ok"),
    ],
)
def test_a_check_turns_with_its_facts(check, facts, status):
    assert getattr(channel_checks, check)(ChannelFacts(NOW, **facts)).status == status


def test_every_check_carries_its_published_fields():
    stored = ran(1, breach=True, policy={"threshold_minutes": 45}, window={"incident_count": 6, "mttr_minutes": 50.0})
    facts = ChannelFacts(NOW, policy={"window_days": 30, "min_incidents": 5, "threshold_minutes": 9}, slo=stored)

    assert channel_checks.alert_mttr_slo_breach(facts).fields == {
        "latest_checked_at": NOW - timedelta(hours=1),
        "threshold_minutes": 45,
        "window_days": 30,
        "min_incidents": 5,
        "window_incident_count": 6,
        "window_mttr_minutes": 50.0,
    }
    assert {"quarantined_count", "warning_count", "target_count"} == set(
        channel_checks.alert_channel_guard(facts).fields
    )


@pytest.mark.parametrize(
    ("hours", "known", "status"), [(6, None, "ok"), (7, None, "warning"), (None, 5, "ok"), (None, 7, "warning")]
)
def test_the_objective_is_checked_every_six_hours_once_a_scheduler_knows_of_it(hours, known, status):
    runs = [Seen(1, NOW - timedelta(hours=hours))] if hours is not None else []
    since = NOW - timedelta(hours=known) if known is not None else None
    facts = AutomationFacts(NOW, {"alert_mttr_slo_check": Watched(runs, since)})

    assert automation_checks.alert_mttr_slo_recent(facts).status == status
