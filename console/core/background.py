"""One quiet thread per process for what must go on beside the requests; started late, so that forks are safe."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.util import Finalize

import structlog
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger(__name__)
Task = Callable[[], object]


@dataclass
class _Entry:
    seconds: float
    task: Task
    due: float = 0.0


class Background:
    """Runs small tasks again and again in a daemon thread, and the closing ones once when the process ends.

    A failing task is logged and tried again at its next turn; it never stops the others.
    """

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._closing: list[Task] = []
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._pid: int | None = None

    def every(self, seconds: float, task: Task) -> None:
        """Run `task` at once after the start and then every so many seconds."""
        self._entries.append(_Entry(seconds, task))

    def at_end(self, task: Task) -> None:
        """Run `task` when the process ends."""
        self._closing.append(task)

    def ensure_started(self) -> None:
        """Start the thread unless it runs in this very process; a fork starts its own."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            self._wake = threading.Event()
            threading.Thread(target=self._run, args=(self._wake,), name="background", daemon=True).start()
            # Unlike atexit, this also runs in processes of the web server, which are forks by multiprocessing.
            Finalize(None, self.close, exitpriority=0)

    def close(self) -> None:
        """Stop the thread and run the closing tasks."""
        if self._pid != os.getpid():
            return
        self._pid = None
        self._wake.set()
        for task in self._closing:
            _attempt(task, closing=True)

    def _run(self, wake: threading.Event) -> None:
        while not wake.is_set():
            now = time.monotonic()
            for entry in self._entries:
                if entry.due <= now:
                    entry.due = now + entry.seconds
                    _attempt(entry.task)
            pause = min((entry.due for entry in self._entries), default=now + 60) - time.monotonic()
            wake.wait(max(pause, 0.05))


def _attempt(task: Task, *, closing: bool = False) -> None:
    try:
        task()
    except (SQLAlchemyError, OSError) as error:
        # The database is away. At the end that is usual (it may have ended first), before it is tried again.
        tell = log.info if closing else log.warning
        tell("database_away_in_background", task=_name(task), error=type(error).__name__)
    except Exception:
        log.exception("background_task_failed", task=_name(task))


def _name(task: Task) -> str:
    return getattr(task, "__qualname__", repr(task))
