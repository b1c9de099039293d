"""SQLite admits one writer at a time: those of this process wait in the order in which they came.

SQLite itself lets everybody who waits ask again and again, and whoever happens to ask at the right moment is next:
some come last again and again. Here only the first of the queue asks, and competes with other processes alone.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import deque
from typing import Any

# How long a writer waits for the others before it gives up, in seconds.
PATIENCE_SECONDS = 10.0
# What SQLite says itself.
LOCKED = "database is locked"


class Turn:
    """The place of one writer in the queue."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.ready = threading.Event()


class WriteQueue:
    """The writers of one database in this process, first come, first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: Turn | None = None
        self._waiting: deque[Turn] = deque()

    def take(self, seconds: float) -> Turn | None:
        """Wait for at most so many seconds and return the turn, or None when it did not come.

        A thread that has the turn already would wait for itself: it is told None at once.
        """
        turn = Turn()
        with self._lock:
            if self._holder is None:
                self._holder = turn
                return turn
            if self._holder.thread == turn.thread:
                return None
            self._waiting.append(turn)
        came = False
        try:
            came = turn.ready.wait(seconds)
        finally:
            if not came:
                came = not self._leave(turn)
        return turn if came else None

    def give_back(self, turn: Turn) -> None:
        """End a turn; the next one in the queue begins."""
        with self._lock:
            if self._holder is turn:
                self._holder = self._waiting.popleft() if self._waiting else None
                if self._holder is not None:
                    self._holder.ready.set()

    def _leave(self, turn: Turn) -> bool:
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return True
        return False


_queues: dict[str, WriteQueue] = {}
# A fork has the file in common with its parent, but none of the threads that would give a turn back.
os.register_at_fork(after_in_child=_queues.clear)


class QueueingConnection(sqlite3.Connection):
    """A connection to SQLite that stands in the queue before it writes and gives its turn back afterwards."""

    def __init__(self, database: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(database, *args, **kwargs)
        self._path = os.path.realpath(database)
        self._queue: WriteQueue | None = None
        self._turn: Turn | None = None

    def begin_writing(self, seconds: float) -> None:
        """Begin a transaction that may write; raises OperationalError when it cannot within so many seconds."""
        deadline = time.monotonic() + seconds
        queue = _queues.setdefault(self._path, WriteQueue())
        turn = queue.take(seconds)
        if turn is None:
            raise sqlite3.OperationalError(LOCKED)
        self._queue, self._turn = queue, turn
        try:
            # Other processes do not stand in this queue: what is left of the time is for them.
            self._begin(deadline - time.monotonic())
        finally:
            self._end_turn()

    def commit(self) -> None:
        """Commit; the turn ends with the transaction."""
        try:
            super().commit()
        finally:
            self._end_turn()

    def rollback(self) -> None:
        """Roll back; the turn ends with the transaction."""
        try:
            super().rollback()
        finally:
            self._end_turn()

    def close(self) -> None:
        """Close; whatever was open ends."""
        try:
            super().close()
        finally:
            self._give_back()

    def _begin(self, seconds: float) -> None:
        if seconds > PATIENCE_SECONDS - 1:
            # Next to nothing was spent in the queue: the connection waits this long by itself.
            self.execute("BEGIN IMMEDIATE")
            return
        self._wait_for_others(max(seconds, 0.0))
        try:
            self.execute("BEGIN IMMEDIATE")
        finally:
            self._wait_for_others(PATIENCE_SECONDS)

    def _wait_for_others(self, seconds: float) -> None:
        self.execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")

    def _end_turn(self) -> None:
        if self._turn is not None and not self.in_transaction:
            self._give_back()

    def _give_back(self) -> None:
        if self._queue is not None and self._turn is not None:
            self._queue.give_back(self._turn)
        self._queue = self._turn = None
