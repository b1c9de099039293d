"""How long `make run` takes until somebody can sign in: with an empty data folder, and the second time."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time

from benchmarks.server import HOST, PASSWORD, ROOT, free_port


def measure() -> list[tuple[str, str, str]]:
    """Start the launcher twice in a folder of its own; returns `(what, measured, goal)`."""
    with tempfile.TemporaryDirectory(prefix="kaos-bench-run-") as folder:
        cold, warm = _seconds(folder), _seconds(folder)
    return [
        ("`make run`, everything installed: first start, with the demo company", f"{cold:.1f} s", "–"),
        ("`make run`: second start", f"{warm:.1f} s", "< 5 s"),
    ]


def _seconds(folder: str) -> float:
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    own = {"DATA_DIR": folder, "PORT": str(port), "HOST": HOST, "ADMIN_PASSWORD": PASSWORD}
    command = [sys.executable, "-m", "workers.launch.supervisor"]
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env={**inherited, **own}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not _ready(port):
            if process.poll() is not None or time.perf_counter() - start > 120:
                raise SystemExit("`make run` did not start")
            time.sleep(0.02)
        return time.perf_counter() - start
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=90)


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
