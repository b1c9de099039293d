"""The worker process: an RQ worker that has the console loaded and comes back when Redis does."""

from __future__ import annotations

import logging
import os
import socket
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

import structlog
from redis import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job as Delivery
from rq.serializers import JSONSerializer
from sqlalchemy.exc import DBAPIError

from console.adapters.queue import NAME, connect, queue_of
from console.adapters.queue_keys import put_aside, tended
from console.core import logs
from console.core.process import ProcessRuntime, here, worker_name
from console.domain.errors import StoreUnavailable
from console.services.jobs import registry
from console.services.jobs import upkeep as run_upkeep
from console.web.preflight import Reporter

log = structlog.get_logger("jobs")

# RQ's own settings leave a lost delivery "started" for many minutes; these find it within two.
WORKER_TTL = 45
MAINTENANCE = 30
MONITORING = 5
# Pauses before the queue is tried again, in seconds; after a minute of work they begin anew.
BACK_OFF = (1.0, 1.0, 2.0, 5.0, 10.0)
HEALTHY = 60.0


class QueueLog(logging.Handler):
    """What RQ itself has to say, as lines of our log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on; its text never holds options, which stay in the database."""
        log.log(record.levelno, "queue", text=record.getMessage())


def adopt_queue_log() -> None:
    """Take the place of RQ's own handlers, which would write coloured lines between ours."""
    for name in ("rq.worker", "rq.job"):
        logging.getLogger(name).addHandler(QueueLog())
        logging.getLogger(name).propagate = False


class ConsoleWorker(Worker):
    """Forks for every run with the console already imported."""

    stopped = False
    reporter: Reporter | None = None

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Delivery, Queue] | None:
        """Wait for a delivery; what cannot be read is put aside and brought again by the scheduler."""
        return tended(
            self.connection, lambda: super(ConsoleWorker, self).dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        )

    def run_maintenance_tasks(self) -> None:
        """Tidy the queue, and tell now and then what this process finds around it."""
        tended(self.connection, super().run_maintenance_tasks)
        self.report()

    def maintain_heartbeats(self, job: Delivery, execution: Execution) -> None:
        """Tell during a long run, too, that this process lives."""
        super().maintain_heartbeats(job, execution)
        self.report()

    def report(self) -> None:
        """Store what this process finds around it, when that is due."""
        if self.reporter is not None:
            try:
                self.reporter.report_if_due()
            except (DBAPIError, OSError) as error:
                log.warning("preflight_not_stored", error=type(error).__name__)

    def main_work_horse(self, job: Delivery, queue: Queue) -> None:
        """Start the forked child without the parent's database connections."""
        here().forked()
        super().main_work_horse(job, queue)

    def handle_work_horse_killed(self, job: Delivery, retpid: int | None, ret_val: int | None, rusage: Any) -> None:
        """Close the run of a child that died, instead of leaving it to the reaper until its lease ends."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)
        number = job.id.removeprefix("run-")
        if retpid is None or not number.isdigit():
            return
        try:
            with here().writing() as ctx:
                run_upkeep.close_dead(ctx, int(number), worker_name(retpid))
        except DBAPIError as error:
            log.warning("run_left_to_reaper", run_id=int(number), error=type(error).__name__)

    def handle_warm_shutdown_request(self) -> None:
        """Remember that the end was asked for, so that nobody starts the worker again."""
        type(self).stopped = True
        super().handle_warm_shutdown_request()


def make_worker(place: ProcessRuntime) -> ConsoleWorker:
    """Return a worker that is ready to work; raises RedisError when the queue cannot be reached."""
    connection = connect(place.config, patience=WORKER_TTL)
    return ConsoleWorker(
        [queue_of(connection, timeout=place.config["JOB_TIMEOUT_SECONDS"])],
        name=f"{NAME}-{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:6]}",
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL,
        maintenance_interval=MAINTENANCE,
        job_monitoring_interval=MONITORING,
        log_job_description=False,
    )


def main(*, burst: bool = False) -> int:
    """Work until somebody asks for the end; returns the exit code."""
    place = here()
    logs.configure(place.config["LOG_LEVEL"])
    jobs = [job.name for job in registry.all_jobs()]
    log.info("worker_starts", jobs=jobs)
    adopt_queue_log()
    reporter = Reporter(place, "worker")
    ConsoleWorker.reporter = reporter
    failures = 0
    with suppress(StopRequested):
        while not ConsoleWorker.stopped:
            began = time.monotonic()
            try:
                make_worker(place).work(burst=burst, logging_level="WARNING")
                if burst:
                    break
            except (RedisError, StoreUnavailable) as error:
                log.warning("queue_away", error=type(error).__name__)
            if not ConsoleWorker.stopped:
                # RQ gives up over whatever it cannot read, and must not meet it again.
                with suppress(RedisError, StoreUnavailable):
                    put_aside(connect(place.config))
                failures = 0 if time.monotonic() - began > HEALTHY else failures + 1
                time.sleep(BACK_OFF[min(failures, len(BACK_OFF) - 1)])
    with suppress(DBAPIError):
        reporter.forget()
    return 0
