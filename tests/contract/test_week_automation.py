"""The weekly automation of W07 as published: paths, keys, CSV header, permissions, runbook checks."""

from datetime import timedelta
from urllib.parse import unquote

import pytest

from console.domain.jobs import names as job_names
from tests.factories import make_site
from tests.factories.programme import answered, completed

SITE, OTHER = "본관", "별관"
W = "/api/ops/adoption/w07"
RUN, LATEST, TRENDS, CSV = (
    f"{W}/sla-quality/{part}" for part in ("run-weekly", "latest-weekly", "trends", "archive.csv")
)
HEAD = ["run_id", "job_name", "trigger", "status", "started_at", "finished_at"]
MADE = [
    *HEAD,
    *("site", "window_days", "degradation", "cooldown_active", "cooldown_remaining_minutes", "last_alert_at"),
    *("alert_enabled", "alert_attempted", "alert_dispatched", "alert_error", "alert_channels", "snapshot"),
    *("write_archive", "archive_file", "archive_error"),
]
KEPT = [
    *HEAD,
    *("site", "window_days", "degradation", "alert_enabled", "cooldown_active", "cooldown_remaining_minutes"),
    *("last_alert_at", "alert_attempted", "alert_dispatched", "alert_error", "alert_channels", "snapshot"),
]
POINT = (
    "run_id,finished_at,site,status,window_days,degraded,escalation_rate_percent,alert_success_rate_percent,"
    "sla_violation_rate_percent,median_ack_minutes,p90_ack_minutes,median_mttr_minutes,data_quality_gate_pass"
)


@pytest.fixture
def owner(api, session, clock):
    for name in (SITE, OTHER):
        make_site(session, name, now=clock.now())
    answered(session, clock.now() - timedelta(days=1), 41)
    session.commit()
    return api("owner", username="olga")


def test_a_run_the_newest_the_trend_and_the_archive(owner):
    made = owner.post(f"{RUN}?site={SITE}")
    assert made.status_code == 200
    assert [key for key in made.json if key != "force_notify"] == MADE
    assert (made.json["job_name"], made.json["trigger"], made.json["status"]) == (
        *(job_names.W07_WEEKLY, "api", "success"),
    )
    assert made.json["snapshot"]["metrics"]["median_ack_minutes"] == 41.0
    assert list(made.json["degradation"]) == ["degraded", "reasons", "signals", "thresholds"]

    newest = owner.get(f"{LATEST}?site={SITE}").json
    assert list(newest) == KEPT
    assert newest["run_id"] == made.json["run_id"]
    trend = owner.get(f"{TRENDS}?site={SITE}").json
    assert list(trend) == ["generated_at", "job_name", "site", "point_count", "points"]
    assert list(trend["points"][0]) == POINT.split(",")
    archive = owner.get(f"{CSV}?site={SITE}")
    assert archive.text.splitlines()[0] == POINT
    assert archive.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "filename*=UTF-8''adoption-w07-sla-quality-weekly-" in archive.headers["Content-Disposition"]
    # A run of one site is none of all sites.
    assert owner.get(LATEST).status_code == 404
    assert owner.get(LATEST).json["detail"] == "No W07 weekly run found"
    assert owner.get(f"{TRENDS}?include_sites=true").json["point_count"] == 1


@pytest.mark.parametrize("site", ["🏢 한빛마을 🎉", "가" * 120, "줄'<b>&"])
def test_any_name_of_a_site_travels_in_headers_and_file_names(owner, session, clock, site):
    make_site(session, site, now=clock.now())
    session.commit()
    made = owner.post(RUN, query_string={"site": site}).json
    assert (made["site"], made["archive_error"]) == (site, None)
    owner.post("/api/adoption/w07/tracker/bootstrap", json={"site": site})
    archive = owner.get(CSV, query_string={"site": site})
    package = owner.get("/api/adoption/w07/tracker/completion-package", query_string={"site": site})
    for answer in (archive, package):
        assert answer.status_code == 200
        assert all(value.isascii() for value in answer.headers.values())
    assert unquote(package.headers["X-Package-Site"]) == site
    named = unquote(archive.headers["Content-Disposition"].partition("filename*=UTF-8''")[2])
    assert named == f"adoption-w07-sla-quality-weekly-{site}-20260302T000000Z.csv"
    package.close()


def test_bounds(owner):
    for query in ("days=6", "days=91", "days=NaN", "force_notify=perhaps"):
        assert owner.post(f"{RUN}?{query}").status_code == 422
    for path, most in ((TRENDS, 104), (CSV, 104)):
        assert owner.get(f"{path}?limit=0").status_code == 422
        assert owner.get(f"{path}?limit={most + 1}").status_code == 422


def test_who_may(api, owner):
    several, single = api("manager", (SITE, OTHER)), api("operator", (SITE,))
    assert several.post(RUN).status_code == 422
    assert several.post(f"{RUN}?site=남의 집").status_code == 403
    assert single.post(RUN).json["site"] == SITE
    assert api("auditor", (SITE,)).post(f"{RUN}?site={SITE}").status_code == 403
    auditor = api("auditor", (OTHER,))
    for path in (LATEST, TRENDS, CSV, f"{W}/automation-readiness"):
        assert auditor.get(f"{path}?site={SITE}").status_code == 403
    assert auditor.get(TRENDS).json["points"] == []


def test_the_readiness_has_its_published_keys(owner):
    found = owner.get(f"{W}/automation-readiness").json
    assert list(found) == ["generated_at", "site", "overall_status", "checks", "runtime", "policy", "integration"]
    assert [one["id"] for one in found["checks"]] == [
        *("w07_weekly_cron_recent", "w07_alert_channel_config", "w07_latest_quality_state", "w07_archive_write_mode"),
    ]
    assert list(found["runtime"]) == [
        *("latest_run_id", "latest_run_status", "latest_run_at", "latest_run_recent", "latest_run_degraded"),
        "latest_run_window_days",
    ]
    assert list(found["policy"]) == [
        *("alert_enabled", "cooldown_minutes", "min_window_days", "escalation_rate_threshold_percent"),
        *("alert_success_rate_threshold_percent", "archive_enabled", "archive_path"),
    ]
    assert list(found["integration"]) == [
        *("webhook_target_count", "webhook_configured", "webhook_targets", "recommended_cron_schedule_utc"),
        *("cron_job_name", "cron_command"),
    ]
    owner.post(RUN)
    after = owner.get(f"{W}/automation-readiness").json
    assert after["runtime"]["latest_run_recent"] is True
    assert after["runtime"]["latest_run_status"] in {"success", "warning", "critical"}


def test_the_runbook_watches_it(owner, session, clock):
    def checks():
        found = {one["id"]: one for one in owner.get("/api/ops/runbook/checks").json["checks"]}
        return found["w07_weekly_quality_recent"], found["w07_quality_alert_channel"]

    recent, channel = checks()
    assert (recent["status"], recent["latest_checked_at"], recent["latest_degraded"]) == ("warning", None, None)
    assert (channel["status"], channel["alert_enabled"], channel["webhook_target_count"]) == ("warning", True, 0)
    completed(session, clock.now() - timedelta(days=1), 5, is_escalated=True)
    session.commit()
    assert owner.post(RUN).json["status"] == "critical"
    recent, _channel = checks()
    assert (recent["status"], recent["latest_degraded"]) == ("ok", True)
    clock.advance(timedelta(days=8, seconds=1))
    assert checks()[0]["status"] == "warning"


def test_the_keys_of_the_service(owner):
    found = owner.get("/api/service-info").json
    assert found["adoption_w07_sla_quality_weekly_run_api"] == RUN
    assert found["adoption_w07_sla_quality_weekly_latest_api"] == LATEST
    assert found["adoption_w07_sla_quality_weekly_trends_api"] == TRENDS
    assert found["adoption_w07_sla_quality_weekly_archive_csv_api"] == CSV
    assert found["adoption_w07_automation_readiness_api"] == f"{W}/automation-readiness"
    metrics = {
        "w04_funnel": "w04/funnel",
        "w04_blockers": "w04/blockers",
        "w05_consistency": "w05/consistency",
        "w06_rhythm": "w06/rhythm",
        "w07_sla_quality": "w07/sla-quality",
        "w10_self_serve": "w10/self-serve",
        "w08_report_discipline": "w08/report-discipline",
        "w08_site_benchmark": "w08/site-benchmark",
        "w09_kpi_operation": "w09/kpi-operation",
        "w09_kpi_policy": "w09/kpi-policy",
        "w10_support_policy": "w10/support-policy",
        "w11_scale_readiness": "w11/scale-readiness",
        "w11_readiness_policy": "w11/readiness-policy",
        "w12_closure_handoff": "w12/closure-handoff",
        "w12_handoff_policy": "w12/handoff-policy",
        "w13_closure_handoff": "w13/closure-handoff",
        "w13_handoff_policy": "w13/handoff-policy",
        "w14_stability_sprint": "w14/stability-sprint",
        "w14_stability_policy": "w14/stability-policy",
        "w15_ops_efficiency": "w15/ops-efficiency",
        "w15_efficiency_policy": "w15/efficiency-policy",
    }
    assert {key: found[f"adoption_{key}_api"] for key in metrics} == {
        key: f"/api/ops/adoption/{path}" for key, path in metrics.items()
    }


def test_the_posture_tells_of_it(owner):
    before = owner.get("/api/ops/security/posture").json["alerting"]
    assert (before["w07_quality_alert_enabled"], before["w07_quality_weekly_latest_run_at"]) == (True, None)
    owner.post(RUN)
    after = owner.get("/api/ops/security/posture").json["alerting"]
    assert (after["w07_quality_weekly_latest_status"], after["w07_quality_weekly_latest_degraded"]) == (
        "success",
        False,
    )
    assert after["w07_quality_escalation_threshold_percent"] == 30.0


def test_figures_of_all_sites_are_not_for_readers_of_one(api, owner):
    everywhere, here, there = (
        owner.post(f"{RUN}{query}").json["run_id"] for query in ("", f"?site={SITE}", f"?site={OTHER}")
    )
    manager = api("manager", (SITE,))
    details = {one: manager.get(f"/api/ops/job-runs/{one}").json["detail"] for one in (everywhere, here, there)}
    assert ["snapshot" in details[one] for one in (everywhere, here, there)] == [False, True, False]
