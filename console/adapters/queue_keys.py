"""What stands in Redis and cannot be read is taken out of RQ's way: the queue may forget, but it must not stop anybody.

RQ takes its own keys as they are. One that was half written, emptied in between or changed by hand would otherwise end
every process that looks at it, and the next one too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

import structlog
from redis import Redis, RedisError, ResponseError
from rq import Worker
from rq.exceptions import StopRequested
from rq.job import Job as Delivery
from rq.serializers import JSONSerializer

from console.domain.errors import StoreUnavailable

log = structlog.get_logger("jobs")
Answer = TypeVar("Answer")

PATTERN = "rq:*"
ASIDE = "console:unreadable:"
# A key that was put aside can be looked at for this many seconds.
KEEP_ASIDE = 24 * 3600
# The kinds of RQ's keys, by how they begin; what begins longer comes first.
KINDS = (
    ("rq:job:", b"hash"),
    ("rq:worker:", b"hash"),
    ("rq:execution:", b"hash"),
    ("rq:executions:", b"zset"),
    ("rq:results:", b"stream"),
    ("rq:workers", b"set"),
    ("rq:queues", b"set"),
    ("rq:wip:", b"zset"),
    ("rq:finished:", b"zset"),
    ("rq:failed:", b"zset"),
    ("rq:deferred:", b"zset"),
    ("rq:scheduled:", b"zset"),
    ("rq:canceled:", b"zset"),
    ("rq:queue:console:intermediate:", b"string"),
    ("rq:queue:", b"list"),
)


def tended(connection: Redis, action: Callable[[], Answer]) -> Answer:
    """Return what `action` gives. When it meets a key that cannot be read, that is put aside and `action` repeated.

    Raises RedisError when Redis is away or refuses, StoreUnavailable when the queue stays unreadable.
    """
    try:
        return action()
    except Exception as error:
        if not is_unreadable(error):
            raise
        put_aside(connection, error)
    try:
        return action()
    except Exception as error:
        if not is_unreadable(error):
            raise
        raise StoreUnavailable("The queue cannot be read") from error


def is_unreadable(error: Exception) -> bool:
    """Return whether an error tells of what stands in Redis, rather than of Redis that is away or refuses."""
    if isinstance(error, (StoreUnavailable, StopRequested)):
        return False
    if isinstance(error, RedisError):
        return isinstance(error, ResponseError) and "WRONGTYPE" in str(error)
    return True


def put_aside(connection: Redis, error: Exception | None = None) -> list[str]:
    """Rename RQ's unreadable keys and return their names; a run that is lost with them is handed over again.

    When `error` tells that something cannot be read and every key looks well, all of them go.
    """
    keys = list(connection.scan_iter(PATTERN, count=1000))
    broken = [key for key in keys if not _readable(connection, key)]
    if not broken and error is not None:
        broken = keys
    for key in broken:
        name = key.decode("utf-8", "backslashreplace")
        aside = ASIDE + name
        try:
            connection.rename(key, aside)
            connection.expire(aside, KEEP_ASIDE)
        except ResponseError as problem:
            # It has ended by itself in between.
            if "no such key" not in str(problem):
                raise
        else:
            log.error("queue_key_put_aside", key=name, aside=aside, error=type(error).__name__ if error else None)
    return [key.decode("utf-8", "backslashreplace") for key in broken]


def _readable(connection: Redis, key: bytes) -> bool:
    try:
        name, kind = key.decode(), cast("bytes", connection.type(key))
        if kind == b"none":
            return True
        wanted = next((kind for start, kind in KINDS if name.startswith(start)), None)
        if wanted is not None and kind != wanted:
            return False
        _read(connection, name, kind)
    except Exception as error:
        if not is_unreadable(error):
            raise
        return False
    return True


def _read(connection: Redis, name: str, kind: bytes) -> None:
    """Read a key as RQ does; raises whatever RQ would raise."""
    if name.startswith("rq:job:"):
        delivery = Delivery.fetch(name.removeprefix("rq:job:"), connection=connection, serializer=JSONSerializer)
        if not delivery.args:
            raise ValueError("a delivery without run")
    elif name.startswith("rq:worker:"):
        Worker.find_by_key(name, connection=connection, serializer=JSONSerializer)
    for member in _members(connection, name, kind):
        text = member.decode()
        if name.startswith("rq:workers"):
            Worker.find_by_key(text, connection=connection, serializer=JSONSerializer)
        elif name.startswith("rq:wip:") and text.count(":") != 1:
            raise ValueError("an entry without execution")


def _members(connection: Redis, name: str, kind: bytes) -> Iterable[bytes]:
    members: Any = ()
    if kind == b"zset":
        members = connection.zrange(name, 0, -1)
    elif kind == b"list":
        members = connection.lrange(name, 0, -1)
    elif kind == b"set":
        members = connection.smembers(name)
    return members
