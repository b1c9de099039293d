"""The monitor around every request: header, samples, templates, and a database that is away."""

import threading

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from console.core.background import Background
from console.models.reliability import LatencySample
from console.web.extensions import db
from console.web.request import access
from console.web.timing import BUFFER, recorder_of

SETTINGS = {"API_LATENCY_PERSIST_ENABLED": True}


@pytest.fixture
def watched(make_app):
    """Return `watched(targets, **settings)`: an application that stores samples of these endpoints."""

    made = []

    def build(*targets, **settings):
        app = make_app(**SETTINGS, **({"API_LATENCY_TARGETS": targets} if targets else {}), **settings)
        made.append(app)
        return app

    yield build
    for app in made:
        with app.app_context():
            db.engine.dispose()


def _add(app, rule, view):
    app.add_url_rule(rule, rule, access(public=True)(view))


def _crash():
    raise ZeroDivisionError


def _rows(session):
    session.rollback()
    query = select(LatencySample).order_by(LatencySample.id)
    return [(row.endpoint_key, row.status_code, row.is_error) for row in session.scalars(query)]


def test_every_answer_tells_how_long_it_took(watched):
    client = watched().test_client()

    for path in ("/health", "/nowhere", "/api/nowhere"):
        assert float(client.get(path).headers["X-Request-Duration-Ms"]) >= 0
    assert "X-Request-Duration-Ms" not in client.options("/health").headers


def test_switched_off_there_is_neither_header_nor_sample(watched):
    app = watched(API_LATENCY_MONITOR_ENABLED=False)

    assert "X-Request-Duration-Ms" not in app.test_client().get("/health").headers
    assert recorder_of(app) is None


def test_watched_requests_are_stored_in_one_batch_and_others_are_not(watched, session):
    app = watched("GET /watched", "GET /api/things/{id}")
    _add(app, "/watched", lambda: "ok")
    client = app.test_client()
    for _ in range(3):
        client.get("/watched?x=1")
    client.get("/unwatched")

    assert _rows(session) == []
    assert recorder_of(app).flush() == 3
    assert recorder_of(app).flush() == 0
    assert {key for key, _, _ in _rows(session)} == {"GET /watched"}


def test_a_route_template_watches_all_its_records(watched, session):
    app = watched("GET /things/{thing}")
    _add(app, "/things/<int:thing_id>", lambda thing_id: f"thing {thing_id}")
    client = app.test_client()
    client.get("/things/1")
    client.get("/things/2")
    recorder_of(app).flush()

    assert [key for key, _, _ in _rows(session)] == ["GET /things/{thing}"] * 2


def test_a_crash_is_a_sample_with_status_500(watched, session):
    app = watched("GET /crash")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    _add(app, "/crash", _crash)
    app.test_client().get("/crash")
    recorder_of(app).flush()

    assert _rows(session) == [("GET /crash", 500, True)]


def test_an_exception_that_leaves_the_application_is_a_sample_too(watched, session):
    app = watched("GET /crash")
    app.config["PROPAGATE_EXCEPTIONS"] = True
    _add(app, "/crash", _crash)
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/crash")
    recorder_of(app).flush()

    assert _rows(session) == [("GET /crash", 500, True)]


def test_without_a_table_samples_wait_and_requests_do_not_notice(watched, session):
    app = watched("GET /watched")
    _add(app, "/watched", lambda: "ok")
    recorder = recorder_of(app)
    session.execute(text("ALTER TABLE api_latency_samples RENAME TO api_latency_away"))
    session.commit()
    try:
        assert app.test_client().get("/watched").status_code == 200
        assert recorder.flush() == 0
    finally:
        session.execute(text("ALTER TABLE api_latency_away RENAME TO api_latency_samples"))
        session.commit()

    assert recorder.flush() == 1
    assert _rows(session) == [("GET /watched", 200, False)]


def test_the_memory_has_a_bound_when_the_database_stays_away(watched):
    recorder = recorder_of(watched("GET /watched"))
    target = recorder.target_of("GET", "/watched", None)
    for _ in range(BUFFER + 10):
        recorder.note(target, 1.0, 200)

    assert recorder.flush() == BUFFER
    assert len(recorder.memory()["GET /watched"].durations) == 300


def test_samples_from_many_threads_are_all_stored_once(watched, session):
    recorder = recorder_of(watched("GET /watched"))
    target = recorder.target_of("GET", "/watched", None)
    threads = [threading.Thread(target=lambda: [recorder.note(target, 1.0, 200) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    flushed = 0
    while any(thread.is_alive() for thread in threads):
        flushed += recorder.flush()
    flushed += recorder.flush()

    assert flushed == 1600
    assert session.scalar(select(func.count()).select_from(LatencySample)) == 1600


def test_the_background_thread_repeats_survives_a_failing_task_and_ends_with_the_closing_ones():
    background, done, closed = Background(), threading.Event(), []
    calls = []

    def failing():
        raise ValueError("no")

    def without_database():
        raise DBAPIError("SELECT 1", None, OSError("gone"))

    def working():
        calls.append(1)
        if len(calls) == 3:
            done.set()

    before = set(threading.enumerate())
    background.every(0.01, failing)
    background.every(0.01, working)
    background.at_end(without_database)
    background.at_end(lambda: closed.append(1))
    background.ensure_started()
    background.ensure_started()

    assert done.wait(60)
    (thread,) = set(threading.enumerate()) - before
    with capture_logs() as lines:
        background.close()
        background.close()
    assert closed == [1]
    name = without_database.__qualname__
    assert [line for line in lines if line.get("task") == name] == [
        {"event": "database_away_in_background", "log_level": "info", "task": name, "error": "DBAPIError"}
    ]
    thread.join(60)
    assert not thread.is_alive()
