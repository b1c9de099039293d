"""The page of the releases: what it says of them, in which language, to whom."""

import pytest

from tests.contract.test_deploys import RECORD, good
from tests.support.page_words import words_of
from tests.support.statements import statements

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def owner(api):
    return api()


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("manager", 200), ("auditor", 200), ("operator", 200)])
def test_the_page_opens_for_those_who_read_the_gate(api, role, status):
    assert api(role).get("/ops/deploys").status_code == status


@pytest.mark.parametrize(
    ("language", "said"),
    [("ko", "배포 후 스모크 테스트 기록이 아직 없습니다."), ("en", "No deploy smoke test has been recorded yet.")],
)
def test_without_records_the_page_says_so_and_shows_the_checklist(owner, language, said):
    response = owner.get("/ops/deploys", headers={"Accept-Language": language})

    assert said in words_of(response)
    assert "python -m console.deploy verify --base-url http://localhost" in response.text


def test_each_release_tells_what_it_changed_against_the_one_before(owner, clock):
    owner.post(RECORD, json=good(owner, deploy_id="rel-1"))
    owner.post(RECORD, json=good(owner, deploy_id="rel-2", rollback_ready=False, checklist_version="2026.02.v9"))
    owner.post(RECORD, json=good(owner, deploy_id="other", environment="lab"))

    said = words_of(owner.get("/ops/deploys", headers={"Accept-Language": "en"}))

    assert "Checklist 2026.03.v1 → 2026.02.v9, New findings: 2" in said
    assert said.count("First record") == 2
    assert "A rollback is not ready." in said


def test_the_fragment_shows_the_rows_of_the_page_and_a_filter_narrows_them(owner):
    owner.post(RECORD, json=good(owner, deploy_id="rel-good"))
    owner.post(RECORD, json=good(owner, deploy_id="rel-bad", status="failed"))

    part = owner.get("/ops/deploys?status=critical", headers=PARTIAL).text

    assert "rel-bad" in part
    assert "rel-good" not in part
    assert "<h1" not in part


def test_a_record_shows_findings_checks_and_its_file(owner, app):
    made = owner.post(RECORD, json=good(owner, deploy_id="rel-file", runbook_gate_passed=False)).json
    path = f"/ops/deploys/{made['run_id']}"
    kept = app.extensions["console_config"].path("DEPLOY_SMOKE_ARCHIVE_PATH")
    file = kept / made["detail"]["artifact_archive"]["json_file"]

    said = words_of(owner.get(path, headers={"Accept-Language": "en"}))
    file.write_bytes(b"{}")
    changed = words_of(owner.get(path, headers={"Accept-Language": "en"}))
    file.unlink()
    gone = words_of(owner.get(path, headers={"Accept-Language": "en"}))

    assert "The runbook gate was not passed." in said
    assert "all markers seen" in said
    assert "its content is the recorded one" in said
    assert "its content is another one" in changed
    assert "The file is gone." in gone


def test_other_runs_are_no_records(owner):
    run = owner.post("/api/ops/governance/gate/run").json["run_id"]

    assert owner.get(f"/ops/deploys/{run}").status_code == 404


def test_the_number_of_statements_does_not_grow_with_the_records(owner):
    owner.get("/ops/deploys")
    owner.post(RECORD, json=good(owner))
    with statements() as few:
        owner.get("/ops/deploys")
    for number in range(5):
        owner.post(RECORD, json=good(owner, deploy_id=f"rel-{number}"))
    with statements() as many:
        owner.get("/ops/deploys")

    assert len(many) == len(few) <= 12
