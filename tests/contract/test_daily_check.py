"""The daily check and the monthly review, letter for letter (API contract, daily check and runbook review)."""

import csv
import io

import pytest

from console.domain.jobs import names as job_names
from tests.services.gate.test_gate import add_run

R = "/api/ops/runbook"
RESULT = [
    *("overall_status", "check_count", "warning_count", "critical_count", "alert_level", "alert_attempted"),
    *("alert_dispatched", "alert_error", "alert_channels", "security_posture", "mttr_slo_check", "summary", "archive"),
]
HEAD = ["run_id", "job_name", "trigger", "status", "started_at", "finished_at"]
SUMMARY = [
    *("version", "job_name", "run_id", "checked_at", "trigger", "status", "overall_status", "check_count"),
    *("warning_count", "critical_count", "alert", "mttr_slo_check", "checks"),
]
ROW = [
    *("run_id", "finished_at", "trigger", "status", "overall_status", "check_count", "warning_count", "critical_count"),
    *("alert_level", "alert_attempted", "alert_dispatched", "archive_json_file", "archive_csv_file", "archive_error"),
]


RECENT = {
    job_names.SLA_ESCALATION: "sla_cron_recent",
    job_names.ALERT_RETRY: "alert_retry_recent",
    job_names.ALERT_RETENTION: "alert_retention_recent",
    job_names.ALERT_GUARD_RECOVER: "alert_guard_recovery_recent",
    job_names.ALERT_MTTR_SLO: "alert_mttr_slo_recent",
    job_names.W07_WEEKLY: "w07_weekly_quality_recent",
    job_names.DR_REHEARSAL: "dr_rehearsal_recent",
    job_names.QUALITY_WEEKLY: "ops_quality_weekly_report_recent",
}


def test_a_check_of_a_recent_run_counts_any_and_says_how_it_ended(api, ctx):
    caller = api()

    def seen():
        found = {one["id"]: one for one in caller.get(f"{R}/checks").json["checks"]}
        return {(found[check]["status"], found[check]["latest_status"]) for check in RECENT.values()}

    assert {how for _status, how in seen()} == {"missing"}
    for name in RECENT:
        add_run(ctx, name, hours_ago=1, status="critical")
    ctx.session.commit()
    assert seen() == {("ok", "critical")}


def test_run_runbook_and_posture_tell_the_same_of_folder_level_and_signing(make_app, api, tmp_path):
    app = make_app(OPS_DAILY_CHECK_ALERT_LEVEL="Warn")
    caller = api()
    caller.application = app

    run = caller.post(f"{R}/checks/run").json
    posture = caller.get("/api/ops/security/posture").json
    check = next(one for one in run["checks"] if one["id"] == "ops_daily_check_archive")
    folder = str(tmp_path / "data/ops-daily-check-archives")
    assert (run["archive"]["path"], check["archive_path"]) == (folder, folder)
    assert posture["alerting"]["ops_daily_check_archive_path"] == folder
    assert posture["dr_rehearsal"]["backup_path"] == str(tmp_path / "data/dr-rehearsal")
    assert (run["alert_level"], posture["alerting"]["ops_daily_check_alert_level"]) == ("warning", "warning")
    assert list(posture["audit_archive_signing"]) == ["status", "message", "enabled", "algorithm"]
    assert run["security_posture"]["audit_archive_signing"] == posture["audit_archive_signing"]


@pytest.mark.parametrize("path", ["latest", "latest/summary.json", "latest/summary.csv"])
def test_before_the_first_run_there_is_nothing(api, path):
    assert api().get(f"{R}/checks/{path}").status_code == 404


def test_an_empty_archive_is_a_list_and_no_error(api):
    body = api().get(f"{R}/checks/archive.json").json

    assert list(body) == ["generated_at", "job_name", "limit", "count", "rows"]
    assert (body["job_name"], body["limit"], body["count"], body["rows"]) == ("ops_daily_check", 30, 0, [])


def test_a_run_is_the_latest_and_the_first_of_the_archive(api):
    caller = api()
    made = caller.post(f"{R}/checks/run")

    assert made.status_code == 200
    assert {*HEAD, *RESULT, "checked_at", "checks"} <= set(made.json)
    run = made.json
    assert (run["trigger"], run["alert_level"], run["alert_attempted"]) == ("api", "critical", False)
    assert set(run["security_posture"]) == {
        "rate_limit", "audit_archive_signing", "evidence_storage_backend", "token_policy",
    }  # fmt: skip
    assert run["archive"].keys() == {
        "enabled", "path", "retention_days", "json_file", "csv_file", "pruned_files", "error",
    }  # fmt: skip
    assert (run["archive"]["enabled"], run["archive"]["retention_days"], run["archive"]["error"]) == (True, 60, None)
    latest = caller.get(f"{R}/checks/latest").json
    assert list(latest)[: len(HEAD + RESULT)] == [*HEAD, *RESULT]
    # The stored check has whatever its run answered.
    assert latest == run
    assert (latest["run_id"], latest["job_name"]) == (run["run_id"], "ops_daily_check")
    assert [one["id"] for one in latest["checks"]] == [one["id"] for one in run["checks"]]
    rows = caller.get(f"{R}/checks/archive.json?limit=1").json["rows"]
    assert list(rows[0])[: len(ROW)] == ROW
    assert (rows[0]["run_id"], rows[0]["archive_state"]) == (run["run_id"], "intact")
    assert rows[0]["archive_json_file"] == run["archive"]["json_file"]
    stored = caller.get("/api/ops/job-runs?job_name=ops_daily_check").json
    assert [one["id"] for one in stored] == [run["run_id"]]


def test_checks_are_left_out_on_request(api):
    caller = api()
    caller.post(f"{R}/checks/run")

    assert "checks" not in caller.get(f"{R}/checks/latest?include_checks=false").json


def test_the_summary_has_its_fields_and_its_csv_form(api):
    caller = api()
    run = caller.post(f"{R}/checks/run").json

    body = caller.get(f"{R}/checks/latest/summary.json").json
    assert list(body) == ["generated_at", "job_name", "summary", "archive"]
    assert list(body["summary"]) == SUMMARY
    assert list(body["summary"]["alert"]) == ["level", "attempted", "dispatched", "error"]
    answer = caller.get(f"{R}/checks/latest/summary.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="ops-daily-check-summary-2026' in answer.headers["Content-Disposition"]
    assert answer.text.startswith(
        "run_id,checked_at,trigger,status,overall_status,check_count,warning_count,critical_count,"
        "alert_level,alert_attempted,alert_dispatched,alert_error\r\n"
    )
    lines = list(csv.reader(io.StringIO(answer.text)))
    assert lines[1][0] == str(run["run_id"])
    assert lines[2:4] == [[], ["check_id", "check_status", "check_message"]]
    assert [line[0] for line in lines[4:]] == [one["id"] for one in run["checks"]]


def test_the_archive_as_csv_has_the_published_header(api):
    caller = api()
    caller.post(f"{R}/checks/run")

    answer = caller.get(f"{R}/checks/archive.csv")
    assert answer.text.splitlines()[0] == ",".join(ROW)
    assert len(answer.text.splitlines()) == 2
    assert 'filename="ops-daily-check-archive-2026' in answer.headers["Content-Disposition"]


def test_the_archive_is_paged_and_filtered_and_tells_how_many_there_are(api, ctx):
    ids = [
        add_run(ctx, job_names.DAILY_CHECK, hours_ago=hours, status=status).id
        for hours, status in ((1, "success"), (25, "critical"), (49, "success"))
    ]
    ctx.session.commit()
    caller = api()

    def listed(query):
        answer = caller.get(f"{R}/checks/archive.json?{query}")
        lines = caller.get(f"{R}/checks/archive.csv?{query}")
        found = [row["run_id"] for row in answer.json["rows"]]
        assert [line.split(",")[0] for line in lines.text.splitlines()[1:]] == list(map(str, found))
        assert lines.headers["X-Total-Count"] == answer.headers["X-Total-Count"]
        return found, answer.headers["X-Total-Count"]

    assert listed("limit=1&offset=1") == (ids[1:2], "3")
    assert listed("offset=9") == ([], "3")
    assert listed("status=success") == ([ids[0], ids[2]], "2")
    assert listed("from=2026-03-01T23:00:00Z") == (ids[:1], "1")
    assert listed("to=2026-02-28T23:00:00") == (ids[1:], "2")
    for wrong in ("offset=-1", "status=ok", "from=yesterday", "offset=99999999999999999999"):
        assert caller.get(f"{R}/checks/archive.json?{wrong}").status_code == 422


@pytest.mark.parametrize(
    "path", ["checks/archive.json?limit=0", "checks/archive.json?limit=366", "checks/archive.csv?limit=x"]
)
def test_a_limit_outside_its_bounds_is_refused(api, path):
    assert api().get(f"{R}/{path}").status_code == 422


def test_a_stored_run_without_summary_gets_it_from_its_detail(api, ctx):
    detail = {"overall_status": "ok", "check_count": 1, "checks": [{"id": "a", "status": "ok", "message": "fine"}]}
    add_run(ctx, job_names.DAILY_CHECK, detail_json=detail)
    ctx.session.commit()

    made = api().get(f"{R}/checks/latest/summary.json").json["summary"]
    assert (list(made), made["checks"]) == (SUMMARY, detail["checks"])


SMOKES = (
    # A deploy that the gate let through and that had a problem; one that it held up for nothing but itself.
    ("warning", {"runbook_gate_passed": True, "checks": [{"id": "ui", "status": "warning"}]}),
    ("critical", {"runbook_gate_passed": False, "checks": [{"id": "runbook_gate", "status": "critical"}]}),
    ("success", {"runbook_gate_passed": True, "checks": [{"id": "ui", "status": "ok"}]}),
)


def test_a_review_names_what_the_gate_may_have_missed_or_held_up(api, ctx):
    for status, detail in SMOKES:
        add_run(ctx, job_names.DEPLOY_SMOKE, status=status, detail_json={"deploy_id": status, **detail})
    ctx.session.commit()
    caller = api()
    before = caller.get(f"{R}/checks").json["checks"]

    made = caller.post(f"{R}/review/run").json
    assert (made["status"], made["job_name"], made["trigger"]) == ("success", "ops_runbook_critical_review", "api")
    assert (made["deploy_smoke_count"], made["candidate_count"], made["review_completed"]) == (3, 2, True)
    (missed,), (false,) = made["false_negative_candidates"], made["false_positive_candidates"]
    assert list(missed) == [
        *("run_id", "status", "finished_at", "deploy_id", "checklist_version", "runbook_gate_passed"),
        "problem_check_ids",
    ]
    assert (missed["deploy_id"], missed["problem_check_ids"]) == ("warning", ["ui"])
    assert (false["deploy_id"], false["problem_check_ids"]) == ("critical", [])
    assert caller.get(f"{R}/review/latest").json["run_id"] == made["run_id"]
    after = caller.get(f"{R}/checks").json["checks"]
    states = [
        next(one["status"] for one in checks if one["id"] == "runbook_critical_monthly_review")
        for checks in (before, after)
    ]
    assert states == ["warning", "ok"]


def test_a_month_that_is_none_is_refused_and_leaves_no_run(api):
    caller = api()

    assert caller.post(f"{R}/review/run?month=2026-13").status_code == 400
    assert caller.post(f"{R}/review/run?month=March").status_code == 422
    assert caller.get(f"{R}/review/latest?month=2026-13").status_code == 400
    assert caller.get(f"{R}/review/latest").status_code == 404
    assert caller.get("/api/ops/job-runs?job_name=ops_runbook_critical_review").json == []
