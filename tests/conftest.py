"""Shared fixtures: a clean database on both engines, a clock that stands still, contexts and clients."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from console import ConsoleApp, create_app
from console.core import logs
from console.core.background import Background
from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import Actor, Context, start_writing
from console.core.database import make_engine
from console.domain.identity.iam import added_permissions, effective_permissions
from console.models.base import Base
from console.services.common import query_cache
from console.services.identity import passwords
from console.web import afterwards
from console.web.extensions import db
from console.web.ratelimit import EXTENSION, make_limiter
from tests.factories import make_token, make_user
from tests.support import environment
from tests.support.pace import pace
from tests.support.people import PASSWORD, BrowserClient
from tests.support.postgres import postgres_url
from workers.launch.redis_server import RedisServer

environment.hide(os.environ)

START = datetime(2026, 3, 2, tzinfo=UTC)

# How long an example takes says something about the machine, not about the rule.
settings.register_profile("suite", deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)
settings.load_profile("suite")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes never name a test: archives carry the time they were packed at, and every process packs its own."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None


@pytest.fixture(scope="session", autouse=True)
def machine() -> Iterator[None]:
    """The machine as it is, or as PACE wants it to be (see tests/support/pace.py); log lines as in production."""
    logs.configure("info")  # before that, every error would be drawn with colours and variables for seconds
    with pace(os.environ.get("PACE", "")):
        yield


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """Name of the database under test; whatever needs a database runs on both."""
    return request.param


@pytest.fixture(scope="session")
def database(backend: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of this worker's database, with all tables."""
    url = postgres_url(worker_id) if backend == "postgresql" else f"sqlite:///{tmp_path_factory.mktemp('db')}/test.db"
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def shared_engine(database: str) -> Iterator[Engine]:
    engine = make_engine(database)
    yield engine
    engine.dispose()


def empty(engine: Engine) -> None:
    """Remove every row of every table; TRUNCATE would take ten times as long for tables this small."""
    deletes = [f"DELETE FROM {table.name}" for table in reversed(Base.metadata.sorted_tables)]
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            used = text("SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL")
            restarts = [f"ALTER SEQUENCE {name} RESTART" for name in connection.scalars(used)]
            connection.exec_driver_sql(";".join([*deletes, *restarts]))
        else:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            for delete in deletes:
                connection.exec_driver_sql(delete)
        connection.commit()


@pytest.fixture
def engine(shared_engine: Engine) -> Engine:
    """An engine whose database has all tables and no rows."""
    empty(shared_engine)
    query_cache.forget(shared_engine)
    return shared_engine


@pytest.fixture
def own_redis(tmp_path: Any) -> Iterator[RedisServer]:
    """A Redis of this test alone, to be stopped and emptied."""
    server = RedisServer(tmp_path / "r", persist=False)
    server.start(output=subprocess.DEVNULL)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def session_clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def clock(session_clock: FixedClock) -> FixedClock:
    """A clock that stands at 2026-03-02 00:00 UTC (09:00 in Seoul) until it is moved."""
    session_clock.set(START)
    return session_clock


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with sessionmaker(engine)() as opened:
        yield opened


@pytest.fixture
def config(tmp_path: Any) -> Config:
    return Config.for_tests(DATA_DIR=str(tmp_path / "data"))


def actor_of(role: str = "owner", sites: tuple[str, ...] = ("*",), **values: Any) -> Actor:
    """Return an actor of a role, as a token would."""
    permissions = effective_permissions(role, ())
    return Actor(
        **{
            "kind": "token",
            "username": f"{role}_a",
            "display_name": role.title(),
            "role": role,
            "permissions": tuple(permissions),
            "grants": added_permissions(role),
            "site_scope": sites,
            **values,
        }
    )


@pytest.fixture
def make_ctx(session: Session, clock: FixedClock, config: Config) -> Callable[..., Context]:
    """Return `make_ctx(role="owner", sites=("*",), **actor fields)`: contexts on one session."""

    def build(role: str = "owner", sites: tuple[str, ...] = ("*",), **values: Any) -> Context:
        return Context(session, clock, actor_of(role, sites, **values), config)

    return build


@pytest.fixture
def ctx(make_ctx: Callable[..., Context]) -> Context:
    """The context of an owner for all sites, ready to write."""
    made = make_ctx()
    start_writing(made.session)
    return made


@pytest.fixture(scope="session")
def session_app(
    database: str, session_clock: FixedClock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ConsoleApp]:
    config = Config.for_tests(DATABASE_URL=database, DATA_DIR=str(tmp_path_factory.mktemp("data")))
    app = create_app(config, session_clock)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(session_app: ConsoleApp, engine: Engine, clock: FixedClock) -> Iterator[ConsoleApp]:
    """The application on a clean database, with the test's clock; what other tests asked for is not counted.

    What a test puts into its settings or in the place of a view is gone after it.
    """
    session_app.extensions[EXTENSION] = make_limiter(session_app.extensions["console_config"])
    # What other tests read, and what their requests left to be written, speaks of rows that are gone.
    with session_app.app_context():
        query_cache.forget(db.engine)
    afterwards.init_app(session_app, Background())
    # The database was emptied: checkpoints of what it held would tell of a lost log.
    shutil.rmtree(session_app.extensions["console_config"].path("AUDIT_CHECKPOINT_PATH"), ignore_errors=True)
    views, config = dict(session_app.view_functions), dict(session_app.config)
    yield session_app
    session_app.view_functions.update(views)
    session_app.config.clear()
    session_app.config.update(config)


@pytest.fixture
def make_app(database: str, engine: Engine, clock: FixedClock, tmp_path: Any) -> Iterator[Callable[..., ConsoleApp]]:
    """Return `make_app(SETTING=value)`: an application with other settings on the same clean database."""
    made = []

    def build(**settings: Any) -> ConsoleApp:
        values = {"DATABASE_URL": database, "DATA_DIR": str(tmp_path / "data"), **settings}
        made.append(create_app(Config.for_tests(**values), clock))
        return made[-1]

    yield build
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def client(app: ConsoleApp) -> FlaskClient:
    """A client without credential."""
    return app.test_client()


class TokenClient(FlaskClient):
    """A client whose requests carry an API token."""

    token = ""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        headers = dict(kwargs.pop("headers", None) or {})
        headers.setdefault("X-Admin-Token", self.token)
        return super().open(*args, headers=headers, **kwargs)


@pytest.fixture
def api(app: ConsoleApp, session: Session, clock: FixedClock) -> Callable[..., FlaskClient]:
    """Return `api(role="owner", sites=("*",), **user fields)`: a client with a token of such a user."""

    def build(role: str = "owner", sites: tuple[str, ...] = ("*",), **values: Any) -> FlaskClient:
        user = make_user(session, now=clock.now(), role=role, site_scope=sites, **values)
        token = make_token(session, user, now=clock.now())
        session.commit()
        client = TokenClient(app, app.response_class, use_cookies=False)
        client.token = token
        return client

    return build


@pytest.fixture
def browser_client(
    app: ConsoleApp, session: Session, clock: FixedClock, config: Config
) -> Callable[..., BrowserClient]:
    """Return `browser_client(role="owner", sites=("*",), **user fields)`: a browser of such a person, signed in."""

    def build(role: str = "owner", sites: tuple[str, ...] = ("*",), **values: Any) -> BrowserClient:
        session.rollback()
        hashed = passwords.make_hash(config, PASSWORD)
        user = make_user(session, now=clock.now(), role=role, site_scope=sites, password_hash=hashed, **values)
        username = user.username
        session.commit()
        client = BrowserClient(app, app.response_class)
        assert client.sign_in(username).status_code == 303
        return client

    return build
