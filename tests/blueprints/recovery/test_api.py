"""The published API of recovery drills, and the page over the same runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.models.jobs import JobRun
from tests.factories.recovery import add_drill, add_failed_drill

R = "/api/ops/dr/rehearsal"
PUBLISHED = {
    *("run_id", "job_name", "trigger", "status", "started_at", "finished_at", "enabled", "backup_path"),
    *("retention_days", "counts", "backup_file", "restore_valid", "simulate_restore", "pruned_files", "notes"),
}
ITEM = {"run_id", "status", "trigger", "finished_at", "backup_file", "restore_valid", "pruned_files"}


@pytest.fixture
def drills(session, clock):
    """A drill of last week that a full disk stopped, and one of yesterday that proved a restore."""
    failed = add_failed_drill(session, clock.now() - timedelta(days=8))
    good = add_drill(session, clock.now() - timedelta(days=1))
    session.commit()
    return failed.id, good.id


def test_before_the_first_drill_there_is_none(api):
    client = api()
    assert client.get(f"{R}/latest").status_code == 404
    assert client.get(f"{R}/history").json["items"] == []


def test_latest_and_history_have_the_published_fields(api, drills):
    failed, good = drills
    client = api()

    latest = client.get(f"{R}/latest").json
    assert set(latest) >= PUBLISHED
    assert (latest["run_id"], latest["job_name"], latest["restore_valid"]) == (good, "dr_rehearsal", True)
    history = client.get(f"{R}/history", query_string={"limit": 1})
    assert (history.json["count"], history.headers["X-Total-Count"]) == (1, "2")
    assert set(history.json["items"][0]) >= ITEM
    older = client.get(f"{R}/history", query_string={"limit": 1, "offset": 1}).json["items"][0]
    assert (older["run_id"], older["status"], older["restore_valid"], older["cause"]) == (
        failed,
        "critical",
        False,
        "disk_full",
    )
    bounded = client.get(f"{R}/history", query_string={"status": "critical", "to": older["finished_at"]})
    assert ([one["run_id"] for one in bounded.json["items"]], bounded.headers["X-Total-Count"]) == ([failed], "1")
    assert client.get(f"{R}/history", query_string={"from": latest["finished_at"]}).json["items"][0]["run_id"] == good


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_the_history_has_its_bounds(api, limit):
    assert api().get(f"{R}/history", query_string={"limit": limit}).status_code == 422


def test_a_run_answers_with_its_detail_and_is_the_latest(api):
    """The tests' tables were made without migrations: the drill says so, and the failure is a run like any other."""
    client = api()
    made = client.post(f"{R}/run", query_string={"simulate_restore": "false"})

    assert made.status_code == 200
    assert set(made.json) >= PUBLISHED
    assert (made.json["status"], made.json["trigger"], made.json["restore_valid"]) == ("critical", "api", False)
    assert made.json["notes"] == ["The database has no tables yet."]
    assert made.json["simulate_restore"] is False
    assert client.get(f"{R}/latest").json["run_id"] == made.json["run_id"]
    assert client.get("/api/service-info").json["ops_dr_rehearsal_run_api"] == f"{R}/run"
    assert client.post(f"{R}/run", query_string={"simulate_restore": "perhaps"}).status_code == 422


def test_the_page_says_in_words_how_the_installation_stands(browser_client, drills):
    failed, _good = drills
    page = browser_client().get("/ops/recovery").text

    assert ("복구 가능" in page, "41" in page, "디스크 부족" in page) == (True, True, True)
    shown = browser_client(username="second").get(f"/ops/recovery/runs/{failed}").text
    assert "No space left on device" in shown


def test_a_fresh_console_says_that_nothing_was_proven(browser_client):
    page = browser_client().get("/ops/recovery").text
    assert ("확인 전" in page, "복구가 확인된 리허설이 아직 없습니다." in page) == (True, True)


def test_the_certificate_is_signed_and_can_be_taken_along(browser_client, drills):
    _failed, good = drills
    client = browser_client()

    assert client.get(f"/ops/recovery/runs/{good}/certificate").status_code == 200
    made = client.get(f"/ops/recovery/runs/{good}/certificate.json")
    assert "attachment" in made.headers["Content-Disposition"]
    assert (made.json["drill"]["run_id"], made.json["signature_algorithm"]) == (good, "hmac-sha256")
    assert client.get("/ops/recovery/runs/999999/certificate").status_code == 404


def test_the_button_asks_a_worker(browser_client, session):
    assert browser_client().post("/ops/recovery/start").status_code == 303
    asked = session.scalars(select(JobRun).where(JobRun.job_name == "dr_rehearsal")).one()
    assert (asked.state, asked.trigger) == ("queued", "manual")
