"""The autopilot over the API, letter by letter (API contract, remediation tracker W25 to W30)."""

import csv
import io

import pytest
from sqlalchemy import select

from console.models.jobs import JobRun
from tests.contract.automation import EVALUATION, FIELDS, GUARD, METRICS, RUN, A, M, T, audited, ok
from tests.services.automation.automation_support import AUTOPILOT, ESCALATION, item
from tests.support.policy_shape import assert_policy_shape


def test_the_policy_envelope_and_its_ten_fields(owner, session):
    key = "ops_governance_remediation_autopilot_policy"
    scope = "ops.governance.remediation.autopilot"
    before = ok(owner.get(f"{A}/policy"), "policy_key", "updated_at", "policy", "meta")
    assert_policy_shape(before, key=key, scope=scope, fields=FIELDS)
    values = {
        "enabled": False,
        "notify_enabled": False,
        "unassigned_trigger": 0,
        "overdue_trigger": 0,
        "cooldown_minutes": 1440,
        "skip_if_no_action": False,
        "kpi_window_days": 180,
        "kpi_due_soon_hours": 168,
        "escalation_due_soon_hours": 0,
        "auto_assign_max_items": 500,
    }

    after = ok(owner.put(f"{A}/policy", json=values), "policy_key", "updated_at", "policy", "meta")

    assert_policy_shape(after, key=key, scope=scope, fields=FIELDS)
    assert {name: after["policy"][name] for name in FIELDS} == values
    assert owner.get(f"{A}/policy").json["policy"] == after["policy"]
    assert after["policy_key"] == key
    detail = audited(session, "autopilot_policy_update")[0][3]
    assert {name: detail[name] for name in FIELDS} == values
    assert detail["policy_key"] == key


def test_odd_values_are_taken_leniently_and_told(owner):
    made = ok(owner.put(f"{A}/policy", json={"cooldown_minutes": 99999, "enabled": "false", "overdue_trigger": None}))

    assert (made["policy"]["cooldown_minutes"], made["policy"]["enabled"], made["policy"]["overdue_trigger"]) == (
        1440,
        True,
        1,
    )
    assert [(one["field"], one["code"]) for one in made["warnings"]] == [
        ("enabled", "refused"),
        ("cooldown_minutes", "clamped"),
    ]


@pytest.mark.parametrize(
    "body", ["", "null", "[]", "7", '"x"', "{", '{"cooldown_minutes": Infinity}', '{"cooldown_minutes": NaN}']
)
def test_a_policy_body_that_is_no_object_is_refused(owner, body):
    response = owner.put(f"{A}/policy", data=body, content_type="application/json")

    assert response.status_code == 422


def test_if_match_keeps_two_people_from_overwriting_each_other(owner):
    first = owner.get(f"{A}/policy")
    assert (
        owner.put(f"{A}/policy", json={"cooldown_minutes": 60}, headers={"If-Match": first.headers["ETag"]}).status_code
        == 200
    )

    again = owner.put(f"{A}/policy", json={"cooldown_minutes": 90}, headers={"If-Match": first.headers["ETag"]})

    assert (again.status_code, again.json["detail"]["current_revision"]) == (412, 1)
    assert owner.get(f"{A}/policy").json["policy"]["cooldown_minutes"] == 60


def test_the_preview(owner):
    made = ok(
        owner.post(
            f"{A}/preview", json={"force": True, "policy": {"unassigned_trigger": 9999, "overdue_trigger": 9999}}
        ),
        "policy_key",
        "guard",
        *EVALUATION,
    )

    assert made["planned_actions"] == ["auto_assign", "escalation"]
    assert made["guard"]["reason"] == "force_override"
    assert made["policy"]["unassigned_trigger"] == 9999
    assert tuple(made["guard"])[:10] == GUARD
    assert tuple(made["metrics"]) == METRICS
    assert len(made["fingerprint"]) == 64
    assert tuple(made["plan"]["lines"][0])[:6] == ("id", "item_id", "title", "action", "rule", "reason")


@pytest.mark.parametrize(
    ("body", "status", "warned"),
    [
        ("", 200, []),
        ("null", 200, []),
        ("{}", 200, []),
        ('{"policy": []}', 200, ["policy"]),
        ('{"force": "false"}', 200, ["force"]),
        ("[]", 422, None),
        ("3", 422, None),
        ("{", 422, None),
        ('{"policy": {"cooldown_minutes": Infinity}}', 422, None),
    ],
)
def test_a_preview_takes_an_object_or_nothing(owner, body, status, warned):
    response = owner.post(f"{A}/preview", data=body, content_type="application/json")

    assert response.status_code == status
    if warned is not None:
        assert [one["field"] for one in response.json["warnings"]] == warned
        assert response.json["force"] is False


def test_the_guard(owner):
    made = ok(owner.get(f"{A}/guard"), "policy_key", "policy_updated_at", "policy", "evaluation", "guard")

    assert tuple(made["evaluation"]) == EVALUATION
    assert tuple(made["guard"])[:10] == GUARD
    assert (made["guard"]["reason"], made["guard"]["would_run"]) == ("no_recent_run", True)


RESULT = (
    *("enabled", "dry_run", "force", "policy_key", "policy_updated_at", "policy", "metrics", "guard", "skipped"),
    *("skip_reason", "planned_actions", "actions", "should_run_auto_assign", "should_run_escalation", "auto_assign"),
    *("escalation", "errors"),
)


def test_the_pinned_story_of_runs(owner, session):
    owner.put(f"{A}/policy", json={"cooldown_minutes": 1440})
    forced = ok(owner.post(f"{A}/run?dry_run=true&force=true"), *RUN, *RESULT)
    held = ok(owner.post(f"{A}/run?dry_run=true"), *RUN, *RESULT)
    real = ok(owner.post(f"{A}/run?force=true"), *RUN, *RESULT)
    latest = ok(owner.get(f"{A}/latest"), *RUN, *RESULT)

    assert (forced["skipped"], forced["actions"], forced["dry_run"]) == (False, ["auto_assign", "escalation"], True)
    assert (held["skipped"], held["skip_reason"], held["guard"]["blocked"]) == (True, "cooldown_active", True)
    assert (real["auto_assign"]["trigger"], real["escalation"]["job_name"]) == ("autopilot", ESCALATION)
    assert latest == real
    assert list(latest) == list(real)
    detail = audited(session, "autopilot_run")[2][3]
    assert set(detail) == {
        *("dry_run", "force", "skipped", "skip_reason", "planned_actions", "actions", "guard", "errors"),
        *M,
    }


def test_a_run_with_an_old_fingerprint_is_refused(owner, session, clock):
    mark = owner.post(f"{A}/preview").json["fingerprint"]
    owner.put(f"{A}/policy", json={"sync_before_run": False})
    item(session, clock, 9, -1)
    session.commit()

    response = owner.post(f"{A}/run?fingerprint={mark}")

    assert (response.status_code, response.json["code"]) == (409, "plan_changed")
    assert response.json["detail"]["fingerprint"] != mark
    assert owner.get(f"{T}/workload").json["unassigned_open_count"] == 3
    assert audited(session, "autopilot_run") == []
    fresh = owner.post(f"{A}/preview").json["fingerprint"]
    assert owner.post(f"{A}/run?fingerprint={fresh}").json["actions"] == ["auto_assign", "escalation"]


def test_of_two_runs_at_once_the_second_is_skipped(owner, session, clock):
    session.add(
        JobRun(
            job_name=AUTOPILOT,
            trigger="cron",
            state="running",
            started_at=clock.now(),
            heartbeat_at=clock.now(),
            requested_at=clock.now(),
        )
    )
    session.commit()

    made = ok(owner.post(f"{A}/run"), *RUN, *RESULT)

    assert (made["skipped"], made["skip_reason"], made["actions"]) == (True, "already_running", [])
    assert owner.get(f"{A}/history").json["items"][0]["skip_reason"] == "already_running"
    assert owner.get(f"{T}/workload").json["unassigned_open_count"] == 2


HISTORY = (
    *("run_id", "status", "trigger", "started_at", "finished_at", "dry_run", "force", "skipped", "skip_reason"),
    *("planned_actions", "actions", "errors_count", *M[:1], "overdue_count", "unassigned_open_count"),
    "critical_open_count",
)


def test_history_summary_and_anomalies_and_their_files(owner, session):
    owner.post(f"{A}/run?dry_run=true")
    owner.post(f"{A}/run")

    history = ok(owner.get(f"{A}/history?limit=5"), "generated_at", "count", "limit", "items")
    summary = ok(
        owner.get(f"{A}/summary?days=7"),
        *("generated_at", "window_days", "total_runs", "skipped_runs", "executed_runs", "status_counts"),
        *("planned_action_counts", "executed_action_counts", "cooldown_blocked_runs", "error_runs"),
        *("success_rate_percent", "skipped_rate_percent", "latest_run"),
    )
    anomalies = ok(
        owner.get(f"{A}/anomalies?days=7"),
        *("generated_at", "window_days", "health_status", "anomaly_count", "anomalies", "metrics"),
        *("latest_run", "recommendations"),
    )

    assert (history["limit"], history["count"], summary["window_days"], summary["total_runs"]) == (5, 2, 7, 2)
    assert tuple(history["items"][0])[: len(HISTORY)] == HISTORY
    assert history["items"][0]["run_id"] > history["items"][1]["run_id"]
    older = owner.get(f"{A}/history?limit=1&offset=1").json
    assert (older["items"], older["total"]) == (history["items"][1:], 2)
    assert owner.get(f"{A}/history.csv?offset=1").text.count("\r\n") == 2
    assert owner.get(f"{A}/history?offset=99").json["items"] == []
    assert owner.get(f"{A}/history?offset=-1").status_code == 422
    assert tuple(summary["latest_run"]) == (
        *("run_id", "status", "finished_at", "skipped", "skip_reason", "planned_actions", "actions", *M[:1]),
        *("overdue_count", "unassigned_open_count", "critical_open_count"),
    )
    assert tuple(anomalies["anomalies"][0]) == ("code", "severity", "message", "observed", "target", "recommendation")
    for what, lines in (("history", 2), ("summary", 27), ("anomalies", anomalies["anomaly_count"])):
        response = owner.get(f"{A}/{what}.csv")
        stamp = "20260302T000000Z"
        name = f"ops-governance-remediation-autopilot-{what}-{stamp}.csv"
        assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert not response.text.startswith("\ufeff")
        assert len(list(csv.DictReader(io.StringIO(response.text)))) == lines
        assert response.text.endswith("\r\n")
        assert audited(session, f"autopilot_{what}_csv_export")[0][1] == name
    assert owner.get(f"{A}/history.csv?bom=1").text.startswith("\ufeff")


@pytest.mark.parametrize(
    "address",
    [
        *(f"GET {T}/sla?due_soon_hours={value}" for value in (-1, 169, "x")),
        *(f"POST {T}/escalate/run?include_due_soon_hours={value}" for value in (-1, 169)),
        f"POST {T}/escalate/run?notify=maybe",
        *(f"GET {T}/workload?max_suggestions={value}" for value in (0, 101)),
        *(f"POST {T}/auto-assign/run?limit={value}" for value in (0, 501)),
        *(f"GET {T}/kpi?window_days={value}" for value in (0, 181)),
        f"POST {T}/kpi/run?due_soon_hours=169",
        f"POST {A}/run?force=perhaps",
        f"POST {A}/run?fingerprint=abc",
        *(f"GET {A}/history?limit={value}" for value in (0, 101)),
        *(f"GET {A}/summary?days={value}" for value in (0, 91)),
        *(f"GET {A}/anomalies.csv?days={value}" for value in (0, 91)),
    ],
)
def test_values_outside_their_bounds_are_refused(owner, session, address):
    method, path = address.split(" ")

    assert owner.open(path, method=method).status_code == 422
    assert session.scalars(select(JobRun)).all() == []


@pytest.mark.parametrize("role", ["manager", "operator", "auditor"])
def test_who_may_read_and_who_may_run(api, session, role):
    caller = api(role)
    runs = role == "manager"

    for path in (
        f"{T}/sla",
        f"{T}/workload",
        f"{T}/kpi",
        f"{A}/policy",
        f"{A}/guard",
        f"{A}/history",
        f"{A}/summary.csv",
    ):
        assert caller.get(path).status_code == 200
    assert caller.post(f"{A}/preview").status_code == 200
    for path in (f"{T}/escalate/run", f"{T}/auto-assign/run", f"{T}/kpi/run", f"{A}/run"):
        response = caller.post(f"{path}?dry_run=true")
        assert response.status_code == (200 if runs else 403)
        if not runs:
            assert response.json["detail"] == "Missing permission: admins:manage"
    assert caller.put(f"{A}/policy", json={}).json["detail"] == "Missing permission: admins:manage"


def test_figures_of_all_sites_are_not_for_callers_of_one(api, session):
    caller = api("manager", ("본관",))

    for method, path in (
        ("GET", f"{A}/guard"),
        ("GET", f"{A}/history.csv"),
        ("GET", f"{T}/kpi/latest"),
        ("POST", f"{A}/run"),
    ):
        response = caller.open(path, method=method)
        assert (response.status_code, response.json["detail"]) == (403, "Global site scope required")
    assert caller.get(f"{T}/sla").status_code == 200
    assert caller.get(f"{T}/sla?site=별관").json["detail"] == "Site access denied"
    queued = caller.post(f"{A}/run", headers={"Prefer": "respond-async"})
    assert (queued.status_code, session.scalars(select(JobRun)).all()) == (403, [])


def test_a_client_that_does_not_want_to_wait_gets_the_address_of_the_run(owner, session):
    response = owner.post(f"{A}/run?force=true&dry_run=true", headers={"Prefer": "respond-async"})

    assert response.status_code == 202
    run = session.scalars(select(JobRun)).one()
    assert response.headers["Location"] == f"/api/ops/job-runs/{run.id}"
    assert (run.options_json["force"], run.dry_run, run.state) == (True, True, "queued")


def test_a_proposal_goes_from_a_manager_to_an_owner(api, session, owner):
    manager = api("manager", username="minsu")
    made = manager.post(f"{A}/policy/proposals", json={"policy": {"cooldown_minutes": 90}, "reason": "Fewer runs"})
    assert (made.status_code, made.json["state"], made.json["shadow"]) == (201, "open", True)
    address = f"{A}/policy/proposals/{made.json['id']}/decision"

    assert manager.post(address, json={"decision": "approve"}).status_code == 403
    assert owner.get(f"{A}/shadow").json["runs"] == 0
    approved = owner.post(address, json={"decision": "approve", "note": "Good"})

    assert approved.json["policy"]["cooldown_minutes"] == 90
    assert owner.get(f"{A}/shadow").json is None
    assert owner.get(f"{A}/policy/revisions").json[0]["source"] == "approval"
    assert owner.get(f"{A}/policy/proposals").json[0]["decided_by"] == "olga"
    assert owner.post(address, json={"decision": "reject", "note": "x"}).status_code == 409


def test_the_kill_switch(api, owner):
    manager = api("manager", username="minsu")
    assert manager.post(f"{A}/pause", json={}).status_code == 422
    assert manager.post(f"{A}/pause", json={"reason": "Wrong people"}).json["policy"]["paused"] is True

    assert owner.post(f"{A}/run?force=true").json["skip_reason"] == "policy_disabled"
    assert owner.post(f"{T}/auto-assign/run").json["skip_reason"] == "disabled"
    assert manager.post(f"{A}/resume", json={"reason": "x"}).status_code == 403
    assert owner.post(f"{A}/resume", json={"reason": "Mended"}).json["policy"]["paused"] is False
    assert owner.post(f"{A}/run?force=true").json["skipped"] is False
