"""Gate and plan over the API: published keys, texts, headers, permissions and what is left behind."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.models.audit import AuditLog
from console.models.jobs import JobRun

G = "/api/ops/governance/gate"
GATE_KEYS = ["generated_at", "decision", "summary", "rules", "policy"]
RUN_KEYS = ["run_id", "job_name", "trigger", "status", "started_at", "finished_at"]


def _audit(session):
    session.rollback()
    query = select(AuditLog.action, AuditLog.resource_type, AuditLog.status).order_by(AuditLog.id)
    return [tuple(row) for row in session.execute(query)]


def test_the_verdict_has_the_published_keys_and_leaves_nothing_behind(api, session):
    response = api().get(G)

    assert response.status_code == 200
    body = response.json
    assert list(body)[:5] == GATE_KEYS
    assert body["decision"] == "no_go"
    assert body["summary"]["total_rules"] == len(body["rules"]) == 7
    assert list(body["rules"][0])[:7] == ["id", "required", "status", "passed", "weight", "message", "detail"]
    assert body["reasons"][0]["code"] == "weighted_score_below_minimum"
    assert session.scalar(select(JobRun.id)) is None
    assert _audit(session) == []


def test_run_latest_and_history_agree(api, session):
    caller = api()

    ran = caller.post(f"{G}/run")
    latest = caller.get(f"{G}/latest")
    history = caller.get(f"{G}/history")

    assert ran.status_code == 200
    assert list(ran.json)[:6] == RUN_KEYS
    assert (ran.json["job_name"], ran.json["trigger"], ran.json["status"]) == ("ops_governance_gate", "api", "critical")
    assert latest.json == ran.json
    assert list(history.json["items"][0])[:6] == [
        "run_id", "status", "decision", "failure_count", "warning_count", "finished_at",
    ]  # fmt: skip
    assert history.json["items"][0]["run_id"] == ran.json["run_id"]
    assert (history.json["count"], history.headers["X-Total-Count"]) == (1, "1")
    assert _audit(session) == [("ops_governance_gate_run", "ops_governance_gate", "warning")]


def test_the_verdict_of_a_run_is_dated_its_start(api, clock, monkeypatch):
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: clock.advance(timedelta(milliseconds=5)) or now())

    ran = api().post(f"{G}/run").json

    assert ran["generated_at"] == ran["started_at"] < ran["finished_at"]


def test_a_queued_run_answers_at_once_with_its_address(api):
    response = api().post(f"{G}/run", headers={"Prefer": "respond-async"})

    assert response.status_code == 202
    assert response.headers["Location"] == f"/api/ops/job-runs/{response.json['id']}"


def test_before_the_first_run_latest_is_404(api):
    response = api().get(f"{G}/latest")

    assert (response.status_code, response.json["detail"]) == (404, "No ops_governance_gate run found")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "offset=-1", "decision=maybe", "from=yesterday", "from=0"]
)
def test_a_history_query_out_of_bounds_is_422(api, query):
    response = api().get(f"{G}/history?{query}")

    assert response.status_code == 422
    assert response.json["detail"][0]["loc"][0] == "query"


def test_the_history_is_paged_and_bounded_in_time(api, clock):
    caller = api()
    for _ in range(3):
        caller.post(f"{G}/run")
        clock.advance(timedelta(hours=1))

    assert caller.get(f"{G}/history?limit=1&offset=1").json["count"] == 1
    assert caller.get(f"{G}/history?decision=go").json["total"] == 0
    bounded = caller.get(f"{G}/history?from=2026-03-02T00:30:00Z&to=2026-03-02T01:30:00Z")
    assert bounded.headers["X-Total-Count"] == "1"
    assert caller.get(f"{G}/history?status=critical").json["total"] == 3
    assert caller.get(f"{G}/history?status=success").json["total"] == 0


def test_the_plan_has_the_published_keys(api, session):
    body = api().get(f"{G}/remediation").json

    assert list(body)[:7] == [
        "generated_at", "gate_generated_at", "decision", "include_warnings", "max_items", "summary", "items",
    ]  # fmt: skip
    assert body["plan_source"] == "fresh"
    assert body["summary"] == {
        "total_candidates": 4, "fail_count": 0, "warning_count": 4, "item_count": 4, "critical_path_count": 0,
    }  # fmt: skip
    assert list(body["items"][0])[:11] == [
        "item_id", "rule_id", "rule_status", "required", "priority", "owner_role", "sla_hours", "due_at", "action",
        "reason", "detail",
    ]  # fmt: skip
    assert _audit(session) == []


def test_a_plan_is_paged_and_its_ranks_stay(api):
    caller = api()
    whole = caller.get(f"{G}/remediation").json["items"]

    page = caller.get(f"{G}/remediation?max_items=2&offset=1")
    lines = caller.get(f"{G}/remediation/csv?max_items=2&offset=1")

    assert (page.json["items"], page.headers["X-Total-Count"]) == (whole[1:3], "4")
    assert [line[:6] for line in lines.text.splitlines()[1:]] == ["GR-002", "GR-003"]
    assert (page.json["summary"]["total_candidates"], lines.headers["X-Total-Count"]) == (4, "4")


@pytest.mark.parametrize("query", ["max_items=0", "max_items=201", "include_warnings=perhaps", "offset=-1"])
def test_a_plan_query_out_of_bounds_is_422(api, query):
    assert api().get(f"{G}/remediation?{query}").status_code == 422
    assert api().get(f"{G}/remediation/csv?{query}").status_code == 422


def test_the_csv_is_a_download_with_the_exact_header_and_is_put_on_record(api, session):
    response = api().get(f"{G}/remediation/csv?max_items=2")

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == (
        'attachment; filename="ops-governance-remediation-20260302T000000Z.csv"'
    )
    lines = response.text.split("\r\n")
    assert lines[0] == "item_id,rule_id,rule_status,required,priority,owner_role,sla_hours,due_at,action,reason"
    assert len(lines) == 4
    assert _audit(session) == [("ops_governance_gate_remediation_csv_export", "ops_governance_gate", "warning")]


def test_the_csv_may_carry_the_mark_for_excel(api):
    assert api().get(f"{G}/remediation/csv?bom=1").text.startswith("\ufeffitem_id,")


@pytest.mark.parametrize(
    ("role", "reads", "runs"),
    [("owner", 200, 200), ("manager", 200, 200), ("operator", 200, 403), ("auditor", 200, 403)],
)
def test_who_reads_the_gate_and_who_runs_it(api, role, reads, runs):
    caller = api(role)

    assert caller.get(G).status_code == reads
    response = caller.post(f"{G}/run")
    assert response.status_code == runs
    if runs == 403:
        assert response.json["detail"] == "Missing permission: admins:manage"


def test_looking_at_a_no_go_does_not_raise_the_risk(api):
    caller = api()
    before = caller.get("/api/ops/admin/security-dashboard").json["risk"]["score"]
    for _ in range(5):
        caller.get(G)
        caller.post(f"{G}/run")

    assert caller.get("/api/ops/admin/security-dashboard").json["risk"]["score"] == before
