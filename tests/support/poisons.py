"""Keys of the queue's library that something broke: each is written over what belongs to a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis import Redis

Write = Callable[[Any, str], Any]
Poison = Callable[[Redis, int], Any]

HALF = {"status": "started", "started_at": "x", "last_heartbeat": "2026-03-02T09:00:00Z", "worker_name": "x"}


def replace(key: str, write: Write) -> Poison:
    """Return what writes another value in place of a key."""

    def poison(redis: Any, run_id: int) -> None:
        name = key.format(run_id)
        redis.delete(name)
        write(redis, name)

    return poison


POISONS: dict[str, Poison] = {
    "half a delivery": replace("rq:job:run-{}", lambda redis, key: redis.hset(key, mapping=HALF)),
    "a delivery of another kind": replace("rq:job:run-{}", lambda redis, key: redis.set(key, "x")),
    "a state that nobody knows": lambda redis, run_id: redis.hset(f"rq:job:run-{run_id}", "status", "sleeping"),
    "no time": lambda redis, run_id: redis.hset(f"rq:job:run-{run_id}", "created_at", "yesterday"),
    "half a letter": lambda redis, run_id: redis.hset(f"rq:job:run-{run_id}", "origin", b"\xff"),
    "a patience that is no number": lambda redis, run_id: redis.hset(f"rq:job:run-{run_id}", "timeout", "long"),
    "data that is no JSON": lambda redis, run_id: redis.hset(f"rq:job:run-{run_id}", "data", b"\x80\x04K\x01."),
    "a queue of another kind": replace("rq:queue:console", lambda redis, key: redis.set(key, "x")),
    "a queue of rubbish": replace("rq:queue:console", lambda redis, key: redis.rpush(key, b"\xff\xfe", b"nobody")),
    "queues of another kind": replace("rq:queues", lambda redis, key: redis.set(key, "x")),
    "workers of another kind": replace("rq:workers:console", lambda redis, key: redis.set(key, "x")),
    "all workers of another kind": replace("rq:workers", lambda redis, key: redis.rpush(key, "x")),
    "a worker with another name": replace("rq:workers:console", lambda redis, key: redis.sadd(key, "x")),
    "begun ones of another kind": replace("rq:wip:console", lambda redis, key: redis.set(key, "x")),
    "a begun one without half": replace("rq:wip:console", lambda redis, key: redis.zadd(key, {"run-1": 1})),
    "failed ones of another kind": replace("rq:failed:console", lambda redis, key: redis.set(key, "x")),
    "executions of another kind": replace("rq:executions:run-{}", lambda redis, key: redis.set(key, "x")),
    "results of another kind": replace("rq:results:run-{}", lambda redis, key: redis.set(key, "x")),
    "intermediate ones of another kind": replace("rq:queue:console:intermediate", lambda r, key: r.set(key, "x")),
    "intermediate rubbish": replace("rq:queue:console:intermediate", lambda r, key: r.rpush(key, b"\xff")),
}
