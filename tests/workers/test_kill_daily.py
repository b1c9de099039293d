"""A daily check whose worker is killed around its alert: the alert leaves once, and the run that is kept says so."""

import json
import os
import signal
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import event, select

from console.domain.jobs import names as job_names
from console.models.alerts import AlertDelivery
from console.models.jobs import JobRun
from console.services.alerts import delivery
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from tests.support.runs import add_run, run_of
from tests.workers.test_kill import after_the_reaper


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(json.loads(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args):
        pass


@pytest.fixture
def receiver():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def told(place_on, redis_address, receiver):
    """A place where every daily check has to be told."""
    url = f"http://127.0.0.1:{receiver.server_address[1]}/hook"
    return place_on(
        redis_address,
        ALERT_WEBHOOK_URLS=url,
        ALERT_ALLOW_PRIVATE_TARGETS=True,
        OPS_DAILY_CHECK_ALERT_LEVEL="always",
    )


def due(session, clock):
    """Store a run as the schedule asks for it."""
    session.rollback()
    return add_run(session, clock.now(), job_names.DAILY_CHECK, state="queued", scheduled_for=clock.now())


def killed_at(place, run_id, is_moment):
    """Carry a run out in a forked process that is killed before the first statement that `is_moment` knows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:

            def look(_connection, _cursor, statement, *_more):
                if is_moment(statement):
                    os.kill(os.getpid(), signal.SIGKILL)

            place.forked()
            event.listen(place.engine, "before_cursor_execute", look)
            with place.by_hand() as ctx:
                run_engine.perform(ctx, registry.find, run_id, "doomed")
        finally:
            os._exit(0)
    _pid, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)


def repeated(place, session, run_id):
    """Let the reaper close the lost run and a worker carry out the one that repeats it; returns that run."""
    runs = after_the_reaper(place, session)
    (again,) = [run.id for run in runs if run.retry_of == run_id]
    with place.by_hand() as ctx:
        assert run_engine.perform(ctx, registry.find, again, "heir") is not None
    lost, kept = run_of(session, run_id), run_of(session, again)
    assert (lost.error_code, kept.state, kept.executed) == ("worker_lost", "finished", True)
    return kept


def at_the_closing():
    """Return what knows the closing of the check itself: a run within it was closed before."""
    seen = []

    def is_moment(statement):
        seen.extend([1] if "tracker_runs" in statement else [])
        return bool(seen) and statement.startswith("UPDATE job_runs") and "finished_at" in statement

    return is_moment


MOMENTS = {
    "before it is raised": lambda statement: statement.startswith("INSERT INTO alert_deliveries"),
    "raised and not sent": lambda statement: statement.startswith("UPDATE alert_deliveries"),
    "sent, but the run not closed": lambda statement: "tracker_runs" in statement,
    "at the closing": at_the_closing(),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_alert_of_a_killed_run_leaves_once(told, session, clock, receiver, moment):
    run_id = due(session, clock)
    killed_at(told, run_id, MOMENTS[moment])
    kept = repeated(told, session, run_id)

    assert len(receiver.seen) == 1
    deliveries = session.scalars(select(AlertDelivery)).all()
    assert [(one.event_type, one.status) for one in deliveries] == [(job_names.DAILY_CHECK, "success")]
    detail = kept.detail_json
    assert (detail["alert_attempted"], detail["alert_dispatched"], detail["alert_error"]) == (True, True, None)
    assert detail["alert_delivery_ids"] == [deliveries[0].id]
    assert detail["summary"]["alert"]["dispatched"] is True


def test_an_alert_that_the_outbox_sent_meanwhile_is_not_sent_again(told, session, clock, receiver):
    run_id = due(session, clock)
    killed_at(told, run_id, MOMENTS["raised and not sent"])
    with told.by_hand() as ctx:
        delivery.deliver_due(ctx, limit=10)
    kept = repeated(told, session, run_id)

    assert len(receiver.seen) == 1
    assert kept.detail_json["alert_dispatched"] is True


def test_what_got_worse_since_the_lost_run_is_told_again(told, session, clock, receiver):
    run_id = due(session, clock)
    killed_at(told, run_id, MOMENTS["at the closing"])
    session.rollback()
    row = session.scalars(select(AlertDelivery)).one()
    assert row.payload_json["overall_status"] == "warning"
    row.payload_json = {**row.payload_json, "overall_status": "ok"}
    session.commit()
    kept = repeated(told, session, run_id)

    assert len(receiver.seen) == 2
    assert kept.detail_json["alert_dispatched"] is True


def test_the_next_day_is_told_anew(told, session, clock, receiver, later):
    for _ in range(2):
        run_id = due(session, clock)
        with told.by_hand() as ctx:
            assert run_engine.perform(ctx, registry.find, run_id, "worker") is not None
        later(24 * 3600)
    assert len(receiver.seen) == 2
    assert len(session.scalars(select(JobRun.id).where(JobRun.retry_of.is_not(None))).all()) == 0
