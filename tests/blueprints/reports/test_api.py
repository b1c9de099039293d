"""Quality reports over the API: published keys, CSV, runs, streak and what is left behind."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from console.models.archives import StoredFile
from console.models.audit import AuditLog
from console.models.jobs import JobRun
from tests.services.gate.test_gate import add_run

Q = "/api/ops/reports/quality"
REPORT_KEYS = [
    *("template_version", "generated_at", "window", "label", "period", "summary", "preflight", "admin_security"),
    *("weekly_streak", "alert_noise_policy", "recommendations"),
]
SUMMARY_KEYS = [
    *("job_count", "job_runs_total", "critical_findings_total", "alert_delivery_total"),
    *("alert_delivery_success_rate_percent", "jobs"),
]
JOB_KEYS = ["job_name", "total", "success", "warning", "critical", "success_rate_percent"]
STREAK_KEYS = [
    *("target_weeks", "configured_target_weeks", "effective_target_weeks", "current_streak_weeks", "target_met"),
    *("successful_weeks_in_window", "bootstrap_grace_active", "anchor_week_start", "latest_success_at"),
]
RUN_KEYS = [
    *("run_id", "job_name", "trigger", "status", "window", "label", "started_at", "finished_at", "archive"),
    *("streak", "report"),
]


def _audit(session):
    session.rollback()
    query = select(AuditLog.action, AuditLog.resource_type, AuditLog.resource_id, AuditLog.status)
    return [tuple(row) for row in session.execute(query.order_by(AuditLog.id))]


def test_the_weekly_report_has_the_published_keys_and_leaves_nothing_behind(api, session):
    answer = api().get(f"{Q}/weekly")

    assert answer.status_code == 200
    made = answer.json
    assert list(made)[: len(REPORT_KEYS)] == REPORT_KEYS
    assert list(made["period"])[:2] == ["start", "end"]
    assert list(made["summary"])[: len(SUMMARY_KEYS)] == SUMMARY_KEYS
    assert list(made["preflight"])[:3] == ["overall_status", "error_count", "warning_count"]
    assert list(made["admin_security"])[:3] == ["overall_status", "anomaly_count", "top_actors"]
    assert list(made["weekly_streak"]) == STREAK_KEYS
    assert list(made["alert_noise_policy"]) == [
        *("review_window_days", "false_positive_threshold_percent", "false_negative_threshold_percent"),
    ]
    assert (made["template_version"], made["window"]) == ("ops-quality-v1", "weekly")
    assert made["of_now"]["fields"] == ["preflight", "admin_security", "weekly_streak", "alert_noise_policy"]
    assert session.scalar(select(JobRun.id)) is None
    assert _audit(session) == []


def test_by_default_the_week_is_the_last_seven_days_and_the_month_the_utc_one(api, clock):
    now = clock.now()
    week, month = api().get(f"{Q}/weekly").json, api().get(f"{Q}/monthly").json

    assert week["label"] == f"week-{(now - timedelta(days=7)).date()}-{now.date()}"
    assert week["period"]["end"] == now.isoformat(timespec="microseconds")
    assert (month["label"], month["period"]["time_zone"]) == (now.strftime("%Y-%m"), "UTC")
    assert month["period"]["start"] == now.strftime("%Y-%m-01T00:00:00.000000+00:00")
    assert month["period"]["finished"] is False


@pytest.mark.parametrize("part", ["monthly", "monthly/csv"])
@pytest.mark.parametrize(
    ("month", "status"), [("2026-13", 400), ("2026-00", 400), ("0000-01", 400), ("2026-1", 422), ("heute", 422)]
)
def test_what_is_no_month_is_refused(api, part, month, status):
    assert api().get(f"{Q}/{part}", query_string={"month": month}).status_code == status


def test_no_run_is_left_of_what_is_no_month(api, session):
    caller = api()

    answers = [caller.post(f"{Q}/run?window=monthly&month={month}").status_code for month in ("2026-13", "2026-1")]
    assert answers == [400, 422]
    assert caller.post(f"{Q}/run?window=yearly").status_code == 422
    session.rollback()
    assert session.scalar(select(JobRun.id)) is None


def test_a_month_without_data_is_a_report_that_says_so(api):
    made = api().get(f"{Q}/monthly?month=2020-02").json

    assert made["summary"] | {"days": []} == {
        "job_count": 0,
        "job_runs_total": 0,
        "critical_findings_total": 0,
        "alert_delivery_total": 0,
        "alert_delivery_success_rate_percent": None,
        "jobs": [],
        "daily_check_runs_total": 0,
        "days": [],
    }
    assert len(made["summary"]["days"]) == 29
    assert "alert_delivery" not in made["recommendation_ids"]


def test_the_csv_is_the_published_one(api, make_ctx, clock):
    ctx = make_ctx()
    add_run(ctx, "ops_daily_check", status="critical", detail_json={"critical_count": 2})
    add_run(ctx, "alert_retry")
    ctx.session.commit()

    answer = api().get(f"{Q}/weekly/csv")

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    stamp = clock.now().strftime("%Y%m%dT%H%M%SZ")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="ops-quality-weekly-{stamp}.csv"'
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert [row[0] for row in rows[:10]] == [
        *("template_version", "generated_at", "window", "label", "period_start", "period_end", "job_runs_total"),
        *("critical_findings_total", "alert_delivery_total", "alert_delivery_success_rate_percent"),
    ]
    assert rows[0] == ["template_version", "ops-quality-v1"]
    assert [row[1] for row in rows[6:10]] == ["2", "2", "0", ""]
    assert rows[10:] == [
        [],
        JOB_KEYS,
        ["alert_retry", "1", "1", "0", "0", "100.0"],
        ["ops_daily_check", "1", "0", "0", "1", "0.0"],
    ]
    assert "\r\n" in answer.text


def test_a_csv_is_put_on_record_and_named_by_its_month(api, session):
    answer = api().get(f"{Q}/monthly/csv?month=2026-02&bom=1")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="ops-quality-monthly-2026-02.csv"'
    assert answer.text.startswith("\ufefftemplate_version,")
    assert _audit(session) == [("ops_quality_report_monthly_csv_export", "ops_quality_report", "2026-02", "success")]


@pytest.mark.parametrize(
    ("window", "job"), [("weekly", "ops_quality_report_weekly"), ("monthly", "ops_quality_report_monthly")]
)
def test_a_run_keeps_the_report_with_its_archives(api, session, app, window, job):
    answer = api().post(f"{Q}/run?window={window}")

    assert answer.status_code == 200, answer.json
    made = answer.json
    assert list(made)[: len(RUN_KEYS)] == RUN_KEYS
    assert (made["job_name"], made["trigger"], made["status"], made["window"]) == (job, "api", "success", window)
    assert made["archive"]["enabled"] is True
    assert (made["archive"]["retention_days"], made["archive"]["pruned_files"], made["archive"]["error"]) == (
        180,
        0,
        None,
    )
    assert list(made["report"])[: len(REPORT_KEYS)] == REPORT_KEYS
    folder = app.extensions["console_config"].path("OPS_QUALITY_REPORT_ARCHIVE_PATH")
    names = {made["archive"][key] for key in ("json_file", "csv_file", "pdf_file", "pdf_file_english")}
    assert names <= {path.name for path in folder.iterdir()}
    assert all(name.startswith(f"ops-quality-report-{window}-") and f"-run-{made['run_id']}" in name for name in names)
    session.rollback()
    stored = {row.name: row for row in session.scalars(select(StoredFile))}
    assert set(stored) == names
    assert all((folder / name).read_bytes() == row.content for name, row in stored.items())
    assert {row.run_id for row in stored.values()} == {made["run_id"]}
    assert _audit(session)[-1] == ("ops_quality_report_run", "ops_quality_report", str(made["run_id"]), "success")


def test_the_streak_counts_the_report_that_was_just_made(api):
    caller = api()
    before = caller.get(f"{Q}/weekly/streak")

    assert (before.status_code, list(before.json)) == (200, STREAK_KEYS)
    assert (before.json["current_streak_weeks"], before.json["target_met"]) == (0, False)
    ran = caller.post(f"{Q}/run").json["streak"]
    after = caller.get(f"{Q}/weekly/streak").json
    assert {**ran, "latest_success_at": None} == {**after, "latest_success_at": None}
    assert (after["current_streak_weeks"], after["target_weeks"], after["target_met"]) == (1, 1, True)


@pytest.mark.parametrize("part", ["weekly", "weekly/csv", "weekly/streak", "monthly", "monthly/csv"])
def test_an_operator_may_not_read_them(api, part):
    assert api("operator").get(f"{Q}/{part}").status_code == 403
