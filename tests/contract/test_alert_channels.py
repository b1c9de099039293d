"""The alert channels over the API (API contract, alerts 6.4 to 6.10)."""

import pytest

from console.domain.alerts.alerts import answered
from console.services.alerts import delivery
from tests.support.policy_shape import assert_policy_shape

A = "/api/ops/alerts"
POLICY = (
    *("enabled", "window_days", "threshold_minutes", "min_incidents", "auto_recover_enabled", "recover_state"),
    *("recover_max_targets", "notify_enabled", "notify_event_type", "notify_cooldown_minutes", "top_channels"),
)
KPI = ["days", "window_start", "window_end", "total_deliveries", "success_count", "warning_count", "failed_count"]
MTTR = [
    *("days", "window_start", "window_end", "incident_count", "recovered_incidents", "unresolved_incidents"),
    *("mttr_minutes", "median_recovery_minutes", "longest_recovery_minutes", "channels"),
]
CHANNEL = [
    *("target", "state", "state_computed", "consecutive_failures", "threshold", "cooldown_minutes"),
    *("remaining_quarantine_minutes", "quarantined_until", "last_attempt_at", "last_status", "last_error"),
    *("last_success_at", "last_failure_at", "delivery_count_lookback"),
]
HEAD = ["run_id", "job_name", "trigger", "status", "started_at", "finished_at"]
BATCH = [
    *("event_type", "state_filter", "max_targets", "dry_run", "selected_target_count", "processed_count"),
    *("success_count", "warning_count", "failed_count", "skipped_count", "results"),
]
RETENTION = [
    *("retention_days", "max_delete", "dry_run", "write_archive", "cutoff", "candidate_count", "deleted_count"),
    *("archive_file", "archive_error"),
]
HOOK = "https://hooks.example.com/T0/secret"


class Refuses:
    def send(self, *_args):
        return answered(500)


class Takes:
    def send(self, *_args):
        return answered(200)


@pytest.fixture
def hook(app):
    values = app.extensions["console_config"]._values
    values |= {"ALERT_WEBHOOK_URL": HOOK, "ALERT_WEBHOOK_RETRIES": 1}
    with delivery.sending_with(Refuses()):
        yield
    values |= {"ALERT_WEBHOOK_URL": "", "ALERT_WEBHOOK_RETRIES": 3}


def test_figures_have_the_published_keys(api):
    owner = api("owner")
    kpi, mttr = owner.get(f"{A}/kpi/channels?event_type=x").json, owner.get(f"{A}/kpi/mttr").json

    assert (kpi["event_type"], [one["days"] for one in kpi["windows"]]) == ("x", [7, 30])
    assert list(kpi["windows"][0]) == [*KPI, "success_rate_percent", "channels"]
    assert kpi["windows"][0]["success_rate_percent"] == 0.0
    assert list(mttr["windows"][1])[: len(MTTR)] == MTTR


def test_the_guard_and_a_trial_have_the_published_keys_and_no_secret(api, hook):
    owner = api("owner")
    key = owner.get(f"{A}/channels/guard").json["channels"][0]["channel"]
    probed = owner.post(f"{A}/channels/guard/recover?target={key}&event_type=x&note=y")
    seen = owner.get(f"{A}/channels/guard?lookback_days=90&max_targets=200")

    assert probed.status_code == 200
    assert list(probed.json) == [
        *("target", "event_type", "probe_delivery_id", "probe_status", "probe_error", "before", "after"),
        "recommended_recovery_steps",
    ]
    assert (probed.json["probe_status"], probed.json["probe_error"]) == ("failed", "webhook returned status 500")
    assert (probed.json["before"]["state"], probed.json["after"]["state"]) == ("healthy", "warning")
    assert list(seen.json) == ["generated_at", "event_type", "lookback_days", "policy", "summary", "channels"]
    assert list(seen.json["policy"]) == ["enabled", "failure_threshold", "cooldown_minutes", "recovery_steps"]
    assert list(seen.json["summary"]) == [
        *("status", "target_count", "healthy_count", "warning_count", "quarantined_count", "returned_count")
    ]
    assert list(seen.json["channels"][0])[: len(CHANNEL)] == CHANNEL
    assert "secret" not in probed.text + seen.text


def test_a_batch_has_the_published_keys_and_is_the_latest(api, hook):
    owner = api("owner")
    assert owner.get(f"{A}/channels/guard/recover/latest").json["detail"] == "No alert_guard_recover run found"
    owner.post(f"{A}/channels/guard/recover?target={HOOK}")
    dry = owner.post(f"{A}/channels/guard/recover-batch?state=all&dry_run=true").json
    done = owner.post(f"{A}/channels/guard/recover-batch?state=warning&max_targets=1").json
    latest = owner.get(f"{A}/channels/guard/recover/latest").json

    assert list(done)[: 3 + len(BATCH)] == ["run_id", "checked_at", "status", *BATCH]
    assert (dry["processed_count"], dry["skipped_count"]) == (1, 1)
    assert dry["results"][0].items() >= {"status": "skipped", "reason": "dry_run", "after_state": "warning"}.items()
    assert list(done["results"][0])[:8] == [
        *("target", "status", "error", "delivery_id", "before_state", "after_state", "before_consecutive_failures"),
        "after_consecutive_failures",
    ]
    assert (done["status"], done["results"][0]["after_consecutive_failures"]) == ("warning", 2)
    assert list(latest) == [*HEAD, *BATCH]
    assert latest["run_id"] == done["run_id"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("channels/guard/recover?target=http://169.254.169.254/x", 404),
        ("channels/guard/recover?target=%20%20%20", 400),
        ("channels/guard/recover?target=ab", 422),
        ("channels/guard/recover", 422),
        ("channels/guard/recover-batch?state=healthy", 422),
        ("channels/guard/recover-batch?max_targets=501", 422),
        ("retention/run?retention_days=0", 422),
        ("retention/run?max_delete=50001", 422),
    ],
)
def test_values_outside_the_bounds_are_refused(api, hook, address, status):
    answer = api("owner").post(f"{A}/{address}")

    assert answer.status_code == status
    if status == 400:
        assert answer.json["detail"] == "target is required"


@pytest.mark.parametrize("query", ["lookback_days=0", "lookback_days=91", "max_targets=201"])
def test_the_guard_has_bounds(api, query):
    assert api("owner").get(f"{A}/channels/guard?{query}").status_code == 422


def test_the_policy_is_the_published_one_and_knows_revisions(api):
    owner = api("owner")
    first = owner.get(f"{A}/mttr-slo/policy")
    assert_policy_shape(first.json, key="alert_mttr_slo_default", scope="ops.alerts.mttr_slo", fields=POLICY)
    assert first.json["policy"] == {
        "enabled": True,
        "window_days": 30,
        "threshold_minutes": 45,
        "min_incidents": 5,
        "auto_recover_enabled": True,
        "recover_state": "quarantined",
        "recover_max_targets": 30,
        "notify_enabled": True,
        "notify_event_type": "mttr_slo_breach",
        "notify_cooldown_minutes": 120,
        "top_channels": 15,
    }
    changed = owner.put(f"{A}/mttr-slo/policy", json={"threshold_minutes": 99999, "enabled": "false", "other": 1})

    assert (changed.json["policy"]["threshold_minutes"], changed.json["policy"]["enabled"]) == (10080, True)
    assert changed.json["meta"]["revision"] == 1
    assert {one["code"] for one in changed.json["warnings"]} == {"clamped", "refused", "unknown"}
    late = owner.put(f"{A}/mttr-slo/policy", json={"window_days": 7}, headers={"If-Match": '"0"'})
    assert late.status_code == 412
    assert api("manager").put(f"{A}/mttr-slo/policy", json={}).status_code == 403


def test_a_check_has_the_published_keys_and_is_the_latest(api):
    owner = api("owner")
    assert owner.get(f"{A}/mttr-slo/check/latest").json["detail"] == "No alert_mttr_slo_check run found"
    done = owner.post(f"{A}/mttr-slo/check/run?event_type=x&force_notify=true").json
    latest = owner.get(f"{A}/mttr-slo/check/latest").json

    rest = ["event_type", "policy_key", "policy_updated_at", "policy", "window", "breach", "top_channels", "actions"]
    assert list(done)[: 3 + len(rest)] == ["run_id", "checked_at", "status", *rest]
    assert list(latest)[: len(HEAD) + len(rest)] == [*HEAD, *rest]
    assert list(done["window"])[:5] == [
        *("days", "incident_count", "recovered_incidents", "unresolved_incidents", "mttr_minutes")
    ]
    assert list(done["actions"])[:11] == [
        *("auto_recover_attempted", "auto_recover_result", "notify_attempted", "notify_dispatched", "notify_error"),
        *("notify_channels", "force_notify", "cooldown_minutes", "cooldown_active", "cooldown_remaining_minutes"),
        "last_breach_at",
    ]
    assert (latest["run_id"], latest["trigger"], latest["job_name"]) == (done["run_id"], "api", "alert_mttr_slo_check")


def test_the_retention_has_the_published_keys_and_is_the_latest(api):
    owner = api("owner")
    policy = owner.get(f"{A}/retention/policy").json
    assert list(policy) == ["retention_days", "max_delete", "archive_enabled", "archive_path"]
    assert (policy["retention_days"], policy["max_delete"], policy["archive_enabled"]) == (90, 5000, True)
    assert owner.get(f"{A}/retention/latest").json["detail"] == "No alert_retention run found"
    done = owner.post(f"{A}/retention/run?retention_days=7&write_archive=false").json
    latest = owner.get(f"{A}/retention/latest").json

    assert list(done)[: 3 + len(RETENTION)] == ["run_id", "checked_at", "status", *RETENTION]
    assert list(latest) == [*HEAD, *RETENTION]
    assert api("manager").post(f"{A}/retention/run").status_code == 403


@pytest.mark.parametrize(
    "address", ["mttr-slo/check/run", "channels/guard/recover-batch", f"channels/guard/recover?target={HOOK}"]
)
def test_what_concerns_every_site_wants_all_of_them(api, hook, address):
    assert api("manager", ("본관",)).post(f"{A}/{address}").status_code == 403
    assert api("manager").post(f"{A}/{address}").status_code == 200


def test_what_somebody_did_is_on_record_and_looking_is_not(api, hook):
    owner = api("owner")
    owner.get(f"{A}/channels/guard")
    owner.get(f"{A}/kpi/channels")
    owner.post(f"{A}/channels/guard/recover?target={HOOK}")
    owner.post(f"{A}/channels/guard/recover-batch")
    owner.post(f"{A}/mttr-slo/check/run")
    owner.post(f"{A}/retention/run")
    owner.put(f"{A}/mttr-slo/policy", json={"window_days": 9})
    found = owner.get("/api/admin/audit-logs?limit=50").json

    told = [one["action"] for one in found if "alert" in one["action"]]
    assert told == [
        *("ops_alert_mttr_slo_policy_update", "ops_alert_retention_run", "ops_alert_mttr_slo_check_run"),
        *("ops_alert_channel_guard_recover_batch", "ops_alert_channel_guard_recover"),
    ]


def test_sending_again_is_on_record_with_what_came_of_it(api, hook):
    owner = api("owner")
    number = owner.post(f"{A}/channels/guard/recover?target={HOOK}").json["probe_delivery_id"]
    failed = owner.post(f"{A}/deliveries/{number}/retry").json
    with delivery.sending_with(Takes()):
        taken = owner.post(f"{A}/deliveries/{number}/retry").json
        assert owner.post(f"{A}/deliveries/{number}/retry").status_code == 409
    assert (failed["status"], failed["attempt_count"], taken["status"]) == ("failed", 2, "success")

    found = owner.get("/api/admin/audit-logs?action=alert_delivery_retry").json
    assert [(one["resource_id"], one["status"]) for one in found] == [(str(number), "success"), (str(number), "failed")]
