"""The page of the integrity: what it says before and after a reading, and what a press of its button does."""

from sqlalchemy import select

from console.models.jobs import JobRun
from console.services.jobs import registry

PAGE = "/ops/integrity"


def test_before_any_reading_it_says_so(api):
    answer = api().get(PAGE)

    assert answer.status_code == 200
    assert "아직 확인한 파일이 없습니다" in answer.text
    assert "증빙·보관본 무결성 확인" in answer.text


def test_a_broken_archive_is_named_after_the_reading(api, app):
    caller = api()
    made = caller.post("/api/ops/reports/quality/run").json["archive"]
    folder = app.extensions["console_config"].path("OPS_QUALITY_REPORT_ARCHIVE_PATH")
    (folder / made["json_file"]).write_text("{}")
    found = caller.get("/api/ops/integrity/evidence-archive").json

    shown = caller.get(PAGE).text

    assert [(one["name"], one["reason"]) for one in found["stored_issues"]] == [(made["json_file"], "changed")]
    assert "파일 1건이 보관할 때와 다릅니다" in shown
    assert made["json_file"] in shown
    assert "내용이 바뀜" in shown


def test_a_press_asks_a_worker(api, session):
    caller = api()
    answer = caller.post(f"{PAGE}/run")

    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    session.rollback()
    run = session.scalars(select(JobRun)).one()
    assert (run.job_name, run.trigger, run.state) == ("ops_evidence_archive_integrity", "manual", "queued")
    assert registry.find(run.job_name) is not None
    assert caller.get(f"{PAGE}/panel").status_code == 303


def test_an_auditor_reads_and_an_operator_does_not(api):
    assert api("auditor").get(PAGE).status_code == 200
    assert api("operator").get(PAGE).status_code == 403
    assert "지금 실행" not in api("auditor").get(PAGE).text
