"""What a monitoring system reads, and what people read who may act when nobody works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest

from console.models.jobs import JobRun
from console.models.runbook import PreflightSnapshot
from console.web.watch import EXTENSION

TOKEN = "a-token-of-the-collector-alone"
COLLECTOR = {"Authorization": f"Bearer {TOKEN}"}
NAMES = {
    "console_processes",
    "console_process_silence_seconds",
    "console_queue_waiting_runs",
    "console_queue_age_seconds",
    "console_job_runs_of_a_day",
    "console_outbox_due_alerts",
    "console_outbox_age_seconds",
    "console_outbox_dead_alerts",
    "console_http_request_duration_seconds",
    "console_route_p95_milliseconds",
    "console_route_budget_left_percent",
    "console_route_burn_rate",
    "console_burn_alerts",
}


@pytest.fixture
def queue(session, clock):
    now = clock.now()
    for number, values in enumerate(
        (
            {"state": "queued", "requested_at": now - timedelta(minutes=7)},
            {"state": "finished", "requested_at": now, "started_at": now, "finished_at": now, "status": "success"},
            {"state": "finished", "requested_at": now, "started_at": now, "finished_at": now, "status": "critical"},
        )
    ):
        session.add(JobRun(job_name=f"job_{min(number, 1)}", trigger="cron", **values))
    session.commit()


def figures(text):
    return dict(re.findall(r"^([a-z][^ #]*) ([0-9.e+]+)$", text, re.MULTILINE))


def test_the_figures_of_the_installation(make_app, queue):
    client = make_app(METRICS_TOKEN=TOKEN).test_client()
    client.get("/api/nobody")
    client.get("/health")
    found = client.get("/metrics", headers=COLLECTOR)
    numbers = figures(found.text)

    assert found.mimetype == "text/plain"
    assert set(re.findall(r"^# TYPE (\w+) ", found.text, re.MULTILINE)) >= NAMES
    assert numbers["console_queue_age_seconds"] == "420.0"
    assert numbers['console_job_runs_of_a_day{job="job_1",outcome="critical"}'] == "1.0"
    assert numbers['console_processes{kind="worker"}'] == "0.0"
    count = 'console_http_request_duration_seconds_count{method="GET",route="%s",status="%s"}'
    assert numbers[count % ("/health", "2xx")] == "1.0"
    assert numbers[count % ("unknown", "4xx")] == "1.0"
    assert "nobody" not in found.text


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("auditor", 200), ("operator", 404)])
def test_who_may_read_the_figures(api, client, role, status):
    assert api(role).get("/metrics").status_code == status
    assert client.get("/metrics").status_code == 404


def test_a_collector_has_a_token_of_its_own(make_app):
    client = make_app(METRICS_TOKEN=TOKEN).test_client()

    assert client.get("/metrics", headers=COLLECTOR).status_code == 200
    for wrong in ("Bearer ", "Bearer é", f"Bearer {TOKEN}x"):
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 404
    switched_off = make_app(METRICS_TOKEN=TOKEN, METRICS_ENABLED=False).test_client()
    assert switched_off.get("/metrics", headers=COLLECTOR).status_code == 404
    without = make_app().test_client()
    assert without.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_the_durations_of_several_processes_are_added_up(tmp_path):
    script = """
import os, sys
from console import create_app
from console.core.config import Config
app = create_app(Config.for_tests(DATABASE_URL="sqlite://", DATA_DIR=sys.argv[1]))
children = []
for _ in range(3):
    if not (child := os.fork()):
        app.test_client().get("/health")
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
from console.web.metrics import exposition
print(exposition(app, ()).decode())
"""
    environ = {**os.environ, "ENV": "test", "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env=environ, capture_output=True, text=True, check=True
    ).stdout

    assert (
        figures(told)['console_http_request_duration_seconds_count{method="GET",route="/health",status="2xx"}'] == "3.0"
    )


def test_a_dead_worker_is_told_on_every_page_to_people_who_may_act(app, browser_client, session, clock, monkeypatch):
    monkeypatch.setattr(app.extensions[EXTENSION], "troubles", ())
    now = clock.now()
    session.add(
        PreflightSnapshot(
            instance_id="w",
            name="web-1",
            kind="web",
            started_at=now - timedelta(hours=1),
            computed_at=now,
            overall_status="ok",
            error_count=0,
            warning_count=0,
            payload={},
        )
    )
    session.commit()
    owner = browser_client("owner")
    assert "워커의 신호가" not in owner.get("/board").text

    app.extensions[EXTENSION].look()

    assert "60분 동안 워커의 신호가 없습니다" in owner.get("/board").text
    assert "60분 동안 스케줄러의 신호가 없습니다" in owner.get("/account").text
    assert "워커의 신호가" not in browser_client("auditor").get("/board").text
