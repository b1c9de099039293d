"""The sign of life for somebody outside: once a minute, and silence when nobody works."""

from __future__ import annotations

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from console.domain.runbook.process_checks import ProcessFacts
from console.models.runbook import PreflightSnapshot
from workers.heartbeat import Heartbeat
from workers.scheduler import Scheduler


@pytest.fixture
def outside():
    """Somebody who waits for calls; `outside.calls` are the bodies, `outside.url` is the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.calls.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.calls = []
    server.url = f"http://127.0.0.1:{server.server_address[1]}/ping"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_scheduler_calls_once_a_minute(place_on, redis_address, outside):
    scheduler = Scheduler(
        place_on(redis_address, HEARTBEAT_URL=outside.url, ALERT_ALLOW_PRIVATE_TARGETS=True), lines=()
    )
    for _ in range(3):
        scheduler.step()
        scheduler._heartbeat.wait(10)
    assert len(outside.calls) == 1
    assert b'"status": "ok"' in outside.calls[0]

    scheduler._heartbeat._due = 0.0
    scheduler.step()
    scheduler._heartbeat.wait(10)
    assert len(outside.calls) == 2
    assert scheduler._troubles == {}


def test_nobody_is_called_when_no_worker_lives(place_on, redis_address, outside, session, clock):
    place = place_on(redis_address, HEARTBEAT_URL=outside.url, ALERT_ALLOW_PRIVATE_TARGETS=True)
    long_ago = clock.now() - timedelta(hours=1)
    values = {"overall_status": "ok", "error_count": 0, "warning_count": 0, "payload": {}}
    session.add(
        PreflightSnapshot(
            instance_id="w", name="worker-1", kind="worker", started_at=long_ago, computed_at=long_ago, **values
        )
    )
    session.commit()
    scheduler = Scheduler(place, lines=())
    scheduler.step()
    scheduler._heartbeat.wait(10)

    assert outside.calls == []


def test_without_an_address_nothing_is_asked_and_a_private_one_is_not_called(place_on, redis_address, outside, clock):
    assert not Heartbeat(place_on(redis_address).config).due

    guarded = Heartbeat(place_on(redis_address, HEARTBEAT_URL=outside.url).config)
    assert guarded.due
    guarded.beat(ProcessFacts(clock.now()))
    guarded.wait(10)

    assert outside.calls == []
    assert guarded._failing
