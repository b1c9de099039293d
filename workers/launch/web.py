"""The web server: granian, with the settings of the table. `python -m workers.launch.web` runs it alone."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from workers.launch import children

# A running request may finish within this time before its process is ended.
GRACE_SECONDS = 15
TARGET = "wsgi:app"
# malloc.h of the GNU C library.
M_ARENA_MAX = -8


def serve(settings: Mapping[str, Any]) -> None:
    """Serve on HOST and PORT with WEB_WORKERS processes of WEB_THREADS threads until somebody ends it.

    The processes are forks of this one: what is imported here is loaded once, also for those that come back after a
    crash. Nothing that a fork cannot share, such as a database connection, may be open.
    """
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    server = Server(
        TARGET,
        address=settings["HOST"],
        port=settings["PORT"],
        interface=Interfaces.WSGI,
        workers=settings["WEB_WORKERS"],
        blocking_threads=settings["WEB_THREADS"],
        # Without it, one dead process ends the whole server.
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_SECONDS,
        websockets=False,
        log_level=LogLevels.warning,
    )
    # Objects that live for ever are not looked at by the forks' collectors, so their pages stay shared.
    gc.collect()
    gc.freeze()
    server.serve(target_loader=load)


def load(target: str) -> Callable[..., Any]:
    """Return the application in a process of the server, which from now on dies with the server."""
    children.die_with(os.getppid())
    # What is being loaded lives for ever: looking through it again and again finds nothing.
    gc.disable()
    module, _, name = target.partition(":")
    app: Callable[..., Any] = getattr(import_module(module), name)
    after_fork()
    return app


def after_fork() -> None:
    """Tune the memory of a process that from now on only answers requests.

    What was loaded lives for ever, so the collector need not look at it again; a request makes some ten thousand
    objects that die with it, so it need not look after every seven hundred. Threads share one heap of the C library:
    the interpreter lets one of them run at a time, and what a heap of one's own has freed nobody else can use.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 5, 5)
    gc.enable()
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl has no such call
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def main() -> int:
    """Serve with the settings of the environment; returns the exit code."""
    from console.core.config import Config, ConfigError

    try:
        config = Config.load()
    except ConfigError as error:
        print(f"{error}.", file=sys.stderr)
        return 2
    serve(config)
    return 0


if __name__ == "__main__":
    sys.exit(main())
