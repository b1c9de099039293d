"""Response times of the demo company: a month of requests, five days of which were slow, and the alert about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

from console.demo.automation import Stage, Step
from console.demo.releases import MENDED_DAYS_AGO, SLOW_DAYS_AGO, slow_between
from console.domain.jobs import names as job_names
from console.services.alerts import delivery
from console.services.reliability import latency
from console.services.reliability.latency import Sample

# Watched routes: the time of an ordinary request in ms, and how many of them there are in an hour.
QUIET = {"GET /health": (3.0, 4), "GET /meta": (6.0, 4), "GET /api/inspections": (120.0, 4)}
BUSY = {"GET /api/work-orders": (170.0, 8), "GET /api/ops/dashboard/summary": (210.0, 8)}
# Since the company has its new list, the busy ones are asked twice as often.
BUSIER_DAYS_AGO = 11
BUSIER = 2
# The last day is drawn by quarters of an hour, and each of them needs enough requests to say something.
LAST_DAY_PER_HOUR = 32
# As many requests as a window of five minutes needs, just before somebody looks.
ENOUGH = 9
# How much longer than usual one request after another takes; repeated.
SPREAD = (0.8, 1.1, 0.9, 1.3, 0.7, 1.0, 1.6, 0.9, 1.2, 0.8, 1.0, 1.4, 0.6)
ONE_OF_SLOW = 6
SLOW_MS = (1180.0, 960.0, 1420.0, 1060.0, 1760.0)
FIRST_DAYS_AGO = 30


class Traffic:
    """The chapter of the response times."""

    def __init__(self, stage: Stage, settings: Mapping[str, Any]) -> None:
        self._stage = stage
        self._settings = settings
        self._slow = slow_between(stage)
        self._count = 0

    def steps(self) -> Iterator[Step]:
        """Return what happens, in no order: requests are stored half a day at a time, before somebody looks."""
        day, now = self._stage.day, self._stage.now
        looks = [day(ago, hour, 13) for ago in range(FIRST_DAYS_AGO, -1, -1) for hour in (9, 21)]
        ends = sorted({*(at for at in looks if at < now), day(MENDED_DAYS_AGO, 13, 13), now - timedelta(seconds=20)})
        for start, end in pairwise(ends):
            yield Step(end, partial(self._store, start, end))
        begun = day(SLOW_DAYS_AGO, 21, 14)
        mornings = [day(ago, 9, 14) for ago in range(SLOW_DAYS_AGO - 1, MENDED_DAYS_AGO - 1, -1)]
        over = [day(MENDED_DAYS_AGO, 13, minute) for minute in (14, 30)]
        for at in (begun, *mornings, *over):
            yield Step(at, self._watch)

    def _watch(self) -> None:
        self._stage.run(job_names.BURN_ALERTS, settings=self._settings)
        with self._stage.acting_as(None, self._stage.config.replaced(**self._settings)) as ctx:
            delivery.deliver_due(ctx, limit=100)

    def _store(self, start: datetime, end: datetime) -> None:
        with self._stage.acting_as(None) as ctx:
            latency.store(ctx, list(self._requests(start, end)))

    def _requests(self, start: datetime, end: datetime) -> Iterator[Sample]:
        for key, (usual, per_hour) in {**QUIET, **BUSY}.items():
            busier = BUSIER if key in BUSY and start >= self._stage.day(BUSIER_DAYS_AGO, 0) else 1
            last = self._stage.now - end < timedelta(days=1)
            apart = timedelta(hours=1) / (LAST_DAY_PER_HOUR if last else per_hour * busier)
            number = int((end - start) / apart)
            times = [start + apart * (one + 1) for one in range(number)]
            times += [end - timedelta(seconds=25 * one) for one in range(ENOUGH)]
            for at in times:
                yield self._request(key, usual, at)

    def _request(self, key: str, usual: float, at: datetime) -> Sample:
        self._count += 1
        slow = key in BUSY and self._slow[0] <= at < self._slow[1]
        took = usual * SPREAD[self._count % len(SPREAD)] * (1.2 if slow else 1)
        if slow and self._count % ONE_OF_SLOW == 0:
            took = SLOW_MS[self._count // ONE_OF_SLOW % len(SLOW_MS)]
        method, path = key.split(" ")
        return Sample(key, method, path, round(took, 1), 200, False, at)
