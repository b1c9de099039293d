"""What goes on while a run works: progress and log lines for people, heartbeat for the reaper, a stop if asked for.

The work's transaction is open the whole time, so all of this is written by a thread with a connection of its own.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self, cast

import structlog
from sqlalchemy import Connection, Engine, Table, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool

from console.core.clock import Clock
from console.core.context import DRY_RUN, Context
from console.core.serialize import iso
from console.domain.jobs.runs import LOG_LIMIT, MESSAGE_LIMIT, RUNNING, Cancelled, LeaseLost, beat_interval
from console.domain.text import Text
from console.models.jobs import JobRun

log_ = structlog.get_logger("jobs")

RUNS = cast("Table", JobRun.__table__)
_HANDLE = "run_handle"
# How often progress is written and a stop is noticed.
LOOK_EVERY = timedelta(milliseconds=500)


def sentence_of(message: Text | str) -> dict[str, Any]:
    """Return a message in the form that is stored and shown in the reader's language."""
    if isinstance(message, Text):
        return message.as_dict()
    return {"msgid": message[:MESSAGE_LIMIT], "params": {}}


@dataclass
class Handle:
    """One run under way, as its own work and the heartbeat thread see it."""

    run_id: int
    job_name: str
    token: str
    started_at: datetime
    lease: timedelta
    dry_run: bool
    clock: Clock
    done: int = 0
    total: int | None = None
    message: dict[str, Any] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)
    changes: int = 0
    cancelled: threading.Event = field(default_factory=threading.Event)
    lost: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def report(self, done: int, total: int | None, message: Text | str | None) -> None:
        """Keep how far the work is; raises Cancelled or LeaseLost when it must not go on."""
        with self.lock:
            self.done, self.total = max(0, done), total
            if message is not None:
                self.message = sentence_of(message)
            self.changes += 1
        self.check()

    def add_line(self, message: Text | str) -> None:
        """Keep a line for the run's page; of very many the first ones and the newest survive."""
        with self.lock:
            if len(self.lines) >= LOG_LIMIT:
                del self.lines[LOG_LIMIT // 2]
            self.lines.append({"at": iso(self.clock.now()), **sentence_of(message)})
            self.changes += 1

    def check(self) -> None:
        """Raise what stops the work: a lost lease, or somebody's wish."""
        if self.lost.is_set():
            raise LeaseLost(f"run {self.run_id} belongs to somebody else")
        if self.cancelled.is_set():
            raise Cancelled(f"run {self.run_id} was asked to stop")

    def columns(self) -> dict[str, Any]:
        """Return the columns of the run's row that show how far it is."""
        with self.lock:
            return {
                "progress_done": self.done,
                "progress_total": self.total,
                "progress_json": dict(self.message),
                "log_json": list(self.lines),
            }


def attach(ctx: Context, handle: Handle | None) -> None:
    """Make `handle` the run that the services called with `ctx` report to."""
    if handle is None:
        ctx.session.info.pop(_HANDLE, None)
        ctx.session.info.pop(DRY_RUN, None)
    else:
        ctx.session.info[_HANDLE] = handle
        ctx.session.info[DRY_RUN] = handle.dry_run


def current(ctx: Context) -> Handle | None:
    """Return the run that this use case is part of, or None when nobody counts it as a job."""
    return ctx.session.info.get(_HANDLE)


def progress(ctx: Context, done: int, total: int | None = None, message: Text | str | None = None) -> None:
    """Report how far a job is, for its page; a point at which it can be stopped. Nothing happens outside a run.

    Raises Cancelled when somebody asked for a stop and LeaseLost when the run was taken away; let both through.
    """
    if (handle := current(ctx)) is not None:
        handle.report(done, total, message)


def log(ctx: Context, message: Text | str) -> None:
    """Add a line to the run's log, for people. Nothing happens outside a run."""
    if (handle := current(ctx)) is not None:
        handle.add_line(message)


class Pulse:
    """The heartbeat of one run, beating in a thread while the block runs.

    On SQLite nobody can write while the work holds the write lock; the beat is then skipped, which is safe because a
    reaper cannot write either. An in-memory database has one connection for all and gets no pulse.
    """

    def __init__(self, engine: Engine, handle: Handle) -> None:
        self._engine = engine
        self._handle = handle
        self._every = LOOK_EVERY
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._written = 0
        self._beat_due = 0.0

    def __enter__(self) -> Self:
        if not isinstance(self._engine.pool, StaticPool):
            self._thread = threading.Thread(target=self._run, name=f"pulse-{self._handle.run_id}", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        connection: Connection | None = None
        # Waits come first: most runs are over before the thread has anything to say.
        while not self._stop.wait(self._every.total_seconds()):
            try:
                connection = connection or self._connect()
                self._look(connection)
            except OperationalError as error:
                # Locked by the work itself (SQLite), or the database is away: another look comes soon.
                log_.debug("heartbeat_skipped", run_id=self._handle.run_id, error=type(error).__name__)
                connection = self._drop(connection)
        self._drop(connection)

    def _connect(self) -> Connection:
        connection = self._engine.connect()
        # Its own short patience must not go back into the pool with the connection.
        connection.detach()
        if self._engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA busy_timeout=100")
        else:
            connection.execute(text("SET lock_timeout = '1s'"))
            connection.execute(text("SET statement_timeout = '5s'"))
        connection.commit()
        return connection

    @staticmethod
    def _drop(connection: Connection | None) -> None:
        if connection is not None:
            connection.close()

    def _look(self, connection: Connection) -> None:
        handle, tick = self._handle, time.monotonic()
        mine = (RUNS.c.id == handle.run_id, RUNS.c.state == RUNNING, RUNS.c.claim_token == handle.token)
        row = connection.execute(select(RUNS.c.cancel_requested).where(*mine)).one_or_none()
        connection.rollback()
        if row is None:
            if not self._stop.is_set():
                handle.lost.set()
            return
        if row.cancel_requested:
            handle.cancelled.set()
        changes = handle.changes
        if tick < self._beat_due and changes == self._written:
            return
        connection.execute(update(RUNS).where(*mine).values(heartbeat_at=handle.clock.now(), **handle.columns()))
        connection.commit()
        # Counted by a clock that nobody sets: a wall clock set back must not stop the heart.
        self._written, self._beat_due = changes, tick + beat_interval(handle.lease).total_seconds()
