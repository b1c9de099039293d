"""Engines: one recipe for SQLite and PostgreSQL, used by the web, jobs, commands and tests."""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from console.core import revisions
from console.core.write_queue import PATIENCE_SECONDS, QueueingConnection

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={int(PATIENCE_SECONDS * 1000)}",
    "PRAGMA temp_store=MEMORY",
    # Per connection, so ten times per process; more than this made nothing faster, the system keeps the file anyway.
    "PRAGMA cache_size=-500",
)

# Statements that a process keeps compiled (half as many more before it throws away): a hundred kilobytes each.
# People need some hundred and fifty at a time; every other set of filters that a stranger tries would stay as well.
STATEMENTS_KEPT = 160
_HERE = ("localhost", "::1")
# A server that went away takes longer than this to come back: connections that were just used need no question.
PING_AFTER_SECONDS = 1.0

# Non-ASCII stays readable; without it a search for a Korean key inside JSON finds nothing on SQLite.
dump_json: Callable[[Any], str] = partial(json.dumps, ensure_ascii=False)


def engine_options(url: str, *, pool_size: int = 10) -> dict[str, Any]:
    """Return the create_engine options that fit `url`."""
    parsed = make_url(url)
    # Values of statements may be personal data or secrets: they stay out of error texts and logs.
    options: dict[str, Any] = {"json_serializer": dump_json, "hide_parameters": True}
    options["query_cache_size"] = STATEMENTS_KEPT
    # The connection that was used last knows most: its pages, its statements, what was counted.
    last_first = {"pool_size": pool_size, "max_overflow": pool_size, "pool_use_lifo": True}
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            options |= {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
        else:
            options |= {**last_first, "connect_args": {"factory": QueueingConnection, "cached_statements": 24}}
    else:
        options |= last_first
    return options


def unverified_host(url: str, default_mode: str = "prefer") -> str | None:
    """Return the host of a PostgreSQL elsewhere whose certificate and name the driver does not check, or None.

    The driver encrypts where it can, but only `sslmode=verify-full` knows whom it talks to; `default_mode` is the mode
    of an address without one.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return None
    named = parsed.host or parsed.query.get("host") or ""
    hosts = named.split(",") if isinstance(named, str) else named
    elsewhere = [host for host in hosts if host and not host.startswith(("/", "127.")) and host not in _HERE]
    mode = parsed.query.get("sslmode") or default_mode
    return elsewhere[0] if elsewhere and mode != "verify-full" else None


def problem_of(error: DBAPIError) -> str:
    """Say in one line why the database cannot be used, without the statement."""
    lines = str(error.orig or error).strip().splitlines()
    return f"The database cannot be used: {(lines[0] if lines else 'unknown').rstrip('.')}."


def prepare(engine: Engine) -> Engine:
    """Attach the recipe of its database to an engine."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    else:
        event.listen(engine, "checkin", _on_checkin)
        event.listen(engine, "checkout", partial(_on_checkout, engine.dialect))
    revisions.attach(engine)
    return engine


def make_engine(url: str, *, pool_size: int = 10) -> Engine:
    """Return a ready engine for `url`."""
    return prepare(create_engine(url, **engine_options(url, pool_size=pool_size)))


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver must not open transactions on its own: `_on_begin` says when and how.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _on_checkin(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["idle_since"] = time.monotonic()


def _on_checkout(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Ask a connection that lay about whether its server is still there; raises what makes the pool open others."""
    if time.monotonic() - record.info.get("idle_since", math.inf) < PING_AFTER_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError("the database closed the connection") from error


def _on_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    mode = options.get("sqlite_begin", "DEFERRED")
    driver = connection.connection.driver_connection
    if mode != "IMMEDIATE" or not isinstance(driver, QueueingConnection):
        connection.exec_driver_sql(f"BEGIN {mode}")
        return
    try:
        driver.begin_writing(options.get("write_patience", PATIENCE_SECONDS))
    except sqlite3.OperationalError as error:
        raise OperationalError("BEGIN IMMEDIATE", None, error) from error
