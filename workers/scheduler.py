"""The scheduler process: makes the runs that are due, brings waiting runs to the queue, closes lost ones.

Any number of them may run. None of its duties keeps the others from being done: a database or a Redis that is away is
noted and tried again.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import structlog
from redis import RedisError
from sqlalchemy.exc import DBAPIError

from console.adapters.queue import Courier
from console.core import logs
from console.core.process import ProcessRuntime, here
from console.domain.errors import StoreUnavailable
from console.domain.jobs.schedule import ScheduleEntry
from console.services.alerts import checkpoint_copies
from console.services.audit import checkpoints
from console.services.jobs import registry
from console.services.jobs import schedule as run_schedule
from console.services.jobs import upkeep as run_upkeep
from console.services.runbook import process_facts
from console.web.preflight import Reporter
from workers.heartbeat import Heartbeat
from workers.schedule import ENTRIES

log = structlog.get_logger("jobs")

PAUSE = 1.0
BROKEN_PAUSE = 300.0
TROUBLE = (DBAPIError, RedisError, StoreUnavailable, OSError)


class Scheduler:
    """One scheduler; `step` is one round, `run` goes round until it is told to stop."""

    def __init__(
        self, place: ProcessRuntime, lines: Sequence[ScheduleEntry] = ENTRIES, find: run_schedule.Find = registry.find
    ) -> None:
        self._place = place
        self._lines = lines
        self._find = find
        self._reaper = run_upkeep.Reaper()
        self._courier = Courier(place.config)
        # What keeps a duty from being done at the moment, by duty.
        self._troubles: dict[str, str] = {}
        self._broken_until = 0.0
        self._heartbeat = Heartbeat(place.config)
        self._reporter = Reporter(place, "scheduler")
        self.stop = threading.Event()

    def step(self) -> None:
        """Do every duty once."""
        self._try("schedule", self._make)
        self._try("reaper", self._reap)
        self._try("delivery", self._deliver)
        self._try("preflight", self._reporter.report_if_due)
        self._try("checkpoint", self._sign)
        self._try("heartbeat", self._beat)

    def _make(self) -> None:
        with self._place.reading() as ctx:
            made = run_schedule.tick(ctx, self._lines, self._find)
        for run_id in made:
            log.info("run_due", run_id=run_id)

    def _reap(self) -> None:
        with self._place.reading() as ctx:
            self._reaper.reap(ctx)

    def _deliver(self) -> None:
        with self._place.reading() as ctx:
            waiting = run_upkeep.next_in_line(ctx)
        if waiting:
            self._courier.bring_missing(waiting)

    def _sign(self) -> None:
        if self._broken_until > time.monotonic():
            return
        with self._place.reading() as ctx:
            if not checkpoints.due(ctx):
                return
            found = checkpoint_copies.sign(ctx)
        if not found.chain_ok:
            # The hourly job reports it; looking again every second would tell nobody more.
            log.error("audit_chain_broken", issue_count=found.issue_count, first_issue=found.first_issue)
            self._broken_until = time.monotonic() + BROKEN_PAUSE

    def _beat(self) -> bool:
        if not self._heartbeat.due:
            return False
        with self._place.reading() as ctx:
            seen = process_facts.facts(ctx)
        self._heartbeat.beat(seen)
        return True

    def _try(self, duty: str, action: Callable[[], bool | None]) -> None:
        try:
            idle = action() is False
        except TROUBLE as error:
            if self._begins(duty, "store_away"):
                log.warning("store_away", duty=duty, error=type(error).__name__)
        except Exception:
            # Whatever it is: the other duties, and this one a second later, are still to be done.
            if self._begins(duty, "duty_failed"):
                log.exception("duty_failed", duty=duty)
        else:
            # Who had nothing to do does not know whether the trouble is over.
            trouble = None if idle else self._troubles.pop(duty, None)
            if trouble is not None:
                log.info("store_back" if trouble == "store_away" else "duty_done_again", duty=duty)

    def _begins(self, duty: str, trouble: str) -> bool:
        """Note a trouble; False when it is known: it would otherwise be said every second until it is over."""
        known = self._troubles.get(duty) == trouble
        self._troubles[duty] = trouble
        return not known

    def run(self) -> None:
        """Go round until `stop` is set."""
        while not self.stop.is_set():
            self.step()
            self.stop.wait(PAUSE)
        self._try("preflight", self._reporter.forget)


def main() -> int:
    """Run until SIGTERM or Ctrl-C; returns the exit code."""
    place = here()
    logs.configure(place.config["LOG_LEVEL"])
    scheduler = Scheduler(place)

    def end(_number: int, _frame: FrameType | None) -> Any:
        scheduler.stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    log.info("scheduler_starts", lines=[line.key for line in ENTRIES])
    scheduler.run()
    return 0
