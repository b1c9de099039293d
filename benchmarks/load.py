"""A small HTTP load: the same requests one after another, then from several connections at once.

Runs as a process of its own (`python -m benchmarks.load`), so that it does not share an interpreter with the server.
Bounded in time and count; speaks to loopback addresses only.
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

WARM_UP_SECONDS = 1.0
LOOPBACK = frozenset({"127.0.0.1", "localhost"})


def once(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> tuple[float, int, int]:
    """Send one request; give its seconds, status and body size in bytes. `POST /path` is a path too."""
    method, _, address = path.rpartition(" ")
    start = time.perf_counter()
    connection.request(method or "GET", address, headers=headers)
    response = connection.getresponse()
    body = response.read()
    return time.perf_counter() - start, response.status, len(body)


def sequential(
    host: str,
    port: int,
    path: str,
    headers: dict[str, str],
    count: int,
    before_each: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Send `count` requests one after another; give P50 and P95 in milliseconds."""
    connection = http.client.HTTPConnection(host, port, timeout=60)
    for _ in range(3):
        once(connection, path, headers)
    results = []
    for _ in range(count):
        before_each()
        results.append(once(connection, path, headers))
    connection.close()
    times = sorted(seconds * 1000 for seconds, _status, _size in results)
    wrong = [status for _seconds, status, _size in results if status != 200]
    return {
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(times[max(0, int(len(times) * 0.95) - 1)], 1),
        "bytes": results[-1][2],
        "errors": len(wrong),
        "first_error": wrong[0] if wrong else None,
    }


def parallel(host: str, port: int, path: str, headers: dict[str, str], connections: int, seconds: float) -> float:
    """Send requests from several connections; give how many are answered in a second, after the first one.

    Each thread of the server has its own connection to the database: it takes that second until all know their way.
    """
    counts = [0] * connections
    begin = time.perf_counter() + WARM_UP_SECONDS
    end = begin + seconds

    def work(number: int) -> None:
        connection = http.client.HTTPConnection(host, port, timeout=60)
        while time.perf_counter() < end:
            _seconds, status, _size = once(connection, path, headers)
            counts[number] += status == 200 and begin <= time.perf_counter() < end
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(sum(counts) / seconds, 1)


def main() -> None:
    """Read the task as JSON from standard input and print the result as JSON."""
    task = json.load(sys.stdin)
    host, port, path, headers = task["host"], task["port"], task["path"], task["headers"]
    if host not in LOOPBACK:
        raise SystemExit("only loopback addresses are measured")
    result = sequential(host, port, path, headers, task["count"])
    if task["written"]:
        # Most runs write nothing and need not wait for what it imports.
        from benchmarks.writer import writer

        with writer(task["written"]) as write:
            found = sequential(host, port, path, headers, task["count"] // 2, write)
        result["p95_written_ms"] = found["p95_ms"]
    if task["seconds"]:
        result["per_second"] = parallel(host, port, path, headers, task["connections"], task["seconds"])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
