"""The web server: granian, with the settings of the table. `python -m workers.web` runs it alone."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from workers.launch import children
from workers.launch.gateway import Gateway, Limits

# A running request may finish within this time before its process is ended.
GRACE_SECONDS = 15
TARGET = "wsgi:app"
# Connections that a process holds open at most, and files beside them.
MAX_CONNECTIONS = 8192
OTHER_FILES = 1024
# Request line and headers; a longer head is answered with 431 by the server.
MAX_HEAD_BYTES = 64 * 1024
# malloc.h of the GNU C library.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
# Blocks above this are given back to the system the moment they are free.
LARGE_BLOCK_BYTES = 256 * 1024


def serve(settings: Mapping[str, Any]) -> None:
    """Serve on HOST and PORT with WEB_WORKERS processes of WEB_THREADS threads until somebody ends it.

    The processes are forks of this one: what is imported here is loaded once, also for those that come back after a
    crash. Nothing that a fork cannot share, such as a database connection, may be open.
    """
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    raise_file_limit()
    share_figures(settings)
    _protect_forks()
    server = Server(
        TARGET,
        address=settings["HOST"],
        port=settings["PORT"],
        interface=Interfaces.RSGI,
        # Proxies speak HTTP/1.1 to us; the other one has more to hold open and nothing to gain behind them.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=settings["REQUEST_HEADER_SECONDS"] * 1000, max_buffer_size=MAX_HEAD_BYTES
        ),
        backlog=MAX_CONNECTIONS,
        # Each process takes as many: those held open by a stranger must not be all there are.
        backpressure=MAX_CONNECTIONS,
        workers=settings["WEB_WORKERS"],
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


def share_figures(settings: Mapping[str, Any]) -> None:
    """Let several web processes add up what `/metrics` tells, in a folder that begins empty."""
    if settings["WEB_WORKERS"] == 1:
        return
    folder = Path(settings["DATA_DIR"]) / "metrics" / str(settings["PORT"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _protect_forks() -> None:
    """Let every process of the server end with it, and end at once when it is told to while it still starts.

    Until its own handlers are in place a fork has those of the server, which only make a note for the server's loop.
    """
    server = os.getpid()

    def begin() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        children.die_with(server)

    os.register_at_fork(after_in_child=begin)


def load(target: str) -> Gateway:
    """Return the application in a process of the server."""
    # What is being loaded lives for ever: looking through it again and again finds nothing.
    gc.disable()
    module, _, name = target.partition(":")
    app = getattr(import_module(module), name)
    config = app.extensions["console_config"]
    limits = Limits(config["WEB_THREADS"], config["MAX_BODY_BYTES"], config["REQUEST_BODY_SECONDS"])
    after_fork()
    return Gateway(app, limits)


def raise_file_limit() -> None:
    """Let a process hold as many connections open as it may take, as far as the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


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
        with suppress(AttributeError):  # musl has no such calls
            library = ctypes.CDLL(None)
            library.mallopt(M_ARENA_MAX, 1)
            # Left alone, the bound grows with the largest block that was ever freed, and such blocks tear holes.
            library.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
            gc.callbacks.append(partial(_give_back, library.malloc_trim))


def _give_back(trim: Callable[[int], int], phase: str, info: Mapping[str, int]) -> None:
    """Give free pages back to the system after the collector has looked through everything."""
    if phase == "stop" and info["generation"] == 2:
        trim(0)
