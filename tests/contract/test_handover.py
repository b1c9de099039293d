"""The handover brief over the API (API contract, handover brief)."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from console.models.audit import AuditLog
from tests.factories.facility import add_delivery, add_inspection
from tests.factories.work_orders import add_order
from tests.support.statements import statements

URL = "/api/ops/handover/brief"
HOUR = timedelta(hours=1)
HEAD = ["generated_at", "site", "window_hours", "due_soon_hours"]
COUNTERS = [
    "open_work_orders",
    "overdue_open_work_orders",
    "due_soon_work_orders",
    "escalated_open_work_orders",
    "unassigned_high_priority_open_work_orders",
    "new_work_orders_in_window",
    "high_risk_inspections_in_window",
    "failed_alert_deliveries_24h",
]
ORDER = ["id", "site", "location", "title", "priority", "status", "assignee", "due_at", "created_at", "is_escalated"]
ORDER += ["is_overdue", "due_in_minutes", "urgency_score", "reasons"]
INSPECTION = ["id", "site", "location", "inspector", "risk_level", "inspected_at", "risk_flags"]


@pytest.fixture
def shift(session, clock):
    """A night at two sites."""
    now = clock.now()
    add_order(session, now, title="late", due_at=now - HOUR, created_at=now - 100 * HOUR, priority="high")
    add_order(session, now, title="soon", due_at=now + 6 * HOUR, created_at=now - 12 * HOUR, assignee="lee")
    add_order(session, now, title="later", due_at=now + 7 * HOUR, created_at=now - 13 * HOUR, is_escalated=True)
    add_order(session, now, title="other", site="별관", priority="critical", status="acked", acknowledged_at=now)
    add_order(session, now, title="done", status="completed", completed_at=now)
    add_inspection(session, now, inspected_at=now - HOUR, risk_level="warning", risk_flags=["voltage_unbalance"])
    add_inspection(session, now, inspected_at=now - 12 * HOUR)
    add_inspection(session, now, inspected_at=now - 13 * HOUR)
    add_inspection(session, now, risk_level="normal", risk_flags=[])
    add_delivery(session, now, "본관")
    add_delivery(session, now, "별관", "warning")
    add_delivery(session, now, "ALL", "dead")
    add_delivery(session, now, "본관", "success")
    add_delivery(session, now - 25 * HOUR, "본관")
    session.commit()


def test_an_empty_system_hands_over_nothing_and_says_so(api):
    made = api().get(URL)

    assert made.status_code == 200
    assert list(made.json) == [*HEAD, *COUNTERS, "top_work_orders", "recent_high_risk_inspections",
                               "recommended_actions"]  # fmt: skip
    assert (made.json["site"], made.json["window_hours"], made.json["due_soon_hours"]) == (None, 12, 6)
    assert [made.json[name] for name in COUNTERS] == [0] * 8
    assert (made.json["top_work_orders"], made.json["recent_high_risk_inspections"]) == ([], [])
    assert len(made.json["recommended_actions"]) == 1
    assert "0" in made.json["recommended_actions"][0]


def test_the_night_in_numbers(api, shift):
    made = api().get(URL).json

    assert [made[name] for name in COUNTERS] == [4, 1, 1, 1, 2, 2, 2, 3]
    assert [one["title"] for one in made["top_work_orders"]] == ["late", "other", "later", "soon"]
    assert [one["urgency_score"] for one in made["top_work_orders"]] == [14, 8, 6, 5]
    first = made["top_work_orders"][0]
    assert list(first) == ORDER
    assert (first["is_overdue"], first["due_in_minutes"]) == (True, -60)
    assert first["reasons"] == ["high priority", "overdue", "unassigned high priority", "open >72h"]
    listed = made["recent_high_risk_inspections"]
    assert list(listed[0]) == INSPECTION
    assert [one["risk_level"] for one in listed] == ["danger", "warning"]
    assert [text.split()[3] for text in made["recommended_actions"][:1]] == ["1"]
    assert len(made["recommended_actions"]) == 5


def test_hours_and_rows_are_those_that_are_asked_for(api, shift):
    made = api().get(f"{URL}?window_hours=13&due_soon_hours=7&max_items=1").json

    assert (made["window_hours"], made["due_soon_hours"]) == (13, 7)
    assert (made["new_work_orders_in_window"], made["due_soon_work_orders"]) == (3, 2)
    assert made["high_risk_inspections_in_window"] == 3
    assert (len(made["top_work_orders"]), len(made["recent_high_risk_inspections"])) == (1, 1)


@pytest.mark.parametrize(
    "query",
    ["window_hours=0", "window_hours=169", "due_soon_hours=0", "due_soon_hours=73", "max_items=0", "max_items=51",
     "window_hours=x"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["", "/csv", "/pdf"])
def test_what_is_out_of_bounds_is_refused(api, query, form):
    refused = api().get(f"{URL}{form}?{query}")

    assert refused.status_code == 422
    assert refused.json["detail"][0]["loc"] == ["query", query.split("=")[0]]


@pytest.mark.parametrize("form", ["", "/csv", "/pdf"])
def test_a_caller_sees_the_sites_of_the_scope_alone(api, shift, form):
    caller = api("owner", ("본관",), username="one")
    nobody = api("manager", (), username="none")

    assert caller.get(f"{URL}{form}?site=별관").status_code == 403
    assert caller.get(f"{URL}{form}?site=본관").status_code == 200
    assert nobody.get(f"{URL}{form}").status_code == 200


def test_numbers_are_those_of_the_scope(api, shift):
    one = api("owner", ("본관",), username="one").get(URL).json
    named = api("owner", username="all").get(f"{URL}?site=본관").json
    none = api("manager", (), username="none").get(URL).json

    assert [one[name] for name in COUNTERS] == [named[name] for name in COUNTERS] == [3, 1, 1, 1, 1, 1, 2, 1]
    assert {order["site"] for order in one["top_work_orders"]} == {"본관"}
    assert [none[name] for name in COUNTERS] == [0] * 8
    assert none["recommended_actions"] == ["No site is accessible, so there is nothing to hand over"]


def test_the_csv_has_the_published_blocks(api, shift, session):
    answer = api().get(f"{URL}/csv?max_items=1")
    blocks = [[]]
    for row in csv.reader(io.StringIO(answer.text)):
        blocks.append([]) if not row else blocks[-1].append(row)

    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="handover-brief-all-20260302T000000Z.csv"'
    assert blocks[0][:2] == [["section", "key", "value"], ["meta", "site", "ALL"]]
    assert [row[1] for row in blocks[0][1:]] == ["site", *HEAD[:1], *HEAD[2:], *COUNTERS]
    assert {row[0] for row in blocks[0][5:]} == {"summary"}
    assert ",".join(blocks[1][0]) == (
        "top_work_orders,id,site,location,title,priority,status,assignee,due_at,due_in_minutes,is_overdue,"
        "is_escalated,urgency_score,reasons"
    )
    assert blocks[1][1][0] == "top_work_orders"
    assert blocks[1][1][-1] == "high priority, overdue, unassigned high priority, open >72h"
    assert blocks[2][0] == ["recent_high_risk_inspections", *INSPECTION]
    assert blocks[2][1][0] == "recent_high_risk_inspections"
    assert blocks[3][0] == ["recommended_actions", "index", "action"]
    assert [row[1] for row in blocks[3][1:]] == ["1", "2", "3", "4", "5"]
    entry = session.scalars(select(AuditLog).where(AuditLog.action == "report_handover_export_csv")).one()
    assert (entry.resource_type, entry.resource_id) == ("report", "ALL:20260302T000000Z")


def test_names_of_files_and_korean_titles_that_are_markup_or_formulas(api, session, clock):
    add_order(session, clock.now(), site="한빛 마을", title="=HYPERLINK(1) <b>변전실</b>" + "가" * 150)
    session.commit()
    caller = api()
    text = caller.get(f"{URL}/csv?site=한빛 마을&bom=1")
    paper = caller.get(f"{URL}/pdf?site=한빛 마을")

    assert text.data.startswith(b"\xef\xbb\xbf")
    assert "'=HYPERLINK" in text.text
    assert "filename*=UTF-8''handover-brief-%ED%95%9C%EB%B9%9B_" in text.headers["Content-Disposition"]
    assert (paper.status_code, paper.mimetype, paper.data[:5]) == (200, "application/pdf", b"%PDF-")


def test_the_pdf_is_drawn_in_both_languages_and_put_on_record(api, shift, session):
    caller = api()
    korean, english = (caller.get(f"{URL}/pdf?lang={word}") for word in ("ko", "en"))

    assert korean.data != english.data
    assert korean.headers["Content-Disposition"] == 'attachment; filename="handover-brief-all-20260302T000000Z.pdf"'
    entries = session.scalars(select(AuditLog).where(AuditLog.action == "report_handover_export_pdf")).all()
    assert [one.resource_id for one in entries] == ["ALL:20260302T000000Z"] * 2


def test_looking_leaves_the_trail_alone(api, shift, session):
    api().get(URL)

    assert session.scalars(select(AuditLog).where(AuditLog.action.like("%handover%"))).all() == []


def test_a_brief_is_three_statements_of_its_own(api, shift, session):
    caller = api()
    caller.get(URL)
    with statements(session.get_bind().__class__) as sent:
        caller.get(URL)
    own = [one for one in sent if "work_orders" in one or "inspections" in one]

    assert len(own) == 3


def test_the_service_names_its_addresses(client):
    found = client.get("/api/service-info").json

    assert found["handover_brief_api"] == URL
    assert (found["handover_brief_csv_api"], found["handover_brief_pdf_api"]) == (f"{URL}/csv", f"{URL}/pdf")
