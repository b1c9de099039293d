"""A field that no endpoint knows is refused: a misspelt or misplaced `dry_run` must not make a real run."""

import pytest
from sqlalchemy import func, select

from console.models.audit import AuditLog
from console.models.jobs import JobRun
from tests.contract.routes import routes

FREE = ("/policy", "/preview")


def bodies(app):
    """Return the routes of the API that change something, but those whose body is any object or a file."""
    found = [route for route in routes(app) if route.is_api and route.method in ("POST", "PUT", "PATCH", "DELETE")]
    return [route for route in found if not route.rule.endswith((*FREE, "/evidence")) and "/auth/log" not in route.rule]


def test_an_unknown_field_is_refused_by_every_route_that_changes_something(app, api, session):
    owner, wrong = api("owner"), []
    before = session.scalar(select(func.count(AuditLog.id))), session.scalar(select(func.count(JobRun.id)))
    for route in bodies(app):
        answer = owner.open(route.address, method=route.method, json={"dry_runn": True})
        places = [part["loc"] for part in answer.json["detail"]] if answer.status_code == 422 else []
        if ["body", "dry_runn"] not in places:
            wrong.append((route.method, route.address, answer.status_code, answer.json))

    assert not wrong
    session.rollback()
    assert (session.scalar(select(func.count(AuditLog.id))), session.scalar(select(func.count(JobRun.id)))) == before


def test_a_form_for_an_endpoint_without_a_body_is_refused(api):
    answer = api("owner").post("/api/admin/audit-chain/rebaseline", data={"dry_run": "1"})

    assert answer.status_code == 422


@pytest.mark.parametrize("body", [{}, None])
def test_an_empty_body_says_nothing(api, body):
    answer = api("owner").post("/api/admin/audit-chain/rebaseline?dry_run=true", json=body)

    assert (answer.status_code, answer.json["dry_run"]) == (200, True)


def test_permission_comes_before_the_fields(api):
    assert api("operator").post("/api/admin/audit-chain/rebaseline", json={"dry_run": True}).status_code == 403


def test_old_clients_may_be_passed_over_by_a_switch(make_app, api):
    client, headers = make_app(API_UNKNOWN_FIELDS="ignore").test_client(), {"X-Admin-Token": api("owner").token}
    made = client.post("/api/admin/users", json={"username": "kim", "colour": "red"}, headers=headers)
    dry = client.post("/api/admin/audit-chain/rebaseline?dry_run=1", json={"colour": "red"}, headers=headers)

    assert (made.status_code, dry.status_code) == (201, 200)


def test_the_chain_is_rebaselined_for_all_sites_only(api):
    client = api("manager", ("HQ",), permissions=("admins:manage",))
    answer = client.post("/api/admin/audit-chain/rebaseline?dry_run=true")

    assert (answer.status_code, answer.json["detail"]) == (403, "Global site scope required")
