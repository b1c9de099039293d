"""What holds for all of the facility platform: what bodies may say, how refusals look (API contract, conventions)."""

import pytest

from console.models.work_orders import WorkOrder
from tests.factories.work_orders import add_order

ORDERS, SLA = "/api/work-orders", "/api/admin/policies/sla"
RUN, RETRIES, WHAT_IF = f"{ORDERS}/escalations/run", "/api/ops/alerts/retries/run", "/api/ops/sla/simulate"
ORDER = {"title": "Pump leaks", "site": "본관", "location": "B1"}
INSPECTION = {"site": "본관", "location": "B1", "cycle": "daily", "inspector": "kim", "inspected_at": "2026-03-01"}


@pytest.fixture
def owner(api):
    return api("owner", username="olga")


def test_numbers_and_booleans_may_be_written_as_text(owner, session, clock):
    late = add_order(session, clock.now(), due_at=clock.now().replace(year=2025)).id
    session.commit()
    dry = owner.post(RUN, json={"dry_run": "True", "limit": "5"})
    assert (dry.json["dry_run"], dry.json["work_order_ids"]) == (True, [late])
    assert not session.get(WorkOrder, late).is_escalated
    session.rollback()

    made = owner.post("/api/inspections", json={**INSPECTION, "voltage_r": "220.5", "insulation_mohm": "1e3"})
    assert (made.json["voltage_r"], made.json["insulation_mohm"]) == (220.5, 1000.0)
    assert owner.post(ORDERS, json={**ORDER, "inspection_id": str(made.json["id"])}).status_code == 201
    hours = {"default_due_hours": {"medium": "4"}, "escalation_grace_minutes": "30"}
    assert owner.put(SLA, json=hours).json["escalation_grace_minutes"] == 30
    asked = {"policy": {}, "include_work_order_ids": "false", "recompute_due_from_policy": "true"}
    told = owner.post(WHAT_IF, json={**asked, "sample_size": "7"})
    assert (told.json["delta_escalate_count"], told.json["no_longer_escalated_ids"]) == (-1, [])
    assert owner.post(RETRIES, json={"limit": "5000", "min_last_attempt_age_sec": "0"}).json["limit"] == 5000
    assert owner.post(f"{SLA}/proposals", json={"policy": {}, "simulation_limit": "20000"}).status_code == 201


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (RUN, {"dry_run": "yes"}),
        (RUN, {"dry_run": 1}),
        (RUN, {"dry_run": ""}),
        (RUN, {"limit": "2001"}),
        (RUN, {"limit": "5.0"}),
        (RUN, {"limit": "1e2"}),
        (RUN, {"limit": "٥"}),
        (RUN, {"limit": True}),
        (RUN, {"limit": "1" * 5000}),
        (RETRIES, {"limit": "five"}),
        (ORDERS, {**ORDER, "inspection_id": "nan"}),
        (ORDERS, {**ORDER, "title": 5}),
        ("/api/inspections", {**INSPECTION, "voltage_r": "220,5"}),
        ("/api/inspections", {**INSPECTION, "voltage_r": "NaN"}),
        ("/api/inspections", {**INSPECTION, "voltage_r": True}),
    ],
)
def test_nothing_else_is_converted(owner, session, path, body):
    assert owner.post(path, json=body).status_code == 422
    assert owner.get("/api/ops/job-runs").json == owner.get(ORDERS).json == owner.get("/api/inspections").json == []


@pytest.mark.parametrize(
    ("path", "body", "inputs"),
    [
        (ORDERS, {}, [None, None]),
        (ORDERS, {**ORDER, "priority": "urgent", "inspection_id": 0}, ["urgent", 0]),
        # What the service refuses, and what is secret.
        (ORDERS, {**ORDER, "inspection_id": 77}, [None]),
        ("/api/auth/login", {"username": "olga", "password": 5}, [None]),
    ],
)
def test_every_part_of_a_refusal_has_its_input(owner, path, body, inputs):
    refused = owner.post(path, json=body)

    assert refused.status_code == 422
    assert [part["input"] for part in refused.json["detail"]] == inputs
    assert all({"type", "loc", "msg"} < set(part) for part in refused.json["detail"])


@pytest.mark.parametrize("sheet", ["/inspections/{0}/print", "/reports/monthly/print?month=2026-03"])
def test_a_program_at_a_sheet_is_refused_as_a_program(app, api, owner, sheet):
    address = sheet.format(owner.post("/api/inspections", json=INSPECTION).json["id"])
    assert owner.get(address).mimetype == "text/html"
    owner.token = "nobody's"
    wrong = owner.get(address)
    # A form to sign in, where it was led to, would have passed for the sheet.
    assert (wrong.status_code, wrong.json["detail"]) == (401, "Invalid admin token")
    assert app.test_client().get(address).status_code == 303


def test_what_does_not_fit_at_a_sheet_says_where(owner, api):
    refused = owner.get("/reports/monthly/print?zone=Mars")

    assert (refused.status_code, refused.json["detail"][0]["loc"]) == (422, ["query", "zone"])
    assert api("operator").get("/reports/monthly/print").json["detail"] == "Missing permission: reports:read"
    assert owner.get("/inspections/77/print").json["detail"] == "Inspection not found"
