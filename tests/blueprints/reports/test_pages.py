"""The page of quality reports: what it says, its list, and what a press of its buttons does."""

import pytest
from sqlalchemy import select, update

from console.models.archives import StoredFile
from console.models.jobs import JobRun

Q = "/api/ops/reports/quality"
PAGE = "/ops/quality"


def _text(answer):
    return " ".join(answer.text.split())


def test_before_any_report_the_page_says_so(api):
    answer = api().get(PAGE)

    assert answer.status_code == 200
    assert "아직 보고가 없습니다" in answer.text
    assert "주간 품질 보고 작성" in answer.text


@pytest.mark.parametrize("window", ["weekly", "monthly"])
def test_the_page_shows_the_newest_report_and_its_archives(api, window):
    caller = api()
    made = caller.post(f"{Q}/run?window={window}").json

    shown = _text(caller.get(f"{PAGE}?window={window}"))

    assert shown.count("이상 없음") >= 4
    assert all(f"· {word}" in shown for word in ("JSON", "CSV", "PDF (KO)", "PDF (EN)"))
    assert made["archive"]["json_file"] in caller.get(f"{PAGE}?window={window}&columns=label,name").text
    assert "이상 없음" in shown
    assert "기간의 집계가 아니라" in shown


def test_a_changed_and_a_missing_file_are_said(api, app):
    caller = api()
    made = caller.post(f"{Q}/run").json["archive"]
    folder = app.extensions["console_config"].path("OPS_QUALITY_REPORT_ARCHIVE_PATH")
    (folder / made["json_file"]).write_text("{}")
    (folder / made["csv_file"]).unlink()

    shown = caller.get(PAGE).text

    assert "내용이 바뀜" in shown
    assert "파일 없음" in shown


def test_an_archive_is_handed_out_as_it_was_made_or_not_at_all(api, app, session):
    caller = api()
    made = caller.post(f"{Q}/run").json["archive"]
    folder = app.extensions["console_config"].path("OPS_QUALITY_REPORT_ARCHIVE_PATH")
    whole = (folder / made["pdf_file"]).read_bytes()
    (folder / made["pdf_file"]).unlink()
    session.rollback()
    file_id = session.scalar(select(StoredFile.id).where(StoredFile.name == made["pdf_file"]))

    answer = caller.get(f"{PAGE}/archives/{file_id}")
    session.execute(update(StoredFile).where(StoredFile.id == file_id).values(content=b"%PDF-forged"))
    session.commit()
    refused = caller.get(f"{PAGE}/archives/{file_id}")

    assert (answer.status_code, answer.data, answer.mimetype) == (200, whole, "application/pdf")
    assert whole.startswith(b"%PDF-")
    assert refused.status_code == 410
    assert caller.get(f"{PAGE}/archives/999999").status_code == 404


def test_a_press_asks_for_the_period_that_is_over(api, session):
    answer = api().post(f"{PAGE}/run", data={"window": "monthly", "month": "2026-01"})

    assert answer.status_code == 303
    session.rollback()
    run = session.scalars(select(JobRun)).one()
    assert (run.job_name, run.trigger, run.state) == ("ops_quality_report_monthly", "manual", "queued")
    assert run.options_json == {"period": "finished", "papers": True, "month": "2026-01"}


def test_a_month_that_is_none_is_refused_before_there_is_a_run(api, session):
    assert api().post(f"{PAGE}/run", data={"window": "monthly", "month": "2026-13"}).status_code in (400, 422)
    session.rollback()
    assert session.scalar(select(JobRun.id)) is None


def test_the_csv_of_the_list_tells_what_became_of_each_file(api):
    caller = api()
    caller.post(f"{Q}/run")

    lines = caller.get(f"{PAGE}/archives.csv").text.splitlines()

    assert lines[0] == "label,name,state,size,created_at,run_id,checked_at,sha256"
    assert len(lines) == 5
    assert all(",intact," in line for line in lines[1:])
