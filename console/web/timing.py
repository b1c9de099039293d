"""Measures requests around everything else and keeps the watched ones, without slowing a single one down.

Samples wait in memory and are stored in batches by the background thread; no lock is held while that happens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from console.core.background import Background
from console.core.config import Config
from console.core.process import ProcessRuntime
from console.domain.reliability.policy import METHODS, Target, template_shape
from console.services.reliability import latency
from console.services.reliability.latency import MemorySamples, Sample
from console.web import afterwards, durations, preflight, watch
from console.web.extensions import runtime
from console.web.request import read_anew

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 2.0
# Samples wait in memory just as well: what else the background thread does must not wait behind them.
PATIENCE_SECONDS = 0.25
BATCH = 500
# About ten seconds of a very busy process; when the database is away for longer, the oldest samples go.
BUFFER = 20_000
HEADER = "X-Request-Duration-Ms"


class Recorder:
    """The samples of one process: a short memory per endpoint, and a buffer on its way to the database."""

    def __init__(self, place: ProcessRuntime) -> None:
        self._place, config = place, place.config
        targets = latency.targets_of(config)
        self._literal = {target.key: target for target in targets}
        self._templates = {target.shape: target for target in targets if target.shape != target.key}
        self._persist: bool = config["API_LATENCY_PERSIST_ENABLED"]
        self._buffer: deque[Sample] = deque(maxlen=BUFFER)
        window = config["API_LATENCY_MONITOR_WINDOW"]
        self._rings: dict[str, deque[float]] = {target.key: deque(maxlen=window) for target in targets}
        self._seen: dict[str, Any] = {}

    def target_of(self, method: str, path: str, route: str | None) -> Target | None:
        """Return the watched endpoint that a request belongs to: its exact path first, then its route template."""
        if found := self._literal.get(f"{method} {path}"):
            return found
        return self._templates.get(f"{method} {template_shape(route)}") if route and self._templates else None

    def note(self, target: Target, duration_ms: float, status: int) -> None:
        """Keep one sample in memory; never waits for anything."""
        now = self._place.clock.now()
        self._rings[target.key].append(duration_ms)
        self._seen[target.key] = now
        if self._persist:
            self._buffer.append(
                Sample(target.key, target.method, target.path[:240], duration_ms, status, status >= 500, now)
            )

    def memory(self) -> dict[str, MemorySamples]:
        """Return what this process remembers, newest first."""
        return {
            key: MemorySamples(tuple(reversed(self._rings[key].copy())), at) for key, at in tuple(self._seen.items())
        }

    def flush(self) -> int:
        """Store what waits and return how many samples that were; on failure they wait on."""
        stored = 0
        while batch := self._take():
            try:
                with self._place.writing(PATIENCE_SECONDS) as ctx:
                    latency.store(ctx, batch)
            except (SQLAlchemyError, OSError) as error:
                room = BUFFER - len(self._buffer)
                self._buffer.extendleft(reversed(batch[-room:] if room else []))
                log.warning("latency_flush_failed", error=type(error).__name__, waiting=len(self._buffer))
                break
            stored += len(batch)
        return stored

    def _take(self) -> list[Sample]:
        batch: list[Sample] = []
        while len(batch) < BATCH:
            try:
                batch.append(self._buffer.popleft())
            except IndexError:
                break
        return batch


class Monitor:
    """WSGI middleware: wall time of the whole answer, the header that tells it, and the sample."""

    def __init__(self, inner: Any, recorder: Recorder, started: Callable[[], None]) -> None:
        self._inner, self._recorder, self._started = inner, recorder, started

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("REQUEST_METHOD", "") not in METHODS:
            return self._inner(environ, start_response)
        self._started()
        return durations.timed(self._inner, environ, start_response, self._note, header=HEADER)

    def _note(self, environ: dict[str, Any], seconds: float, status: int) -> None:
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        target = self._recorder.target_of(environ["REQUEST_METHOD"], path, environ.get(durations.ROUTE))
        if target is not None:
            self._recorder.note(target, round(seconds * 1000, 3), status)


def recorder_of(app: Flask) -> Recorder | None:
    """Return the recorder of an application, or None while the monitor is switched off."""
    return app.extensions.get("latency_recorder")


def remembered(app: Flask) -> Mapping[str, MemorySamples]:
    """Store what waits in this process, so that the answer is of now, and return what it remembers."""
    recorder = recorder_of(app)
    if recorder is None:
        return {}
    recorder.flush()
    read_anew()
    return recorder.memory()


def init_app(app: Flask) -> None:
    """Put the monitor around the application and start its background work with the first request."""
    config: Config = app.extensions["console_config"]
    preflight.init_app(app)
    background = Background()
    afterwards.init_app(app, background)
    app.extensions["preflight_reporter"].join(background)
    watch.join(app, background)
    # Tests flush and report when they mean to.
    started = background.ensure_started if config["ENV"] != "test" else _nothing
    if not config["API_LATENCY_MONITOR_ENABLED"]:
        app.before_request(started)
        return
    app.extensions["latency_recorder"] = recorder = Recorder(runtime(app))
    background.every(FLUSH_SECONDS, recorder.flush)
    background.at_end(recorder.flush)
    app.wsgi_app = Monitor(app.wsgi_app, recorder, started)


def _nothing() -> None:
    return None
