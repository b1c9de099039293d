"""What a process works with outside of requests: settings, clock and sessions of its own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from console.core.clock import Clock, SystemClock
from console.core.config import Config, database_url
from console.core.context import SYSTEM, Context, unit_of_work
from console.core.database import make_engine
from console.core.umask import keep_private


@dataclass(frozen=True)
class ProcessRuntime:
    """Settings, clock and database of one process."""

    config: Config
    clock: Clock
    engine: Engine
    sessions: sessionmaker[Session]

    @classmethod
    def of(cls, config: Config) -> ProcessRuntime:
        """Return the place that these settings describe; the first connection is made when it is needed."""
        engine = make_engine(database_url(config), pool_size=config["DATABASE_POOL_SIZE"])
        return cls(config, SystemClock(), engine, sessionmaker(engine))

    @contextmanager
    def reading(self) -> Iterator[Context]:
        """Return a context that starts reading, acts for the system and is committed at the end."""
        with unit_of_work(self.sessions, actor=SYSTEM, clock=self.clock, config=self.config, write=False) as ctx:
            yield ctx

    @contextmanager
    def writing(self, patience: float | None = None) -> Iterator[Context]:
        """Return a context that may write, acts for the system and is committed; `patience` as in start_writing."""
        with unit_of_work(self.sessions, actor=SYSTEM, clock=self.clock, config=self.config, patience=patience) as ctx:
            yield ctx

    @contextmanager
    def by_hand(self) -> Iterator[Context]:
        """Return a context for what commits itself: carrying out runs."""
        with self.sessions() as session:
            yield Context(session, self.clock, SYSTEM, self.config)

    def forked(self) -> None:
        """Forget the connections of the parent process without closing them under its feet."""
        self.engine.dispose(close=False)


@lru_cache(maxsize=1)
def here() -> ProcessRuntime:
    """Return the place of this process, made from the environment at the first call."""
    keep_private()
    return ProcessRuntime.of(Config.load())


def worker_name(pid: int | None = None) -> str:
    """Return the name under which a process of this machine claims runs."""
    return f"{socket.gethostname()}:{pid or os.getpid()}"
