"""Checklist and smoke record of a release, letter for letter (API contract, deploy)."""

import json
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import func, select

from console.core.config import APP_ROOT
from console.models.audit import AuditLog
from console.models.jobs import JobRun

CHECKLIST, RECORD = "/api/ops/deploy/checklist", "/api/ops/deploy/smoke/record"
POLICY = [
    *("deploy_smoke_recent_hours", "require_runbook_gate", "rollback_on_failure_recommended"),
    *("rollback_guide_required", "rollback_guide_path", "rollback_guide_exists", "rollback_guide_sha256"),
    *("ui_core_path", "ui_core_markers", "version_rule"),
]
STEPS = [
    *("pre_01_backup", "pre_02_release_note", "smoke_01_health", "smoke_02_ui_main_shell"),
    *("smoke_03_auth_and_runbook", "smoke_04_security", "rollback_01_trigger", "rollback_02_checklist"),
]
DETAIL = {
    *("deploy_id", "environment", "base_url", "checklist_version", "rollback_reference"),
    *("rollback_reference_expected", "rollback_reference_match", "rollback_reference_exists"),
    *("rollback_reference_sha256", "rollback_reference_expected_sha256", "rollback_reference_sha256_match"),
    *("rollback_ready", "runbook_gate_passed", "notes", "checks"),
    *("checklist_version_expected", "checklist_version_match", "checklist_signature", "checklist_version_source"),
    *("ui_main_shell_path", "ui_main_shell_markers", "ui_main_shell_checked", "ui_main_shell_status"),
    "artifact_archive",
}
GUIDE = "docs/W15_MIGRATION_ROLLBACK.md"


@pytest.fixture
def owner(api):
    return api()


def good(client, **changes):
    """Return a record in which everything is in order, with changes; None takes a field out."""
    found = client.get(CHECKLIST).json
    body = {
        "deploy_id": "rel-42",
        "environment": "staging",
        "base_url": "https://console.example",
        "status": "success",
        "checklist_version": found["version"],
        "rollback_reference": GUIDE,
        "rollback_reference_sha256": found["policy"]["rollback_guide_sha256"],
        "rollback_ready": True,
        "runbook_gate_passed": True,
        "checks": [{"id": "ui_main_shell", "status": "ok", "message": "all markers seen"}],
        **changes,
    }
    return {key: value for key, value in body.items() if value is not None}


def test_the_checklist_in_its_published_shape(owner):
    answer = owner.get(CHECKLIST)

    made = answer.json
    assert (answer.status_code, list(made)) == (
        200, ["version", "version_source", "signature", "generated_at", "policy", "steps"],
    )  # fmt: skip
    assert (made["version"], made["version_source"]) == ("2026.03.v1", "auto_increment:2026-03")
    assert len(made["signature"]) == 12
    assert list(made["policy"]) == POLICY
    assert made["policy"]["rollback_guide_path"] == GUIDE
    assert made["policy"]["rollback_guide_sha256"] == sha256((APP_ROOT / GUIDE).read_bytes()).hexdigest()
    assert [step["id"] for step in made["steps"]] == STEPS
    assert all(step["required"] is True and step["item"] for step in made["steps"])
    assert list(made["steps"][-1]) == ["phase", "id", "required", "item", "path", "exists", "sha256"]
    assert made["steps"][3]["path"] == made["policy"]["ui_core_path"]


def test_a_version_stays_with_its_signature_over_the_month(owner, api, clock):
    first = owner.get(CHECKLIST).json
    clock.set(clock.now() + timedelta(days=40))

    again = api("owner", username="later").get(CHECKLIST).json

    assert (again["version"], again["signature"]) == (first["version"], first["signature"])
    assert again["version_source"] == "deploy_smoke_signature_match:2026-03"


def test_a_good_record_matches_everywhere(owner):
    answer = owner.post(RECORD, json=good(owner))

    made = answer.json
    assert (answer.status_code, made["job_name"], made["status"], made["trigger"]) == (
        200, "deploy_smoke", "success", "api",
    )  # fmt: skip
    detail = made["detail"]
    assert set(detail) >= DETAIL
    matches = ("rollback_reference_match", "rollback_reference_sha256_match", "checklist_version_match")
    assert [detail[name] for name in matches] == [True, True, True]
    assert (detail["ui_main_shell_checked"], detail["ui_main_shell_status"]) == (True, "ok")
    assert detail["findings"] == []
    assert {check["id"]: check["status"] for check in detail["checks"]} == {
        "ui_main_shell": "ok", "rollback_guide_binding": "ok", "checklist_version_binding": "ok",
        "artifact_archive": "ok",
    }  # fmt: skip


def test_runbook_gate_and_posture_read_the_record(owner):
    owner.post(RECORD, json=good(owner))

    checks = {check["id"]: check for check in owner.get("/api/ops/runbook/checks").json["checks"]}
    rules = {rule["id"]: rule for rule in owner.get("/api/ops/governance/gate").json["rules"]}
    posture = owner.get("/api/ops/security/posture").json["deploy_smoke_policy"]

    assert checks["deploy_smoke_checklist"]["status"] == "ok"
    assert checks["deploy_smoke_checklist"]["checklist_version"] == "2026.03.v1"
    assert rules["deploy_smoke_binding_recent"]["passed"] is True
    assert (posture["checklist_version"], posture["latest_status"], posture["recent_hours"]) == (
        "2026.03.v1", "success", 48,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "status", "findings"),
    [
        ({"rollback_reference": "docs\\W15_MIGRATION_ROLLBACK.md"}, "success", []),
        ({"rollback_reference": "docs/other.md"}, "warning", ["rollback_guide_binding"]),
        ({"rollback_reference_sha256": "0" * 64}, "warning", ["rollback_guide_binding"]),
        ({"rollback_reference_sha256": None}, "success", []),
        ({"checklist_version": "2020.01.v1"}, "warning", ["checklist_version_binding"]),
        ({"runbook_gate_passed": False}, "warning", ["runbook_gate"]),
        ({"rollback_ready": False}, "warning", ["rollback_ready"]),
        ({"checks": []}, "warning", ["ui_main_shell"]),
        ({"checks": [{"id": "ui_main_shell", "status": "fatal"}]}, "critical", ["ui_main_shell"]),
        ({"status": "degraded"}, "warning", []),
        ({"status": "failed"}, "critical", []),
        ({"status": "whatever"}, "warning", []),
        (
            {"rollback_ready": False, "checks": [{"id": "ui_main_shell", "status": "error"}]},
            "critical", ["rollback_ready", "ui_main_shell"],
        ),
    ],
)  # fmt: skip
def test_all_findings_are_collected_and_the_worst_counts(owner, changes, status, findings):
    made = owner.post(RECORD, json=good(owner, **changes)).json

    assert (made["status"], [finding["id"] for finding in made["detail"]["findings"]]) == (status, findings)


def test_an_empty_record_says_what_it_lacks(owner):
    made = owner.post(RECORD, json={}).json

    assert made["status"] == "warning"
    detail = made["detail"]
    assert (detail["environment"], detail["checklist_version_match"]) == ("test", True)
    assert detail["rollback_reference_sha256_match"] is None
    assert [finding["id"] for finding in detail["findings"]] == ["runbook_gate", "rollback_ready", "ui_main_shell"]


@pytest.mark.parametrize(
    "body",
    [
        {"rollback_ready": "false"}, {"runbook_gate_passed": 1}, {"finished_at": "yesterday"},
        {"started_at": 1_700_000_000}, {"finished_at": "2026-03-02T00:06:00Z"}, {"started_at": "2027-01-01T00:00:00Z"},
        {"rollback_reference_sha256": "no hex"}, {"notes": "x" * 4001}, {"base_url": "x" * 501}, {"deploy_id": 7},
        {"checks": "none"}, {"checks": {"id": "x"}}, {"checks": [{"id": "x", "message": "y" * 1001}]},
        {"rollback_redy": True}, [], "text",
    ],
)  # fmt: skip
def test_bad_input_is_refused_and_leaves_nothing(owner, session, body):
    answer = owner.post(RECORD, json=body)

    assert answer.status_code == 422, answer.json
    assert session.scalar(select(func.count()).select_from(JobRun)) == 0


def test_small_differences_of_clocks_are_borne(owner):
    made = owner.post(RECORD, json=good(owner, finished_at="2026-03-02T00:04:00Z")).json

    assert made["finished_at"] == "2026-03-02T00:00:00.000000+00:00"


def test_the_time_of_receipt_decides_and_a_late_record_says_so(owner):
    body = good(owner, started_at="2026-02-01T00:00:00", finished_at="2026-01-31T00:00:00")

    made = owner.post(RECORD, json=body).json

    assert made["finished_at"] == "2026-03-02T00:00:00.000000+00:00"
    assert made["started_at"] == "2026-02-01T00:00:00.000000+00:00"
    assert [finding["id"] for finding in made["detail"]["findings"]] == ["recorded_late"]


def test_only_the_first_fifty_objects_are_kept(owner):
    checks = ["text", None, *({"id": f"c{n}", "status": "pass", "took": 3} for n in range(60))]

    kept = owner.post(RECORD, json=good(owner, checks=checks)).json["detail"]["checks"]

    assert [check["id"] for check in kept[:50]] == [f"c{n}" for n in range(50)]
    assert [check["id"] for check in kept[50:]] == [
        "rollback_guide_binding", "checklist_version_binding", "ui_main_shell_binding", "artifact_archive",
    ]  # fmt: skip


def test_the_file_is_written_with_its_run_and_hashed_from_the_disk(owner, app):
    made = owner.post(RECORD, json=good(owner, deploy_id="../상암 rel/77")).json

    kept = made["detail"]["artifact_archive"]
    assert list(kept) == [
        "enabled", "path", "retention_days", "json_file", "sha256", "size_bytes", "pruned_files", "error",
    ]  # fmt: skip
    assert kept["json_file"] == f"2026/03/deploy-smoke-20260302T000000Z-rel-77-{made['run_id']}.json"
    content = (app.extensions["console_config"].path("DEPLOY_SMOKE_ARCHIVE_PATH") / kept["json_file"]).read_bytes()
    assert (kept["sha256"], kept["size_bytes"]) == (sha256(content).hexdigest(), len(content))
    document = json.loads(content)
    assert list(document) == ["captured_at", "run_id", "job_name", "status", "principal", "payload", "detail"]
    assert (document["run_id"], document["status"]) == (made["run_id"], "success")
    assert document["payload"]["deploy_id"] == "../상암 rel/77"


OPTIONAL = (
    *("deploy_id", "environment", "base_url", "status", "started_at", "finished_at", "checklist_version"),
    *("rollback_reference", "rollback_reference_sha256", "notes", "checks"),
)


def test_what_is_null_was_not_sent_but_is_no_answer_to_yes_or_no(owner):
    told = owner.post(RECORD, json=dict.fromkeys(OPTIONAL)).json["detail"]
    plain = owner.post(RECORD, json={}).json["detail"]

    apart = ("received_at", "artifact_archive", "checklist_version_source")
    assert {key: told[key] for key in told if key not in apart} == {key: plain[key] for key in told if key not in apart}
    shell = {"id": "ui_main_shell", "status": "ok", "message": None}
    assert owner.post(RECORD, json=good(owner, checks=[shell, {"id": None}])).json["status"] == "success"
    assert owner.post(RECORD, json={"rollback_ready": None}).status_code == 422
    assert owner.post(RECORD, json={"misspelt": None}).status_code == 422


@pytest.mark.parametrize("odd", [b"[NaN]", b'["' + b"x" * 600_000 + b'"]'])
def test_the_file_holds_the_request_as_it_was_sent(owner, app, odd):
    folder = app.extensions["console_config"].path("DEPLOY_SMOKE_ARCHIVE_PATH")
    checks = [7, *({"id": f"c{n}", "status": "PASS", "took": 3} for n in range(60))]
    body = good(owner, checks=checks, rollback_reference_sha256="AB" * 32, finished_at="2026-03-02T00:00:00")

    def payload(answer):
        return json.loads((folder / answer.json["detail"]["artifact_archive"]["json_file"]).read_bytes())["payload"]

    assert payload(owner.post(RECORD, json=body)) == body
    # What no file should hold is there as it was read.
    sent = owner.post(RECORD, data=b'{"notes":"n","checks":' + odd + b"}", content_type="application/json")
    assert payload(sent) == {"notes": "n", "checks": []}


def test_the_record_is_audited_and_reading_is_not(owner, session):
    run = owner.post(RECORD, json={}).json["run_id"]
    owner.get(CHECKLIST)

    rows = session.execute(
        select(AuditLog.resource_type, AuditLog.resource_id, AuditLog.status).where(
            AuditLog.action.startswith("ops_deploy")
        )
    ).all()
    assert [tuple(row) for row in rows] == [("ops_deploy", str(run), "warning")]


def test_the_addresses_are_in_service_info(owner):
    info = owner.get("/api/service-info").json

    assert (info["ops_deploy_checklist_api"], info["ops_deploy_smoke_record_api"]) == (CHECKLIST, RECORD)
