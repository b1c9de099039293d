"""SLA, escalation, workload, assignment and figures over the API (API contract, remediation tracker W22 to W24)."""

import pytest

from tests.contract.automation import METRICS, RUN, T, audited, ok
from tests.services.automation.automation_support import AUTO_ASSIGN, AUTOPILOT, ESCALATION, KPI


def test_the_sla_snapshot(owner):
    made = ok(
        owner.get(f"{T}/sla?due_soon_hours=24"),
        "generated_at",
        "due_soon_hours",
        "metrics",
        "assignee_open_counts",
        "top_risk_items",
    )

    assert made["due_soon_hours"] == 24
    assert tuple(made["metrics"]) == (
        *("total_items", "open_items", "pending_count", "in_progress_count", "done_count", "blocked_count"),
        *("completion_rate_percent", "overdue_count", "due_soon_count", "critical_open_count"),
        "unassigned_open_count",
    )
    assert made["assignee_open_counts"] == {"unassigned": 2, "kim": 1}
    assert tuple(made["top_risk_items"][0]) == (
        *("id", "item_id", "rule_id", "rule_status", "required", "priority", "assignee", "status", "due_at"),
        "minutes_until_due",
    )
    assert made["top_risk_items"][0]["minutes_until_due"] == -120
    assert made["generated_at"] == "2026-03-02T00:00:00.000000+00:00"


def test_an_escalation_and_its_latest_run_have_the_same_keys(owner, session, channel):
    dry = ok(
        owner.post(f"{T}/escalate/run?dry_run=true&include_due_soon_hours=72"),
        *RUN,
        *("enabled", "due_soon_hours", "notify_enabled", "dry_run", "snapshot", "candidate_count"),
        *("critical_count", "notify_attempted", "notify_dispatched", "notify_error", "notify_channels", "items"),
    )
    latest = ok(owner.get(f"{T}/escalate/latest"), *RUN)

    assert (dry["due_soon_hours"], dry["dry_run"], dry["status"]) == (72, True, "critical")
    assert latest == dry
    assert list(latest) == list(dry)
    assert tuple(dry["items"][0])[:9] == (
        *("id", "item_id", "rule_id", "rule_status", "required", "priority", "assignee", "status", "due_at"),
    )
    real = ok(owner.post(f"{T}/escalate/run"), *RUN)
    assert (real["notify_attempted"], real["notify_dispatched"], real["notified_count"]) == (True, True, 2)
    assert (real["job_name"], real["trigger"], real["due_soon_hours"]) == (ESCALATION, "api", 12)
    assert audited(session, "escalation_run")[1] == (
        "ops_governance_remediation_tracker",
        str(real["run_id"]),
        "critical",
        {
            "dry_run": False,
            "due_soon_hours": 12,
            "candidate_count": 2,
            "critical_count": 1,
            "notify_attempted": True,
            "notify_dispatched": True,
            "notify_error": None,
        },
    )


def test_the_workload(owner):
    made = ok(
        owner.get(f"{T}/workload?max_suggestions=1"),
        *("generated_at", "include_inactive", "total_open_items", "unassigned_open_count"),
        *("assignee_open_counts", "owner_role_open_counts", "candidate_usernames_by_role", "suggestions"),
    )

    assert (made["total_open_items"], made["unassigned_open_count"], len(made["suggestions"])) == (3, 2, 1)
    assert tuple(made["suggestions"][0])[:8] == (
        *("id", "item_id", "rule_id", "owner_role", "priority", "due_at", "recommended_assignee", "reason"),
    )
    assert made["candidate_usernames_by_role"]["owner"] == ["anna", "olga"]


def test_an_assignment_run(owner, session):
    dry = ok(
        owner.post(f"{T}/auto-assign/run?dry_run=true&limit=5"),
        *RUN,
        *("enabled", "dry_run", "limit", "workload", "candidate_count", "assigned_count", "skipped_count"),
        *("no_candidate_count", "updated_ids", "assignments"),
    )
    real = ok(owner.post(f"{T}/auto-assign/run"), *RUN)
    latest = ok(owner.get(f"{T}/auto-assign/latest"), *RUN)

    assert (dry["assigned_count"], dry["limit"], real["limit"]) == (0, 5, 30)
    assert latest == real
    first = real["updated_ids"][0]
    assert owner.get(f"{T}/items/{first}").json["assignee"] == real["assignments"][0]["assignee"]
    assert tuple(real["assignments"][0]) == ("id", "assignee", "status", "reason")
    assert audited(session, "auto_assign_run")[1][3] == {
        "dry_run": False,
        "limit": 30,
        "candidate_count": 2,
        "assigned_count": 2,
        "skipped_count": 0,
        "no_candidate_count": 0,
        "enabled": True,
    }
    undone = owner.post(f"{T}/auto-assign/runs/{real['run_id']}/undo")
    assert sorted(undone.json["restored"]) == sorted(real["updated_ids"])
    assert owner.get(f"{T}/items/{first}").json["assignee"] is None
    assert owner.post(f"{T}/auto-assign/runs/{real['run_id']}/undo").status_code == 410


def test_the_figures(owner, session):
    keys = (
        "metrics",
        "status_counts",
        "assignee_open_counts",
        "backlog_history",
        "top_overdue_items",
        "recommendations",
    )
    made = ok(
        owner.get(f"{T}/kpi?window_days=14&due_soon_hours=24"), "generated_at", "window_days", "due_soon_hours", *keys
    )
    run = ok(owner.post(f"{T}/kpi/run?window_days=7&due_soon_hours=12"), *RUN, "window_days", "due_soon_hours", *keys)
    latest = ok(owner.get(f"{T}/kpi/latest"), *RUN, "window_days", "due_soon_hours", *keys)

    assert tuple(made["metrics"]) == METRICS
    assert tuple(made["status_counts"]) == ("pending", "in_progress", "done", "blocked")
    assert tuple(made["backlog_history"])[:4] == ("window_days", "count", "trend", "points")
    assert tuple(made["top_overdue_items"][0]) == (
        *("id", "item_id", "rule_id", "priority", "owner_role", "assignee", "status", "due_at", "overdue_hours"),
    )
    assert (run["window_days"], run["due_soon_hours"], run["status"]) == (7, 12, "critical")
    assert "generated_at" not in run
    assert latest == run
    assert tuple(run["backlog_history"]["points"][0]) == (
        "finished_at",
        "open_items",
        "source_job",
        "status",
        "run_id",
    )
    assert audited(session, "kpi_run")[0][3] == {
        "window_days": 7,
        "due_soon_hours": 12,
        "open_items": 3,
        "overdue_count": 1,
        "unassigned_open_count": 2,
        "critical_open_count": 1,
    }


@pytest.mark.parametrize(
    ("path", "job"), [("escalate", ESCALATION), ("auto-assign", AUTO_ASSIGN), ("kpi", KPI), ("autopilot", AUTOPILOT)]
)
def test_before_the_first_run_there_is_no_latest(owner, path, job):
    response = owner.get(f"{T}/{path}/latest")

    assert (response.status_code, response.json["detail"]) == (404, f"No {job} run found")


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN"])
def test_a_number_without_bounds_is_refused_as_an_option(api, number):
    body = f'{{"options": {{"limit": {number}}}}}'
    response = api("owner").post(
        "/api/ops/jobs/ops_governance_remediation_auto_assign/run", data=body, content_type="application/json"
    )

    assert response.status_code == 422
