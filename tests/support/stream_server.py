"""A server behind the gateway whose answers do what a test asks for: `python -m tests.support.stream_server PORT`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from workers.launch.gateway import Gateway, Limits

THREADS = 2
PART = b"x" * 400_000
LARGE_PARTS = 60
MADE = {"large": 0, "stopped": 0}
GO = Event()


def _waits() -> Iterator[bytes]:
    yield from [PART] * 5
    GO.wait()
    yield b"the end"


def _breaks() -> Iterator[bytes]:
    yield from [PART] * 5
    raise RuntimeError("the database is gone")


def _large() -> Iterator[bytes]:
    yield from [PART] * LARGE_PARTS
    MADE["large"] += 1


def _endless() -> Iterator[bytes]:
    try:
        while True:
            yield PART
    finally:
        MADE["stopped"] += 1


def _go() -> Iterator[bytes]:
    GO.set()
    yield b""


def _state() -> Iterator[bytes]:
    files = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            # The first three are those that the test gave it.
            files += [str(one.readlink())] if int(one.name) > 2 else []
    kept = sum("(deleted)" in name for name in files)
    yield json.dumps({**MADE, "kept": kept, "pipes": sum(name.startswith("pipe:") for name in files)}).encode()


ANSWERS = {"/waits": _waits, "/breaks": _breaks, "/large": _large, "/endless": _endless, "/go": _go, "/state": _state}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    """Answer as the path says."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ANSWERS[environ["PATH_INFO"]]()


def load(_target: str) -> Gateway:
    """Return the gateway around the answers."""
    return Gateway(app, Limits(THREADS, body_bytes=1000, body_seconds=60))


def main() -> None:
    """Serve on a port of this machine."""
    from granian.constants import HTTPModes, Interfaces
    from granian.server import Server

    server = Server(
        "answers", address="127.0.0.1", port=int(sys.argv[1]), interface=Interfaces.RSGI, http=HTTPModes.http1,
        workers=1, workers_kill_timeout=5, websockets=False,
    )  # fmt: skip
    server.serve(target_loader=load)


if __name__ == "__main__":
    main()
