"""The dashboard over the API (API contract, dashboard)."""

from datetime import timedelta

import pytest

from console.models.audit import AuditLog
from console.models.jobs import JobRun
from console.models.work_orders import WorkOrderEvent
from tests.factories.facility import add_inspection
from tests.factories.work_orders import add_order

SUMMARY, TRENDS = "/api/ops/dashboard/summary", "/api/ops/dashboard/trends"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIELDS = ["generated_at", "site", "window_days", "inspections_total", "inspection_risk_counts", "work_orders_total"]
FIELDS += ["work_order_status_counts", "overdue_open_count", "escalated_open_count", "report_export_count"]
FIELDS += ["recent_job_runs", "sla_recent_runs", "sla_warning_runs", "sla_last_run_at"]
POINT = ["date", "inspections_count", "work_orders_created_count", "work_orders_completed_count"]
POINT += ["work_orders_escalated_count"]


def add_run(session, at, name="sla_escalation", status="success", **detail):
    session.add(
        JobRun(job_name=name, trigger="cron", state="finished", status=status, executed=True, requested_at=at,
               started_at=at, finished_at=at, detail_json=detail)
    )  # fmt: skip


def add_export(session, at, number, site):
    session.add(
        AuditLog(actor_username="kim", action="report_monthly_export_csv", resource_type="report", resource_id="m",
                 detail_json=f'{{"site": "{site}"}}', created_at=at, seq=number, created_text="")
    )  # fmt: skip


def add_escalation(session, order, at):
    session.add(
        WorkOrderEvent(work_order_id=order.id, event_type="escalated", created_at=at, priority="medium", due_at=at)
    )


@pytest.fixture
def month(session, clock):
    """A month at two sites."""
    now = clock.now()
    first = add_order(session, now, due_at=now - HOUR, created_at=now - 31 * DAY, is_escalated=True)
    add_order(session, now, created_at=now - 30 * DAY)
    add_order(session, now, created_at=now - DAY, status="completed", completed_at=now)
    other = add_order(session, now, site="별관", created_at=now - 2 * DAY, status="acked", acknowledged_at=now)
    add_inspection(session, now)
    add_inspection(session, now - DAY, site="별관", risk_level="warning")
    add_inspection(session, now - 31 * DAY)
    add_escalation(session, first, now - HOUR)
    add_escalation(session, other, now - DAY)
    add_run(session, now - 40 * DAY)
    add_run(session, now - 3 * DAY, status="warning", escalated_count=7, site=None)
    add_run(session, now - 2 * DAY)
    for number in range(12):
        add_run(session, now - number * HOUR, "ops_daily_check")
    add_export(session, now - DAY, 1, "본관")
    add_export(session, now - DAY, 2, "별관")
    add_export(session, now - 40 * DAY, 3, "본관")
    session.commit()


def test_an_empty_system_has_every_key(api):
    made = api().get(SUMMARY).json

    assert list(made) == FIELDS
    assert made["inspection_risk_counts"] == {"normal": 0, "warning": 0, "danger": 0}
    assert made["work_order_status_counts"] == {"open": 0, "acked": 0, "completed": 0, "canceled": 0}
    assert (made["window_days"], made["recent_job_runs"], made["sla_last_run_at"]) == (30, [], None)


def test_the_month_in_numbers(api, month):
    made = api().get(SUMMARY).json

    assert (made["inspections_total"], made["inspection_risk_counts"]) == (2, {"normal": 0, "warning": 1, "danger": 1})
    assert made["work_orders_total"] == 3
    assert made["work_order_status_counts"] == {"open": 1, "acked": 1, "completed": 1, "canceled": 0}
    assert (made["overdue_open_count"], made["escalated_open_count"], made["report_export_count"]) == (1, 1, 2)
    assert len(made["recent_job_runs"]) == 10
    assert list(made["recent_job_runs"][0])[:7] == [
        "id", "job_name", "trigger", "status", "started_at", "finished_at", "detail"
    ]  # fmt: skip


def test_runs_of_the_escalation_are_counted_beside_all_others(api, month):
    made = api().get(f"{SUMMARY}?job_limit=1").json

    assert {one["job_name"] for one in made["recent_job_runs"]} == {"ops_daily_check"}
    assert (made["sla_recent_runs"], made["sla_warning_runs"]) == (2, 1)
    assert made["sla_last_run_at"] == "2026-02-28T00:00:00.000000+00:00"


def test_a_caller_of_one_site_gets_that_site_alone(api, month):
    caller = api("owner", ("본관",), username="one")
    made = caller.get(SUMMARY).json

    assert caller.get(f"{SUMMARY}?site=별관").status_code == 403
    assert (made["work_orders_total"], made["inspections_total"], made["report_export_count"]) == (2, 1, 1)
    assert made["recent_job_runs"] == []
    named = api().get(f"{SUMMARY}?site=본관").json
    for field in ("work_orders_total", "inspections_total", "overdue_open_count", "work_order_status_counts"):
        assert named[field] == made[field]


def test_a_caller_without_sites_gets_zeros_and_all_keys(api, month):
    caller = api("manager", (), username="none")
    made = caller.get(SUMMARY).json

    assert list(made) == FIELDS
    assert (made["inspections_total"], made["work_orders_total"], made["sla_recent_runs"]) == (0, 0, 0)
    assert caller.get(TRENDS).json["points"] == []


def test_every_day_is_a_point(api, month):
    made = api().get(f"{TRENDS}?days=3").json

    assert list(made) == ["generated_at", "site", "window_days", "points"]
    assert [list(point) for point in made["points"]] == [POINT] * 3
    assert [list(point.values()) for point in made["points"]] == [
        ["2026-02-28", 0, 1, 0, 0],
        ["2026-03-01", 1, 1, 0, 2],
        ["2026-03-02", 1, 0, 1, 0],
    ]


def test_escalations_are_those_of_the_orders_of_a_site(api, month):
    one = api("owner", ("본관",), username="one").get(f"{TRENDS}?days=3").json
    other = api().get(f"{TRENDS}?days=3&site=별관").json

    assert [point["work_orders_escalated_count"] for point in one["points"]] == [0, 1, 0]
    assert [point["work_orders_escalated_count"] for point in other["points"]] == [0, 1, 0]
    assert [point["inspections_count"] for point in other["points"]] == [0, 1, 0]


@pytest.mark.parametrize("path", [f"{SUMMARY}?days=0", f"{SUMMARY}?days=91", f"{SUMMARY}?job_limit=0",
                                  f"{SUMMARY}?job_limit=51", f"{TRENDS}?days=0", f"{TRENDS}?days=91"])  # fmt: skip
def test_what_is_out_of_bounds_is_refused(api, path):
    assert api().get(path).status_code == 422


def test_ninety_days_are_ninety_points(api):
    points = api().get(f"{TRENDS}?days=90").json["points"]

    assert (len(points), points[0]["date"], points[-1]["date"]) == (90, "2025-12-03", "2026-03-02")


@pytest.mark.parametrize("path", [SUMMARY, TRENDS])
def test_reading_is_no_right_of_operators(api, path):
    assert api("operator").get(path).status_code == 403
    assert api("auditor").get(path).status_code == 200


def test_the_service_names_its_addresses(client):
    found = client.get("/api/service-info").json

    assert (found["dashboard_summary_api"], found["dashboard_trends_api"]) == (SUMMARY, TRENDS)
