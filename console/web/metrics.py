"""Figures for Prometheus: how long requests took by route, and what the installation looks like at this moment.

With several web processes each keeps its durations in a file of its own (PROMETHEUS_MULTIPROC_DIR, set by the
launcher of the web server), and whoever is asked adds them up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask import Flask

from console.domain.reliability.policy import METHODS
from console.services.runbook.measures import Measure
from console.web import durations

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Histogram
    from prometheus_client.core import Metric

# Seconds; a page is meant to answer within a quarter of one.
BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
NAME, HELP = "console_http_request_duration_seconds", "Duration of requests by method, route and class of status"
LABELS = ("method", "route", "status")
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
EXTENSION = "metrics"
# An address that no route has would be a name of its own for every guess.
UNKNOWN = "unknown"


class Meter:
    """WSGI middleware: notes the wall time of every answer of this process."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._lock = Lock()

    @cached_property
    def _made(self) -> tuple[CollectorRegistry, Histogram]:
        # The library decides when it is loaded whether processes share files, so not before the fork.
        from prometheus_client import CollectorRegistry, Histogram

        registry = CollectorRegistry()
        return registry, Histogram(NAME, HELP, LABELS, buckets=BUCKETS, registry=registry)

    @property
    def registry(self) -> CollectorRegistry:
        """Return the durations of this process."""
        with self._lock:
            return self._made[0]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        return durations.timed(self._inner, environ, start_response, self._note)

    def _note(self, environ: dict[str, Any], seconds: float, status: int) -> None:
        method = environ.get("REQUEST_METHOD", "")
        known = method if method in METHODS else "other"
        route = environ.get(durations.ROUTE, UNKNOWN)
        with self._lock:
            histogram = self._made[1]
        histogram.labels(known, route, f"{status // 100}xx").observe(seconds)


class _Now:
    """The measures of one moment, as Prometheus reads them."""

    def __init__(self, measures: Iterable[Measure]) -> None:
        self._measures = measures

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        for measure in self._measures:
            family = GaugeMetricFamily(measure.name, measure.help, labels=measure.labels)
            for values, number in measure.samples:
                family.add_metric(list(values), number)
            yield family


def init_app(app: Flask) -> None:
    """Measure every request of the application, unless that is switched off."""
    if not app.extensions["console_config"]["METRICS_ENABLED"]:
        return
    meter = Meter(app.wsgi_app)
    app.extensions[EXTENSION] = meter
    app.wsgi_app = meter


def exposition(app: Flask, measures: Iterable[Measure]) -> bytes:
    """Return everything in the text form of Prometheus."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    now = CollectorRegistry()
    now.register(_Now(measures))
    requests = app.extensions[EXTENSION].registry
    if os.environ.get(FOLDER):
        requests = CollectorRegistry()
        MultiProcessCollector(requests)
    return generate_latest(now) + generate_latest(requests)
