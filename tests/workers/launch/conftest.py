"""The web server as it is run, on a database with one person who is signed in."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy.orm import sessionmaker

from console import create_app
from console.core.config import Config
from console.core.database import make_engine
from console.models.base import Base
from console.models.identity import WebSession
from console.web.credentials import SESSION_KEY
from tests.factories import make_token, make_user
from tests.support.wait import until

ROOT = Path(__file__).parents[3]
SECRET = "web-server-secret-key-of-thirty-two"
# Longer than a slow machine needs for an answer, shorter than anything is held.
PATIENCE = 60


@dataclass(frozen=True)
class WebServer:
    """A running web server with one process."""

    port: int
    pid: int
    cookie: str
    token: str
    auditor: str

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Return status and body of a GET by the person who is signed in."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Cookie": self.cookie, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def answers(self) -> bool:
        """Return whether it is up and well."""
        with suppress(OSError):
            return self.get("/health")[0] == 200
        return False

    def opened(self, data: bytes) -> socket.socket:
        """Return a connection over which these bytes were sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        connection.sendall(data)
        return connection


@contextmanager
def running(folder: Path, **variables: str) -> Iterator[WebServer]:
    """Run the web server until the block ends."""
    url, text = f"sqlite:///{folder / 'web.db'}", "web-server-session-of-a-test"
    now = datetime.now(UTC)
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    with sessionmaker(engine)() as session:
        user = make_user(session, now=now, role="owner")
        token = make_token(session, user, now=now)
        auditor = make_token(session, make_user(session, now=now, role="auditor"), now=now)
        digest = hashlib.sha256(text.encode()).hexdigest()
        times = {"created_at": now, "last_seen_at": now, "expires_at": now + timedelta(hours=8)}
        session.add(WebSession(token_hash=digest, user_id=user.id, **times))
        session.commit()
    engine.dispose()
    app = create_app(Config.for_tests(SECRET_KEY=SECRET, DATABASE_URL=url, DATA_DIR=str(folder)))
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    cookie = f"{app.config['SESSION_COOKIE_NAME']}={signer.dumps({SESSION_KEY: text})}"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = {
        "ENV": "test",
        "SECRET_KEY": SECRET,
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "REDIS_URL": "",
        "API_RATE_LIMIT_STORE": "memory",
        "API_RATE_LIMIT_MAX_PUBLIC": "100000",
        "API_RATE_LIMIT_MAX_AUTH_WRITE": "100000",
        "API_RATE_LIMIT_MAX_AUTH_UPLOAD": "100000",
        "API_RATE_LIMIT_MAX_AUTH_FAILURES": "100000",
        "PAGE_RATE_LIMIT_MAX": "100000",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_WORKERS": "1",
        "LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "workers.web"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings, **variables})
    try:
        server = WebServer(port, process.pid, cookie, token, auditor)
        until(server.answers)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


@pytest.fixture(scope="module")
def web_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A server of eight threads that holds on to bodies for a long time."""
    with running(tmp_path_factory.mktemp("web"), WEB_THREADS="8", REQUEST_BODY_SECONDS="600") as server:
        yield server


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A server of two threads whose times are short and whose bodies are small."""
    times = {"REQUEST_BODY_SECONDS": "1", "REQUEST_HEADER_SECONDS": "1"}
    with running(tmp_path_factory.mktemp("web"), WEB_THREADS="2", MAX_BODY_BYTES="20000", **times) as server:
        yield server
