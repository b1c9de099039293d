"""Sliding windows of requests, in Redis when there is one, else in the memory of this process.

No Flask here: the request hooks are in `console/web/ratelimit.py`, sign-in throttles in `console/web/throttle.py`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Protocol, TypeVar

import redis
import structlog
from limits.storage import RedisStorage

from console.domain.runbook.checks import RateLimitFacts

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")

# After Redis failed, requests count in memory for this long before it is tried again: a dead server must not cost
# every request its connection timeout.
RETRY_AFTER_SECONDS = 5.0
MEMORY_MAX_KEYS = 20_000
UNUSABLE = (redis.RedisError, OSError, ValueError, TypeError)
# What Redis answers when a key holds another kind of value, or values that its script cannot count.
UNREADABLE = ("WRONGTYPE", "script")


@dataclass(frozen=True)
class Budget:
    """What is left for a caller after one request; `reset` is in seconds, at least 1."""

    allowed: bool
    limit: int
    remaining: int
    reset: int
    backend: str


class Window(Protocol):
    """The two questions that a store of sliding windows answers; `expiry` is the window in seconds."""

    def acquire_entry(self, key: str, limit: int, expiry: int) -> bool:
        """Count one request; False, without counting, when the window is full."""

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return the instant of the oldest counted request (epoch seconds) and how many there are."""

    def clear(self, key: str) -> None:
        """Forget a window."""


class MemoryWindow:
    """Sliding windows in this process; idle ones are evicted, so strangers cannot fill the memory."""

    def __init__(self, max_keys: int = MEMORY_MAX_KEYS, seconds: Callable[[], float] = time.time) -> None:
        self._hits: dict[str, tuple[int, deque[float]]] = {}
        self._lock = threading.Lock()
        self._max_keys = max_keys
        self._seconds = seconds

    def acquire_entry(self, key: str, limit: int, expiry: int) -> bool:
        """Count one request; False, without counting, when the window is full."""
        now = self._seconds()
        with self._lock:
            hits = self._current(key, expiry, now)
            if len(hits) >= limit:
                return False
            hits.append(now)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return the instant of the oldest counted request (epoch seconds) and how many there are, at most `limit`."""
        now = self._seconds()
        with self._lock:
            hits = self._current(key, expiry, now)
            return (hits[0], min(len(hits), limit)) if hits else (now, 0)

    def clear(self, key: str) -> None:
        """Forget a window."""
        with self._lock:
            self._hits.pop(key, None)

    def __len__(self) -> int:
        return len(self._hits)

    def _current(self, key: str, expiry: int, now: float) -> deque[float]:
        # Re-inserted on use, so the dictionary is ordered by last use and the first key is the idlest.
        _, hits = self._hits.pop(key, (expiry, deque()))
        self._hits[key] = (expiry, hits)
        while hits and hits[0] <= now - expiry:
            hits.popleft()
        while len(self._hits) > self._max_keys:
            self._hits.pop(next(iter(self._hits)))
        return hits


class Limiter:
    """Counts under a key, in Redis or in memory; never fails because of Redis, but tells when it is away."""

    def __init__(self, store: str, redis_url: str, prefix: str) -> None:
        self.store = store
        self.redis_url = redis_url
        self._prefix = prefix
        self._memory = MemoryWindow()
        self._redis: RedisStorage | None = None
        self._pool: redis.ConnectionPool | None = None
        self._error: str | None = None
        self._try_again_at = 0.0
        if store != "memory" and redis_url:
            self._connect()

    def hit(self, key: str, limit: int, seconds: int, *, tell: bool = True) -> Budget:
        """Count one request under `key`, unless `limit` of them lie within the last `seconds` already.

        Whoever does not `tell` the caller what is left spares a question: of a request that is allowed it is known
        then that it is allowed, and no more.
        """
        full = f"{key}:{seconds}"

        def count(window: Window) -> tuple[bool, float, int]:
            allowed = window.acquire_entry(full, limit, seconds)
            if allowed and not tell:
                return allowed, time.time(), 1
            return (allowed, *window.get_moving_window(full, limit, seconds))

        (allowed, oldest, used), backend = self._ask(full, count)
        return self._budget(allowed, limit, oldest, used, seconds, backend)

    def peek(self, key: str, limit: int, seconds: int) -> Budget:
        """Return the budget of `key` without counting; `allowed` says whether one more would pass."""
        full = f"{key}:{seconds}"
        (oldest, used), backend = self._ask(full, lambda window: window.get_moving_window(full, limit, seconds))
        return self._budget(used < limit, limit, oldest, used, seconds, backend)

    def forget(self, key: str, seconds: int) -> None:
        """Restore the whole budget of `key`."""
        full = f"{key}:{seconds}"
        self._ask(full, lambda window: window.clear(full))

    def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool is not None:
            self._pool.disconnect()

    def status(self, *, production: bool) -> RateLimitFacts:
        """Ping Redis and describe the backend; the words follow the API contract, operations section 15.1."""
        ping = self._ping()
        if ping:
            status, message = "ok", "Rate limits are counted in Redis"
        elif self.store == "redis":
            status, message = "critical", "Redis is required for rate limits but does not answer; counting per process"
        elif self.store == "auto":
            status, message = "warning", "Rate limits are counted per process because Redis does not answer"
        else:
            status = "warning" if production else "ok"
            message = "Rate limits are counted in the memory of each process"
        return RateLimitFacts(
            status=status,
            message=message,
            configured_store=self.store,
            active_backend="redis" if ping else "memory",
            redis_url_configured=bool(self.redis_url),
            redis_client_ready=self._redis is not None,
            redis_ping_ok=ping,
            redis_error=self._error,
        )

    def _connect(self) -> None:
        try:
            # One second at most: a limit must never cost more than it protects.
            self._pool = redis.ConnectionPool.from_url(self.redis_url, socket_timeout=1, socket_connect_timeout=1)
            url = self.redis_url.replace("unix://", "redis+unix://", 1)
            self._redis = RedisStorage(url, connection_pool=self._pool, key_prefix=self._prefix)
        except (ValueError, redis.RedisError) as error:
            self._error = type(error).__name__
            log.warning("rate_limit_redis_unusable", error=self._error)

    def _ping(self) -> bool:
        if self._redis is None:
            return False
        try:
            self._redis.get_connection().ping()
        except (redis.RedisError, OSError) as error:
            self._fail(error)
            return False
        self._error = None
        return True

    def _ask(self, key: str, question: Callable[[Window], Answer]) -> tuple[Answer, str]:
        if self._redis is not None and time.monotonic() >= self._try_again_at:
            try:
                found = self._read(self._redis, key, question)
            except UNUSABLE as error:
                self._fail(error)
            else:
                self._error = None
                return found, "redis"
        return question(self._memory), "memory"

    @staticmethod
    def _read(store: RedisStorage, key: str, question: Callable[[Window], Answer]) -> Answer:
        try:
            return question(store)
        except (redis.ResponseError, ValueError, TypeError) as error:
            if isinstance(error, redis.ResponseError) and not any(word in str(error) for word in UNREADABLE):
                raise
            # Somebody else's value under our key would otherwise keep everybody from counting in Redis.
            log.warning("rate_limit_window_unreadable", error=type(error).__name__)
            store.clear(key)
            return question(store)

    def _fail(self, error: Exception) -> None:
        self._error = type(error).__name__
        self._try_again_at = time.monotonic() + RETRY_AFTER_SECONDS
        log.warning("rate_limit_degraded", error=self._error)

    @staticmethod
    def _budget(allowed: bool, limit: int, oldest: float, used: int, seconds: int, backend: str) -> Budget:
        reset = max(1, ceil(oldest + seconds - time.time()))
        return Budget(allowed, limit, max(0, limit - used), min(reset, seconds), backend)
