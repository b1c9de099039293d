"""Job runs over the API and on their pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from console.models.jobs import JobRun
from tests.services.jobs.run_support import job_of
from tests.support.runs import add_run
from tests.support.statements import statements

RUNS = "/api/ops/job-runs"
START = datetime(2026, 3, 2, tzinfo=UTC)
CONTRACT = ["id", "job_name", "trigger", "status", "started_at", "finished_at", "detail"]


@pytest.fixture
def add(session, clock):
    """Return `add(name, status, minutes)`: a stored run that began so many minutes from now."""
    return lambda name="gate", status="success", minutes=0, **values: add_run(
        session, clock.now() + timedelta(minutes=minutes), name, status, **values
    )


def ids(response) -> list[int]:
    assert response.status_code == 200, response.text
    return [run["id"] for run in response.json]


def test_the_list_is_a_bare_array_of_finished_runs_newest_first(api, add):
    old, new = add(minutes=-10, detail_json={"값": 1}), add(minutes=-1)
    add(state="queued")
    add("other", state="running")

    response = api().get(RUNS)

    assert ids(response) == [new, old]
    assert response.headers["X-Total-Count"] == "2"
    assert list(response.json[0])[:7] == CONTRACT
    assert response.json[1]["detail"] == {"값": 1}
    assert response.json[0]["started_at"] == "2026-03-01T23:59:00.000000+00:00"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("job_name=gate", [5, 2, 1]),
        ("job_name=nobody", []),
        ("job_name=", []),
        ("trigger=", []),
        ("status=critical", [3]),
        ("trigger=api", [2]),
        ("dry_run=true", [5]),
        ("dry_run=0&job_name=gate", [2, 1]),
        ("state=queued", [6]),
        ("state=running", [4]),
        ("from=2026-03-01T23:50:00Z", [5, 3, 2]),
        ("to=2026-03-01T23:50:00Z", [1]),
        ("from=2026-03-01T23:49:00Z&to=2026-03-01T23:56:00%2B00:00", [3, 2]),
        ("limit=1&offset=1", [3]),
        ("limit=200&offset=4", []),
    ],
)
def test_the_list_is_narrowed(api, add, query, expected):
    add(minutes=-20)
    add(minutes=-10, trigger="api")
    add("sync", "critical", minutes=-5)
    add("sync", state="running")
    add(minutes=-1, dry_run=True)
    add(state="queued")

    assert ids(api().get(f"{RUNS}?{query}")) == expected


def test_while_nothing_changes_the_runs_are_counted_once(api, add):
    add()
    client = api()
    client.get(RUNS)

    with statements() as seen:
        assert client.get(RUNS).headers["X-Total-Count"] == "1"
    assert not [statement for statement in seen if "count(" in str(statement)]

    add()
    assert client.get(RUNS).headers["X-Total-Count"] == "2"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "offset=-1", "limit=x", "status=failed", "state=x", "from=yesterday", "from=5"]
)
def test_values_outside_their_bounds_are_refused(api, query):
    response = api().get(f"{RUNS}?{query}")

    assert response.status_code == 422
    assert response.json["detail"][0]["loc"][0] == "query"


@pytest.mark.parametrize(
    ("role", "read", "run"), [("owner", 200, 200), ("manager", 200, 200), ("auditor", 200, 403), ("operator", 403, 403)]
)
def test_reading_and_stopping_runs_is_for_those_who_may(api, add, role, read, run):
    run_id = add(state="queued")
    client = api(role)

    assert client.get(RUNS).status_code == read
    assert client.get(f"{RUNS}/{run_id}").status_code == read
    assert client.get("/api/ops/jobs").status_code == read
    stopped = client.post(f"{RUNS}/{run_id}/cancel")
    assert stopped.status_code == run
    if 403 in (read, run):
        assert client.post(f"{RUNS}/{run_id}/retry").json["detail"] == "Missing permission: admins:manage"


def test_one_run_has_its_progress_and_log(api, add):
    run_id = add(
        state="running", progress_done=3, progress_total=9, log_json=[{"at": "x", "msgid": "Reading", "params": {}}]
    )

    found = api().get(f"{RUNS}/{run_id}").json

    assert (found["status"], found["finished_at"], found["state"]) == (None, None, "running")
    assert found["progress"] == {"done": 3, "total": 9, "message": {}}
    assert found["log"][0]["msgid"] == "Reading"


@pytest.mark.parametrize("path", [f"{RUNS}/4711", f"{RUNS}/4711/cancel", f"{RUNS}/4711/retry"])
def test_a_run_that_does_not_exist_is_not_found(api, path):
    client = api()
    response = client.get(path) if path.endswith("4711") else client.post(path)

    assert response.status_code == 404


def test_a_waiting_run_is_stopped_at_once_and_a_running_one_is_asked(api, add, session):
    waiting, running, over = add(state="queued"), add("b", state="running"), add("c")
    client = api()

    stopped = client.post(f"{RUNS}/{waiting}/cancel").json
    asked = client.post(f"{RUNS}/{running}/cancel").json
    late = client.post(f"{RUNS}/{over}/cancel")

    assert (stopped["state"], stopped["status"], stopped["error_code"]) == ("finished", "warning", "cancelled")
    assert (asked["state"], asked["cancel_requested"]) == ("running", True)
    assert late.status_code == 409


def test_a_failed_run_is_tried_again_by_a_run_that_names_it(api, add, register):
    register(job_of(name="gate"))
    failed, well = add(status="critical", options_json={"name": "A", "times": 2}), add()
    client = api()

    response = client.post(f"{RUNS}/{failed}/retry")

    assert response.status_code == 202
    assert (response.json["retry_of"], response.json["options"]) == (failed, {"name": "A", "times": 2})
    assert response.headers["Location"] == f"{RUNS}/{response.json['id']}"
    assert client.post(f"{RUNS}/{well}/retry").status_code == 409


def test_a_job_runs_in_the_request(api, register):
    register(job_of())

    response = api().post("/api/ops/jobs/open_sites/run", json={"options": {"times": 2}})

    assert response.status_code == 200
    assert (response.json["status"], response.json["trigger"], response.json["detail"]) == (
        "success",
        "api",
        {"opened": 2},
    )


def test_a_caller_who_prefers_so_gets_the_address_of_a_waiting_run(api, register, session):
    register(job_of())
    client = api()

    response = client.post("/api/ops/jobs/open_sites/run", json={}, headers={"Prefer": "wait=5, respond-async"})

    assert response.status_code == 202
    assert response.headers["Preference-Applied"] == "respond-async"
    assert client.get(response.headers["Location"]).json["state"] == "queued"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/ops/jobs/nobody/run", {}, 404),
        ("/api/ops/jobs/open_sites/run", {"options": {"times": 0}}, 422),
        ("/api/ops/jobs/open_sites/run", {"options": {"tiems": 1}}, 422),
        ("/api/ops/jobs/open_sites/run", {"dry_run": "yes"}, 422),
        ("/api/ops/jobs/open_sites/run", [], 422),
    ],
)
def test_a_request_that_makes_no_sense_leaves_no_run(api, register, session, path, body, status):
    register(job_of())

    assert api().post(path, json=body).status_code == status
    assert session.scalars(select(JobRun)).all() == []


def test_a_job_that_runs_already_is_a_conflict_that_names_the_run(api, register, add, monkeypatch):
    register(job_of())
    monkeypatch.setattr("console.services.jobs.engine.PATIENCE", timedelta(0))
    busy = add("open_sites", state="running")

    response = api().post("/api/ops/jobs/open_sites/run", json={})

    assert response.status_code == 409
    assert response.json["detail"]["run_id"] == busy


def test_the_schedule_is_told_with_its_queue(api):
    found = api("auditor").get("/api/ops/jobs").json

    assert found["queue"] == {"available": False, "waiting": 0, "working": 0, "workers": []}
    assert {"job_runs_retention", "identity_clean_up"} <= {line["job_name"] for line in found["schedule"]}
    assert found["scheduler_silent"] is True
