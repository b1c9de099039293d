"""Connections of the pool to PostgreSQL: asked whether their server is still there, but only after they lay about."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from console.core import database
from tests.support.postgres import postgres_url


@pytest.fixture(scope="module")
def address(worker_id):
    return postgres_url(f"pool_{worker_id}")


@pytest.fixture
def engine(address):
    made = database.make_engine(address, pool_size=2)
    yield made
    made.dispose()


@pytest.fixture
def pings(engine, monkeypatch):
    """Return the list that grows with every question to a connection."""
    seen, ask = [], engine.dialect.do_ping
    monkeypatch.setattr(engine.dialect, "do_ping", lambda connection: seen.append(1) or ask(connection))
    return seen


def use(engine):
    with engine.connect() as connection:
        return connection.scalar(text("SELECT pg_backend_pid()"))


def close(address, *backends):
    """Let the server end connections, and wait until it has."""
    admin = database.make_engine(address)
    with admin.connect() as connection:
        for backend in backends:
            connection.execute(text("SELECT pg_terminate_backend(:backend, 2000)"), {"backend": backend})
    admin.dispose()


def test_a_connection_that_lay_about_is_asked_and_one_just_used_is_not(engine, pings, monkeypatch):
    backend = use(engine)
    assert (use(engine), pings) == (backend, [])

    monkeypatch.setattr(database, "PING_AFTER_SECONDS", 0)

    assert (use(engine), pings) == (backend, [1])


def test_connections_that_the_server_closed_are_replaced_when_they_lay_about(engine, address, monkeypatch):
    monkeypatch.setattr(database, "PING_AFTER_SECONDS", 0)
    with engine.connect() as one, engine.connect() as two:
        closed = {connection.scalar(text("SELECT pg_backend_pid()")) for connection in (one, two)}
    close(address, *closed)

    assert not {use(engine), use(engine)} & closed


def test_a_connection_that_broke_in_use_is_replaced_the_next_time(engine, address):
    backend = use(engine)
    close(address, backend)

    with pytest.raises(OperationalError):
        use(engine)

    assert use(engine) != backend


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("sqlite:////srv/facility.db", None),
        ("postgresql:///console", None),
        ("postgresql:///console?host=/run/postgresql", None),
        ("postgresql://localhost/console", None),
        ("postgresql://127.0.0.1:5433/console", None),
        ("postgresql://db.example/console", "db.example"),
        ("postgresql://db.example/console?sslmode=require", "db.example"),
        ("postgresql://db.example/console?sslmode=verify-ca", "db.example"),
        ("postgresql://db.example/console?sslmode=verify-full", None),
        ("postgresql:///console?host=/run/postgresql,two.example", "two.example"),
    ],
)
def test_a_database_elsewhere_is_verified_only_when_certificate_and_name_are_checked(url, host):
    assert database.unverified_host(url) == host
    assert database.unverified_host(url, "verify-full") == (host if "sslmode" in url else None)
