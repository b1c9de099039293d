"""The monthly report over the API (API contract, monthly reports)."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from console.models.audit import AuditLog
from tests.factories import make_site
from tests.factories.inspections import add_inspection
from tests.factories.work_orders import add_hold, add_order
from tests.support.statements import statements

URL = "/api/reports/monthly"
SITE, OTHER = "한빛마을 3단지", "Site B"
# Seoul begins February nine hours before Greenwich does.
BEGIN, END = datetime(2026, 1, 31, 15, tzinfo=UTC), datetime(2026, 2, 28, 15, tzinfo=UTC)
FEBRUARY = {"month": "2026-02"}
HOUR = timedelta(hours=1)
PUBLISHED = ["month", "site", "generated_at", "inspections", "work_orders"]


@pytest.fixture
def february(session):
    """Orders and inspections of two sites, at and beyond both ends of the month."""
    for at in (BEGIN - timedelta(seconds=1), BEGIN, END - timedelta(seconds=1), END):
        add_order(session, at, site=SITE, due_at=at + HOUR)
        add_inspection(session, at, site=SITE)
    done = BEGIN + 5 * HOUR
    waited = add_order(session, BEGIN, site=SITE, status="completed", completed_at=done, is_escalated=True)
    add_hold(session, waited, BEGIN + HOUR, BEGIN + 2 * HOUR)
    add_order(session, BEGIN, site=SITE, status="canceled", canceled_at=done)
    add_order(session, BEGIN, site=OTHER, status="completed", completed_at=BEGIN + 10 * HOUR)
    flags = ["insulation_low", "voltage_unbalance"]
    add_inspection(session, BEGIN + HOUR, site=SITE, risk_level="danger", risk_flags=flags)
    add_inspection(session, BEGIN + HOUR, site=SITE, risk_level="warning", risk_flags=["voltage_unbalance"])
    session.commit()


def rows_of(response):
    return list(csv.reader(io.StringIO(response.text)))


def test_the_figures_of_a_month_have_the_published_keys(api, february):
    found = api("manager").get(URL, query_string={**FEBRUARY, "site": SITE}).json

    assert list(found)[:5] == PUBLISHED
    assert (found["month"], found["site"], found["time_zone"]) == ("2026-02", SITE, "Asia/Seoul")
    assert found["inspections"] == {
        "total": 4,
        "risk_counts": {"normal": 2, "warning": 1, "danger": 1},
        "top_risk_flags": {"voltage_unbalance": 2, "insulation_low": 1},
    }
    assert list(found["inspections"]["top_risk_flags"]) == ["voltage_unbalance", "insulation_low"]
    assert found["work_orders"] == {
        "total": 4,
        "status_counts": {"open": 2, "acked": 0, "completed": 1, "canceled": 1},
        "escalated_count": 1,
        "overdue_open_count": 2,
        "completion_rate_percent": 25.0,
        "avg_resolution_hours": 5.0,
        "waiting_share_percent": 20.0,
    }


def test_without_a_site_all_that_the_caller_may_see_is_counted(api, february):
    assert api("owner").get(URL, query_string=FEBRUARY).json["work_orders"]["total"] == 5
    scoped = api("manager", (OTHER,)).get(URL, query_string=FEBRUARY).json
    assert (scoped["work_orders"]["total"], scoped["site"], scoped["sites"]) == (1, None, [OTHER])
    nobody = api("manager", ()).get(URL, query_string=FEBRUARY).json
    assert (nobody["work_orders"]["total"], nobody["inspections"]["total"]) == (0, 0)
    assert nobody["work_orders"]["status_counts"] == {"open": 0, "acked": 0, "completed": 0, "canceled": 0}
    assert nobody["work_orders"]["avg_resolution_hours"] is None


@pytest.mark.parametrize("path", [URL, f"{URL}/csv", f"{URL}/pdf", "/reports/monthly/print"])
def test_a_foreign_site_and_a_missing_permission_are_refused(api, path):
    foreign = api("manager", (OTHER,)).get(path, query_string={"site": SITE})
    operator = api("operator").get(path)

    assert (foreign.status_code, operator.status_code) == (403, 403)
    if path.startswith("/api"):
        wanted = "reports:export" if path != URL else "reports:read"
        assert foreign.json["detail"] == "Site access denied"
        assert operator.json["detail"] == f"Missing permission: {wanted}"


@pytest.mark.parametrize("path", [URL, f"{URL}/csv", f"{URL}/pdf", "/reports/monthly/print"])
@pytest.mark.parametrize(
    ("month", "status"),
    [
        ("2026-2", 422),
        ("", 422),
        ("2026-02-01", 422),
        ("2026-13", 400),
        ("0000-01", 400),
        ("9999-12", 400),
    ],
)
def test_what_is_no_month_is_refused(api, path, month, status):
    refused = api("owner").get(path, query_string={"month": month})

    assert refused.status_code == status
    if status == 400 and path.startswith("/api"):
        assert refused.json["detail"] == "month must be YYYY-MM format"


@pytest.mark.parametrize("path", [URL, f"{URL}/csv", f"{URL}/pdf", "/reports/monthly/print"])
def test_a_month_that_has_not_begun_has_nothing_yet(api, session, clock, path):
    add_order(session, clock.now(), site=SITE)
    session.commit()
    answer = api("owner").get(path, query_string={"month": "2026-04", "site": SITE})

    assert answer.status_code == 200
    if path == URL:
        assert (answer.json["month"], answer.json["work_orders"]["total"]) == ("2026-04", 0)


def test_the_default_is_the_month_under_way(api, session, clock):
    add_order(session, clock.now(), site=SITE)
    session.commit()

    assert api("owner").get(URL).json["work_orders"]["total"] == 1


def test_an_instant_of_the_past_is_told_from_the_histories(api, clock):
    operator, caller = api("operator"), api("manager")
    body = {"site": SITE, "location": "B1", "title": "Pump", "due_at": "2026-03-02T02:00:00Z"}
    made = [operator.post("/api/work-orders", json=body).json["id"] for _number in range(3)]
    instants = []
    for step, order in (("ack", 0), ("complete", 0), ("reopen", 0), ("cancel", 1)):
        clock.advance(HOUR)
        assert operator.patch(f"/api/work-orders/{made[order]}/{step}", json={}).status_code == 200
        clock.advance(HOUR)
        instants.append(clock.now().isoformat())

    def told(at):
        return caller.get(URL, query_string={"site": SITE, "as_of": at}).json["work_orders"]

    counts = [told(at)["status_counts"] for at in instants]
    assert [(one["open"], one["acked"], one["completed"], one["canceled"]) for one in counts] == [
        *((2, 1, 0, 0), (2, 0, 1, 0), (3, 0, 0, 0), (2, 0, 0, 1)),
    ]
    assert told(instants[1])["avg_resolution_hours"] == 3.0
    assert told(instants[2])["avg_resolution_hours"] is None
    # A new due date came with reopening.
    assert [told(at)["overdue_open_count"] for at in instants] == [0, 2, 2, 1]
    assert told("2026-03-01T23:00:00Z")["total"] == 0
    assert told(instants[-1]) == caller.get(URL, query_string={"site": SITE}).json["work_orders"]
    assert caller.get(URL, query_string={"as_of": "2027-01-01T00:00:00Z"}).status_code == 422
    assert caller.get(URL, query_string={"as_of": "yesterday"}).status_code == 422


def test_a_month_begins_where_the_site_is(api, session, clock):
    make_site(session, "Lisbon", now=clock.now(), zone="Europe/Lisbon")
    # The clocks go forward on the 29th: March has an hour less.
    for at in ("2026-02-28T23:59:59", "2026-03-01T00:00:00", "2026-03-31T22:59:59", "2026-03-31T23:00:00"):
        add_order(session, datetime.fromisoformat(at).replace(tzinfo=UTC), site="Lisbon")
    session.commit()
    caller = api("owner")
    asked = {"month": "2026-03", "site": "Lisbon"}

    assert caller.get(URL, query_string=asked).json["work_orders"]["total"] == 2
    assert caller.get(URL, query_string={**asked, "zone": "UTC"}).json["work_orders"]["total"] == 3
    assert caller.get(URL, query_string={**asked, "zone": "Mars/Olympus"}).status_code == 422


def test_the_csv_has_the_published_rows_and_each_of_them_once(api, session, february):
    made = api("auditor").get(f"{URL}/csv", query_string={**FEBRUARY, "site": SITE})
    rows = rows_of(made)

    assert (made.status_code, made.content_type) == (200, "text/csv; charset=utf-8")
    assert rows[0] == ["section", "key", "value"]
    assert [row[:2] for row in rows[1:19]] == [
        *(["meta", "month"], ["meta", "site"], ["meta", "generated_at"], ["inspections", "total"]),
        *(["inspections.risk_counts", word] for word in ("normal", "warning", "danger")),
        *(["inspections.top_risk_flags", word] for word in ("voltage_unbalance", "insulation_low")),
        *(["work_orders", word] for word in ("total", "escalated_count", "overdue_open_count")),
        *(["work_orders", word] for word in ("completion_rate_percent", "avg_resolution_hours")),
        *(["work_orders.status_counts", word] for word in ("open", "acked", "completed", "canceled")),
    ]
    assert len({tuple(row[:2]) for row in rows}) == len(rows)
    named = made.headers["Content-Disposition"]
    assert unquote(named.partition("''")[2]) == "monthly-report-2026-02-한빛마을_3단지.csv"
    entry = session.scalars(select(AuditLog).where(AuditLog.action == "report_monthly_export_csv")).one()
    assert (entry.resource_type, entry.resource_id) == ("report", f"2026-02:{SITE}")


def test_the_csv_says_whose_figures_it_has(api, february):
    told = [
        {row[0] + "," + row[1]: row[2] for row in rows_of(caller.get(f"{URL}/csv", query_string=FEBRUARY))}
        for caller in (api("owner"), api("manager", (OTHER, SITE)))
    ]

    assert told[0]["meta,site"] == "ALL"
    assert set(told[1]["meta,site"].split(", ")) == {OTHER, SITE}
    assert api("owner").get(f"{URL}/csv", query_string={**FEBRUARY, "bom": "1"}).text.startswith("\ufeffsection")


def test_the_pdf_is_a_download_and_on_record(api, session, february):
    made = api("owner").get(f"{URL}/pdf", query_string=FEBRUARY)

    assert (made.status_code, made.content_type) == (200, "application/pdf")
    assert made.data.startswith(b"%PDF-")
    assert b"Pretendard" in made.data
    assert 'filename="monthly-report-2026-02-all.pdf"' in made.headers["Content-Disposition"]
    entry = session.scalars(select(AuditLog).where(AuditLog.action == "report_monthly_export_pdf")).one()
    assert entry.resource_id == "2026-02:ALL"


def test_reading_and_printing_leave_nothing_on_record(api, session, february):
    caller = api("owner")
    caller.get(URL, query_string=FEBRUARY)
    page = caller.get("/reports/monthly/print", query_string=FEBRUARY).text

    assert not session.scalars(select(AuditLog).where(AuditLog.action.startswith("report_"))).all()
    for text in (
        *("Monthly Audit Report (2026-02)", "Generated At", "ALL", "Inspection Summary", "Risk Counts"),
        *("Top Risk Flags", "Work Order Summary", "Status Counts", "Escalated Count", "Overdue Open Count"),
        *("Completion Rate (%)", "Avg Resolution Hours"),
    ):
        assert text in page


def test_people_print_in_their_own_language(browser_client, february):
    page = browser_client("manager").get("/reports/monthly/print", query_string={**FEBRUARY, "site": SITE}).text

    assert "Monthly Audit Report" not in page
    assert "2026-02" in page


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '=HYPERLINK("http://x")', 'a"b;c/..\\d', "{nb} 하나"])
def test_names_that_are_markup_stay_words(api, session, name):
    add_order(session, BEGIN, site=name)
    add_inspection(session, BEGIN, site=name, risk_level="warning", risk_flags=["point:<b>=1+1"])
    session.commit()
    caller, asked = api("owner"), {**FEBRUARY, "site": name}

    page = caller.get("/reports/monthly/print", query_string=asked).text
    text = caller.get(f"{URL}/csv", query_string=asked)
    paper = caller.get(f"{URL}/pdf", query_string=asked)

    assert "<script>" not in page
    assert "<b>" not in page
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows_of(text) for value in row)
    assert (text.status_code, paper.status_code) == (200, 200)
    assert "\n" not in paper.headers["Content-Disposition"]


def test_the_statements_do_not_grow_with_the_rows(api, session, february):
    caller, asked = api("owner"), {**FEBRUARY, "site": SITE}
    caller.get(URL, query_string=asked)
    with statements() as few:
        caller.get(URL, query_string=asked)
    for number in range(30):
        add_order(session, BEGIN + number * HOUR, site=SITE)
        add_inspection(session, BEGIN + number * HOUR, site=SITE, risk_level="warning", risk_flags=[f"point:{number}"])
    session.commit()
    with statements() as many:
        found = caller.get(URL, query_string=asked).json

    assert len(few) == len(many)
    assert len(found["inspections"]["top_risk_flags"]) == 10
