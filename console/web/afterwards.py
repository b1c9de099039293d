"""What a request leaves to be written after its answer, so that a reader never waits for somebody who writes.

It waits in memory and is written in batches by the background thread: the last use of credentials, tokens to switch
off because they came too late, refusals on record. None of it decides anything: whether a credential is good is judged
anew from its row at every request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import structlog
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from console.core.background import Background
from console.core.context import Actor, Context, unit_of_work
from console.core.process import ProcessRuntime
from console.core.store_trouble import trouble_of
from console.domain.errors import StoreUnavailable
from console.services.identity import callers
from console.services.identity.callers import Use
from console.web.extensions import runtime

log = structlog.get_logger(__name__)

EXTENSION = "afterwards"
FLUSH_SECONDS = 1.0
# How long the notes wait for other writers, and how long they leave them alone after that was in vain.
PATIENCE_SECONDS = 0.25
PAUSE_SECONDS = 5.0
# A flood of refusals is sampled anyway; the rest leaves its line in the log.
MOST_ACTIONS = 500
# An audit row that cannot be written fails its transaction as StoreUnavailable.
STORE_ERRORS = (SQLAlchemyError, StoreUnavailable)


@dataclass(frozen=True)
class Action:
    """Something to write in a transaction of its own: `write` opens it as a writer with the patience it is given."""

    actor: Actor
    request_id: str
    write: Callable[[Context, float], object]


class Afterwards:
    """The notes of one process that wait to be written; requests only add, one thread writes."""

    def __init__(self, place: ProcessRuntime) -> None:
        self._place = place
        self._uses: dict[Hashable, Use] = {}
        self._actions: dict[Hashable, Action] = {}
        self._again_at = 0.0

    def used(self, use: Use) -> None:
        """Note the last use of a credential; never waits for anything."""
        self._uses[use.kind, use.credential_id] = use

    def later(self, key: Hashable, action: Action) -> None:
        """Note an action, unless one with the same key waits already; never waits for anything."""
        if len(self._actions) < MOST_ACTIONS:
            self._actions.setdefault(key, action)
        else:
            log.warning("note_dropped", key=str(key)[:200], request_id=action.request_id)

    @property
    def waiting(self) -> int:
        """Return how many notes are not written yet."""
        return len(self._uses) + len(self._actions)

    def flush(self) -> int:
        """Write what waits and return how many notes that were; after a failure they wait for some seconds more."""
        if time.monotonic() < self._again_at:
            return 0
        before = self.waiting
        try:
            self._write_uses()
            for key, action in tuple(self._actions.items()):
                self._write(key, action)
                self._actions.pop(key, None)
        except STORE_ERRORS as error:
            self._again_at = time.monotonic() + PAUSE_SECONDS
            log.info("notes_wait", error=type(error).__name__, waiting=self.waiting)
        return max(before - self.waiting, 0)

    def _write_uses(self) -> None:
        uses = dict(self._uses)
        if not uses:
            return
        with self._place.writing(PATIENCE_SECONDS) as ctx:
            connection = ctx.session.connection()
            if connection.dialect.name == "postgresql":
                # Whoever ends a session or token at this moment goes first, and must never be the one to fail.
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(PATIENCE_SECONDS * 1000)}")
            callers.store_uses(ctx, list(uses.values()))
        for key, use in uses.items():
            # The credential may have been used again meanwhile.
            if self._uses.get(key) is use:
                self._uses.pop(key, None)

    def _write(self, key: Hashable, action: Action) -> None:
        try:
            with unit_of_work(
                self._place.sessions,
                actor=action.actor,
                clock=self._place.clock,
                config=self._place.config,
                write=False,
                request_id=action.request_id,
            ) as ctx:
                action.write(ctx, PATIENCE_SECONDS)
        except Exception as error:
            if isinstance(error, StoreUnavailable) or trouble_of(error) is not None:
                raise
            # It would fail alike every time, and what was noted after it would never be written.
            log.exception("note_failed", key=str(key)[:200], request_id=action.request_id)


def afterwards() -> Afterwards:
    """Return the notes of the running application."""
    found: Afterwards = current_app.extensions[EXTENSION]
    return found


def init_app(app: Flask, background: Background) -> None:
    """Let the background thread write the notes of this application."""
    app.extensions[EXTENSION] = made = Afterwards(runtime(app))
    background.every(FLUSH_SECONDS, made.flush)
    background.at_end(made.flush)
