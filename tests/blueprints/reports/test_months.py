"""The pages of the monthly reports: list, month, paper, downloads, and what may be done."""

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from console.models.audit import AuditLog
from console.models.monthly_reports import MonthlyReportVersion
from tests.factories import make_site
from tests.factories.work_orders import add_asset, add_order

SITE, MONTH = "본관", "2026-02"
BEGIN = datetime(2026, 1, 31, 15, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
URL = f"/reports/monthly/{MONTH}"
ASKED = {"site": SITE}


@pytest.fixture
def february(session, clock):
    """A site with a pump that was mended twice."""
    make_site(session, SITE, now=clock.now())
    pump = add_asset(session, BEGIN, "P-2", name="배수펌프 2호기")
    for days in (2, 20):
        at = BEGIN + days * DAY
        add_order(
            session, at, title="펌프 정지", asset_id=pump.id, status="completed", completed_at=at + HOUR,
            resolution_notes="=베어링 교체",
        )  # fmt: skip
    session.commit()


def field(page, name):
    return re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)[1]


def post(person, what, **values):
    return person.post(f"{URL}/{what}", query_string=ASKED, data=values)


def test_the_months_of_a_site_stand_newest_first_with_their_state(browser_client, february):
    page = browser_client("auditor").get("/reports/monthly").text

    months = re.findall(r'href="/reports/monthly/(\d{4}-\d\d)\?', page)
    assert months[:3] == ["2026-03", "2026-02", "2026-01"]
    assert len(months) == 3
    assert "진행 중인 달" in page
    assert 'name="freeze_day"' not in page


def test_who_sees_no_site_reads_why_there_is_nothing(browser_client):
    page = browser_client("auditor", ()).get("/reports/monthly")

    assert page.status_code == 200
    assert "/reports/monthly/2026" not in page.text


def test_a_month_is_closed_and_corrected_on_its_page(browser_client, session, february):
    person = browser_client("manager", (SITE,))
    page = person.get(URL, query_string=ASKED).text
    assert "펌프 정지" in page

    kept = post(person, "sentences", edit=field(page, "edit"), sentence_ko=["첫 문장", "", ""], sentence_en=["One"])
    assert kept.status_code == 303
    page = person.get(URL, query_string=ASKED).text
    assert "첫 문장" in page
    assert field(page, "edit") == "1"

    stale = post(person, "freeze", edit="0")
    assert stale.status_code == 409
    assert post(person, "freeze", edit="1").status_code == 303
    page = person.get(URL, query_string=ASKED).text
    row = session.scalars(select(MonthlyReportVersion)).one()
    assert row.archive_sha256 in page
    assert "sentence_ko" not in page
    assert post(person, "sentences", edit="1", sentence_ko=["x"]).status_code == 409

    assert post(person, "correct", reason=" ").status_code == 422
    begun = post(person, "correct", reason="<b>빠진</b> 작업")
    assert "version=2" in begun.location
    page = person.get(begun.location).text
    assert "&lt;b&gt;빠진&lt;/b&gt;" in page
    assert post(person, "drop", edit="1").status_code == 303
    assert session.query(MonthlyReportVersion).count() == 1


def test_what_was_typed_is_not_lost_when_somebody_was_faster(browser_client, february):
    person = browser_client("manager", (SITE,))
    post(person, "sentences", edit="0", sentence_ko=["첫째"])
    refused = post(person, "sentences", edit="0", sentence_ko=["내가 쓴 문장"], sentence_en=[])

    assert refused.status_code == 409
    assert "내가 쓴 문장" in refused.text


def test_auditors_read_and_download_and_change_nothing(browser_client, february):
    person = browser_client("auditor")
    page = person.get(URL, query_string=ASKED).text

    assert "sentence_ko" not in page
    assert "paper.pdf" in page
    for what in ("sentences", "freeze", "correct", "drop"):
        assert post(person, what, edit="0", reason="x").status_code == 403


@pytest.mark.parametrize("path", ["", "/paper", "/paper.pdf", "/document.json", "/repairs.csv"])
def test_foreign_sites_and_people_without_permission_are_refused(browser_client, february, path):
    assert browser_client("manager", ("별관",)).get(URL + path, query_string=ASKED).status_code == 403
    assert browser_client("operator").get(URL + path, query_string=ASKED).status_code == 403


@pytest.mark.parametrize(("month", "status"), [("2026-13", 400), ("2999-01", 422), ("abc", 400), ("2026-04", 422)])
def test_what_is_no_month_is_refused_in_words(browser_client, february, month, status):
    found = browser_client("manager").get(f"/reports/monthly/{month}", query_string=ASKED)

    assert found.status_code == status


def test_the_paper_is_a_page_and_a_pdf_and_the_download_is_on_record(browser_client, session, february):
    person = browser_client("manager", (SITE,))
    for language, word in (("ko", "시설관리 월간 보고서"), ("en", "Monthly report of the facility")):
        page = person.get(f"{URL}/paper", query_string={**ASKED, "lang": language}).text
        paper = person.get(f"{URL}/paper.pdf", query_string={**ASKED, "lang": language})
        assert word in page
        assert paper.data.startswith(b"%PDF-")
        assert len(paper.data) < 1_000_000
        assert "filename*=UTF-8''" in paper.headers["Content-Disposition"]
    entries = session.scalars(select(AuditLog).where(AuditLog.action == "report_monthly_export_pdf")).all()
    assert [entry.resource_id for entry in entries] == [f"{MONTH}:{SITE}"] * 2


def test_the_document_is_there_once_the_month_is_closed(browser_client, february):
    person = browser_client("manager", (SITE,))
    assert person.get(f"{URL}/document.json", query_string=ASKED).status_code == 404
    post(person, "freeze", edit="0")
    made = person.get(f"{URL}/document.json", query_string=ASKED)

    assert (made.status_code, made.mimetype) == (200, "application/json")
    assert made.json["kind"] == "facility_monthly_report"
    assert made.json["site"] == SITE


def test_the_repairs_go_into_the_register_as_words(browser_client, session, february):
    made = browser_client("auditor").get(f"{URL}/repairs.csv", query_string={**ASKED, "bom": "1"})
    rows = list(csv.reader(io.StringIO(made.text.removeprefix("\ufeff"))))

    assert made.text.startswith("\ufeff")
    assert rows[0] == [
        *("id", "trade", "asset_code", "asset_name", "location", "title", "solution", "received_at", "completed_at"),
        *("photos_before", "photos_after"),
    ]
    assert [row[2:7] for row in rows[1:]] == [["P-2", "배수펌프 2호기", "B1", "펌프 정지", "'=베어링 교체"]] * 2
    assert session.scalars(select(AuditLog).where(AuditLog.action == "report_monthly_repairs_export_csv")).one()

    # Whoever presses the button opens it in Excel and copies it.
    reader = browser_client("manager", (SITE,))
    (url,) = re.findall(r'href="([^"]*repairs\.csv[^"]*)"', reader.get(URL, query_string=ASKED).text)
    told = reader.get(html.unescape(url)).text
    read = list(csv.DictReader(io.StringIO(told.removeprefix("\ufeff"))))
    assert told.startswith("\ufeff")
    assert {row["설비 코드"] for row in read} == {"P-2"}
    assert re.fullmatch(r"2026-02-0\d \d\d:\d\d", read[0]["완료 일시"])


def test_a_site_chooses_its_day_and_its_offices(browser_client, session, february):
    person = browser_client("manager", (SITE,))
    page = person.get("/reports/monthly", query_string=ASKED).text
    values = {"freeze_day": "3", "office_1": "주임", "office_2": "", "office_3": "<i>"}
    revision = field(page, "revision")

    def choose(who, seen):
        return who.post("/reports/monthly/policy", query_string=ASKED, data={**values, "revision": seen}).status_code

    assert choose(person, revision) == 303
    assert choose(person, "7") == 412
    page = person.get(URL, query_string=ASKED).text
    assert "주임" in page
    assert "&lt;i&gt;" in page
    assert choose(browser_client("manager", ("별관",)), revision) == 403


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "{nb}\x07\u2028 [b](x)", "=1+1", "한글 🚰 漢字" * 10])
def test_titles_and_notes_that_are_markup_stay_words(browser_client, session, february, title):
    at = BEGIN + DAY
    add_order(session, at, title=title, status="completed", completed_at=at + HOUR, resolution_notes=title)
    add_order(session, at, title=title, location=title[:100])
    session.commit()
    person = browser_client("manager", (SITE,))

    assert "<script>alert" not in person.get(URL, query_string=ASKED).text
    assert "<script>alert" not in person.get(f"{URL}/paper", query_string=ASKED).text
    assert person.get(f"{URL}/paper.pdf", query_string=ASKED).status_code == 200
    rows = csv.reader(io.StringIO(person.get(f"{URL}/repairs.csv", query_string=ASKED).text))
    assert not any(cell.startswith("=") for row in rows for cell in row)
