"""The queue: RQ carries the ids of runs from whoever asks to a worker, and is allowed to forget them.

What waits stands in the database. A delivery that is lost is repeated by the scheduler, a delivery that comes twice
finds the run claimed.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from redis import Redis, RedisError
from rq import Queue, Worker
from rq.job import Job as Delivery
from rq.job import JobStatus
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from console.adapters.queue_keys import tended
from console.core.config import Config
from console.domain.errors import StoreUnavailable

log = structlog.get_logger("jobs")

NAME = "console"
TASK = "workers.tasks.run"
# Results are kept for a moment only: the database knows what happened.
KEEP_RESULT = 60
KEEP_FAILURE = 24 * 3600
# A delivery that a worker took but did not turn into a claim for this long is made again.
PATIENCE = 60.0


def socket_path(data_dir: Path) -> Path:
    """Return the socket that belongs to a data folder: the same for every process, short, in a private folder."""
    name = f"kaos-{os.getuid()}-{hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]}"
    return Path(tempfile.gettempdir()) / name / "redis.sock"


def url(data_dir: Path) -> str:
    """Return the address of the embedded Redis of a data folder."""
    return f"unix://{socket_path(data_dir)}?db=0"


def address(config: Config) -> str:
    """Return the address of the queue: REDIS_URL, or the embedded Redis when it runs; empty when there is none."""
    if config["REDIS_URL"]:
        return str(config["REDIS_URL"])
    folder = config.path("DATA_DIR")
    return url(folder) if socket_path(folder).exists() else ""


_clients: dict[tuple[str, float], Redis] = {}


def connect(config: Config, *, patience: float = 2.0) -> Redis:
    """Return a client that fails within `patience` seconds; raises StoreUnavailable when no Redis is configured."""
    where = address(config)
    if not where:
        raise StoreUnavailable("There is no queue: REDIS_URL is empty and no embedded Redis runs")
    if (where, patience) not in _clients:
        _clients[where, patience] = Redis.from_url(
            where, socket_connect_timeout=patience, socket_timeout=patience, health_check_interval=30
        )
    return _clients[where, patience]


def disconnect() -> None:
    """Close every connection of this process."""
    while _clients:
        _clients.popitem()[1].close()


def queue_of(connection: Redis, *, timeout: int = 3600) -> Queue:
    """Return the queue on this connection; a run may take `timeout` seconds in a worker."""
    return Queue(NAME, connection=connection, serializer=JSONSerializer, default_timeout=timeout)


def delivery_id(run_id: int) -> str:
    """Return the id under which RQ knows a run."""
    return f"run-{run_id}"


class Courier:
    """Brings waiting runs to the queue and remembers what it brought."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._brought: dict[int, float] = {}

    def bring(self, run_id: int) -> None:
        """Put one run into the queue; raises RedisError or StoreUnavailable when that cannot be reached."""
        queue = queue_of(connect(self._config), timeout=self._config["JOB_TIMEOUT_SECONDS"])
        tended(
            queue.connection,
            lambda: queue.enqueue_call(
                TASK,
                args=(run_id,),
                job_id=delivery_id(run_id),
                result_ttl=KEEP_RESULT,
                failure_ttl=KEEP_FAILURE,
                description=f"run {run_id}",
            ),
        )
        self._brought[run_id] = time.monotonic()

    def bring_missing(self, run_ids: Iterable[int]) -> list[int]:
        """Bring those of the waiting runs that the queue does not hold (any more), and return their ids.

        Raises RedisError or StoreUnavailable when the queue cannot be reached.
        """
        wanted = list(run_ids)
        self._brought = {run_id: when for run_id, when in self._brought.items() if run_id in wanted}
        brought = [run_id for run_id in wanted if not self._on_its_way(run_id)]
        for run_id in brought:
            self.bring(run_id)
        return brought

    def _on_its_way(self, run_id: int) -> bool:
        queue = queue_of(connect(self._config))
        return tended(queue.connection, lambda: self._is_held(queue, run_id))

    def _is_held(self, queue: Queue, run_id: int) -> bool:
        found = Delivery.fetch_many([delivery_id(run_id)], queue.connection, serializer=JSONSerializer)[0]
        if found is None:
            return False
        status = found.get_status(refresh=False)
        if status == JobStatus.QUEUED:
            return queue.get_job_position(found.id) is not None or self._fresh(run_id)
        # Taken by a worker that has not claimed the run: it may be about to, or it died in between.
        return status == JobStatus.STARTED and self._fresh(run_id)

    def _fresh(self, run_id: int) -> bool:
        when = self._brought.setdefault(run_id, time.monotonic())
        return time.monotonic() - when < PATIENCE


def hand_over(config: Config, run_id: int) -> None:
    """Bring a run to the queue right after its commit; when that fails the scheduler brings it later."""
    try:
        Courier(config).bring(run_id)
    except (RedisError, StoreUnavailable) as error:
        log.warning("run_waits_for_queue", run_id=run_id, error=type(error).__name__)


@dataclass(frozen=True)
class WorkerState:
    """One worker process as RQ knows it; `run_id` is what it works on."""

    name: str
    hostname: str
    pid: int
    state: str
    run_id: int | None
    born_at: datetime | None
    seen_at: datetime | None
    done: int
    failed: int


@dataclass(frozen=True)
class QueueState:
    """How the queue stands; `available` is False when Redis is away, and then nothing else is known."""

    available: bool
    waiting: int = 0
    working: int = 0
    workers: tuple[WorkerState, ...] = ()


def state(config: Config) -> QueueState:
    """Return how the queue and its workers stand right now; never raises because Redis is away."""
    try:
        connection = connect(config, patience=1.0)
        return tended(connection, lambda: _state(connection))
    except (RedisError, StoreUnavailable):
        return QueueState(False)


def _state(connection: Redis) -> QueueState:
    queue = queue_of(connection)
    workers = tuple(_worker(worker) for worker in Worker.all(connection, queue=queue, serializer=JSONSerializer))
    working = queue.started_job_registry.get_job_count(cleanup=False)
    return QueueState(True, queue.count, working, tuple(sorted(workers, key=lambda found: found.name)))


def _worker(worker: BaseWorker) -> WorkerState:
    current = worker.get_current_job_id() or ""
    number = current.removeprefix("run-")
    return WorkerState(
        name=worker.name,
        hostname=worker.hostname or "",
        pid=worker.pid or 0,
        state=str(worker.get_state()),
        run_id=int(number) if number.isdigit() else None,
        born_at=worker.birth_date,
        seen_at=worker.last_heartbeat,
        done=worker.successful_job_count,
        failed=worker.failed_job_count,
    )
