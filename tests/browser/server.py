"""The application on a loopback port, with people who are signed in already."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from flask.sessions import SecureCookieSessionInterface
from sqlalchemy.orm import sessionmaker
from werkzeug.serving import make_server

from console import ConsoleApp, create_app
from console.core.config import Config
from console.core.database import make_engine
from console.models.base import Base
from console.models.identity import WebSession
from console.web.credentials import SESSION_KEY
from tests.browser.seed import Company, fill

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LIVE, CLEAN, DATA = "browser.db", "clean.db", "data"


@dataclass(frozen=True)
class Served:
    """A running application; `address` has no slash at its end."""

    app: ConsoleApp
    address: str
    company: Company
    database: str
    folder: Path

    def reset(self, name: str = "") -> bool:
        """Bring back the company as it was made or `keep` kept it by this name, so that no test meets another's.

        Return whether there is such a state.
        """
        kept = self.folder / f"{name}{CLEAN}"
        if not kept.exists():
            return False
        with closing(_open(kept)) as clean, closing(_open(self.folder / LIVE)) as live:
            clean.backup(live)
        shutil.rmtree(self.folder / DATA)
        shutil.copytree(self.folder / f"{name}{DATA}.clean", self.folder / DATA)
        return True

    def keep(self, name: str = "") -> None:
        """Keep the company as it is now for `reset`: some take long to make."""
        with closing(_open(self.folder / LIVE)) as live, closing(_open(self.folder / f"{name}{CLEAN}")) as clean:
            live.backup(clean)
        shutil.copytree(self.folder / DATA, self.folder / f"{name}{DATA}.clean")

    def cookie(self, role: str) -> dict[str, str]:
        """Sign the person of a role in and return the cookie that a browser would keep."""
        text = secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        engine = make_engine(self.database)
        with sessionmaker(engine)() as session:
            session.add(
                WebSession(
                    token_hash=hashlib.sha256(text.encode()).hexdigest(),
                    user_id=self.company.ids[role],
                    created_at=now,
                    last_seen_at=now,
                    expires_at=now + timedelta(hours=8),
                )
            )
            session.commit()
        engine.dispose()
        signer = SecureCookieSessionInterface().get_signing_serializer(self.app)
        assert signer is not None
        return {"name": self.app.config["SESSION_COOKIE_NAME"], "value": signer.dumps({SESSION_KEY: text})}


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30)


def _whole_files(app: WSGIApplication) -> WSGIApplication:
    """Return static files in one piece: the test server leaves a file open that a browser did not wait for."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        parts = app(environ, start_response)
        if not environ["PATH_INFO"].startswith("/static/"):
            return parts
        try:
            return [b"".join(parts)]
        finally:
            if hasattr(parts, "close"):
                parts.close()

    return answer


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Serve a filled database from a thread until the block ends."""
    url = f"sqlite:///{folder / LIVE}"
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    config = Config.for_tests(DATABASE_URL=url, DATA_DIR=str(folder / DATA))
    company = fill(sessionmaker(engine), config, datetime.now(UTC))
    engine.dispose()
    app = create_app(config)
    server = make_server("127.0.0.1", 0, _whole_files(app), threaded=True)
    site = Served(app, f"http://127.0.0.1:{server.server_port}", company, url, folder)
    site.keep()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()
