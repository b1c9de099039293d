"""Can this process serve? Asked by load balancers and by the launcher; nothing secret is in the answer."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

import redis
from sqlalchemy import Connection, Engine, insert, text
from sqlalchemy.exc import SQLAlchemyError

from console.core.context import Context
from console.core.store_trouble import AWAY, FULL, LOCKED, READ_ONLY, trouble_of
from console.models.runbook import PreflightSnapshot

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"
PATIENCE_SECONDS = 0.5
OK, ABSENT = "ok", "absent"
BEHIND, AHEAD = "behind", "ahead"
# A write that succeeded is believed for this long, so that asking every second costs next to nothing.
BELIEVED_SECONDS = 5.0
# A lock that somebody holds for a moment is daily life; requests give up after this time, and so does the answer.
LOCKED_SECONDS = 10.0
# What a small transaction may need on the disk of SQLite.
ROOM_BYTES = 64 * 1024
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REDIS_KEY = "console:ready"


@dataclass(frozen=True)
class Health:
    """The parts that a request needs, each in one word.

    `database` and `redis`: "ok", "away", "full", "locked" or "read_only"; `redis` also "absent" (not set up).
    `migrations`: "ok", "behind" (tables older than the code), "ahead" (newer: the release before may serve on) or
    "absent". `held` tells that the database is locked for longer than a request waits.
    """

    database: str
    migrations: str
    redis: str
    held: bool = False

    @property
    def ready(self) -> bool:
        """Return whether requests can be answered; without Redis pages still work and runs wait."""
        usable = self.database == OK or (self.database == LOCKED and not self.held)
        return usable and self.migrations in (OK, AHEAD)

    @property
    def status(self) -> str:
        """Return "ready", "degraded" (Redis or, for a moment, the database refuses) or "unavailable"."""
        if not self.ready:
            return "unavailable"
        return "ready" if self.database == OK and self.redis in (OK, ABSENT) else "degraded"


def check(ctx: Context) -> Health:
    """Ask database, schema version and Redis; never raises for a part that is away."""
    redis_word = _redis(ctx.config["REDIS_URL"])
    try:
        ctx.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        ctx.session.rollback()
        return Health(trouble_of(error) or AWAY, AWAY, redis_word)
    migrations = schema(ctx)
    # The reading transaction ends first: what is asked now stands on a connection of its own.
    ctx.session.rollback()
    engine = ctx.session.get_bind()
    if not isinstance(engine, Engine) or migrations == ABSENT:
        return Health(OK, migrations, redis_word)
    probe = _probe_of(engine)
    word = probe.ask()
    return Health(word, migrations, redis_word, held=word == LOCKED and probe.held())


@cache
def newest_migration() -> str | None:
    """Return the head of the migrations that this code came with."""
    # Ten megabytes that a server whose readiness nobody asks for can do without.
    from alembic.config import Config as AlembicConfig
    from alembic.script import ScriptDirectory

    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config).get_current_head()


def schema(ctx: Context) -> str:
    """Return whether the tables are "ok", "behind" or "ahead" of this code, or "absent"; may end the transaction."""
    try:
        found = set(ctx.session.scalars(text("SELECT version_num FROM alembic_version")))
    except SQLAlchemyError:
        ctx.session.rollback()
        return ABSENT
    head = newest_migration()
    if found == {head}:
        return OK
    # Revisions are numbered: what is higher than ours was made by a later release.
    return AHEAD if head is not None and found and min(found) > head else BEHIND


class WriteProbe:
    """Tries whether the database of one engine takes a row; the row is never kept. `ticks` counts seconds."""

    def __init__(self, engine: Engine, ticks: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._ticks = engine, ticks
        self._lock = threading.Lock()
        self._believed_until = 0.0
        self._locked_since: float | None = None

    def ask(self) -> str:
        """Return "ok", "full", "locked", "read_only" or "away"; a success is believed for some seconds."""
        with self._lock:
            if self._ticks() < self._believed_until:
                return OK
            word = self._write()
            if word == OK:
                self._believed_until = self._ticks() + BELIEVED_SECONDS
            if word != LOCKED:
                self._locked_since = None
            elif self._locked_since is None:
                self._locked_since = self._ticks()
            return word

    def held(self) -> bool:
        """Return whether the lock was met for longer than a request waits for it."""
        return self._locked_since is not None and self._ticks() - self._locked_since >= LOCKED_SECONDS

    def _write(self) -> str:
        try:
            if not self._has_room():
                return FULL
            with self._engine.connect() as connection:
                # Its own short patience must not go back into the pool with the connection.
                connection.detach()
                _be_impatient(connection)
                connection.execute(insert(PreflightSnapshot).values(_row()))
                connection.rollback()
        except SQLAlchemyError as error:
            return trouble_of(error) or READ_ONLY
        return OK

    def _has_room(self) -> bool:
        """Return whether the disk of a SQLite file takes something more: a row that is not kept never gets there."""
        name = self._engine.url.database or ""
        if self._engine.dialect.name != "sqlite" or not Path(name).is_file():
            return True
        try:
            with tempfile.TemporaryFile(dir=Path(name).parent) as file:
                file.write(os.urandom(ROOM_BYTES))
        except OSError as error:
            # Whether a folder that takes no files keeps the database from being written, the row will tell.
            return error.errno not in FULL_DISK
        return True


_probes: WeakKeyDictionary[Engine, WriteProbe] = WeakKeyDictionary()


def _probe_of(engine: Engine) -> WriteProbe:
    return _probes.setdefault(engine, WriteProbe(engine))


def _be_impatient(connection: Connection) -> None:
    milliseconds = int(PATIENCE_SECONDS * 1000)
    if connection.dialect.name == "sqlite":
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={milliseconds}")
        cursor.close()
        connection.execution_options(sqlite_begin="IMMEDIATE")
    else:
        connection.execute(text(f"SET LOCAL lock_timeout = '{milliseconds}ms'"))
        connection.execute(text(f"SET LOCAL statement_timeout = '{milliseconds}ms'"))


def _row() -> dict[str, Any]:
    at = datetime(2000, 1, 1, tzinfo=UTC)
    return {
        "instance_id": str(uuid4()),
        "name": "ready",
        "kind": "command",
        "started_at": at,
        "computed_at": at,
        "overall_status": OK,
        "error_count": 0,
        "warning_count": 0,
        "payload": {},
    }


def _redis(url: str) -> str:
    if not url:
        return ABSENT
    try:
        client = redis.Redis.from_url(url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS)
        with client:
            client.set(REDIS_KEY, "1", ex=60)
    except redis.OutOfMemoryError:
        return FULL
    except redis.ResponseError:
        # A replica, a server that cannot save, or a user who may only read.
        return READ_ONLY
    except (redis.RedisError, ValueError, OSError):
        return AWAY
    return OK
