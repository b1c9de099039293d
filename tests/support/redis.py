"""A real Redis for tests: one server for each test process, gone with it."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from workers.launch.redis_server import RedisServer


@cache
def redis_server() -> RedisServer:
    """Return this process's server, running; raise RedisStartError when it does not start."""
    folder = Path(tempfile.mkdtemp(prefix="kaos-redis-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = RedisServer(folder, persist=False)
    server.start(output=subprocess.DEVNULL)
    atexit.register(server.stop)
    return server


def redis_url(worker_id: str) -> str:
    """Return the address of this process's Redis; xdist workers are processes and have one each."""
    _ = worker_id
    return redis_server().url
