"""The launcher behind `make run`: everything that one machine needs, started in order and stopped in order.

Lock -> data folder -> port -> Redis -> migrations, first owner, demo company -> web -> worker and scheduler. A process
that ends is started again, each time a little later. Ctrl-C stops web and scheduler first, then the worker, which may
finish its job, then Redis; a second Ctrl-C ends all of them at once.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from console.core.umask import keep_private
from workers.launch import children, startup
from workers.launch.processes import Group
from workers.launch.redis_server import RedisServer, RedisStartError
from workers.launch.startup import StartError

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 90.0
# A worker may finish the job it is on; what is left then is closed and repeated by the reaper.
STOP_SECONDS = {"web": 20.0, "scheduler": 20.0, "worker": 60.0, "redis": 10.0}
STOP_ORDER = (("web", "scheduler"), ("worker",), ("redis",))


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM while the console is still starting."""


class Preparation:
    """The conversation with the web server's first process, which prepares the database (workers/launch/prepare.py)."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._their_reader, writer = os.pipe()
        reader, self._their_writer = os.pipe()
        self._writer = os.fdopen(writer, "w", encoding="utf-8")
        self._reader = os.fdopen(reader, encoding="utf-8")

    def launch(self, environ: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start the process."""
        theirs = (self._their_reader, self._their_writer)
        arguments = [sys.executable, "-m", "workers.launch.prepare", *map(str, theirs)]
        process = children.spawn(arguments, environ=environ, cwd=ROOT, keep=theirs)
        for pipe in theirs:
            os.close(pipe)
        return process

    def settings(self) -> dict[str, Any]:
        """Return the settings that the launcher needs; raises StartError for a wrong variable."""
        found: dict[str, Any] = self._read("settings")
        return found

    def finish(self, redis_url: str) -> dict[str, Any]:
        """Let it migrate and seed; returns who can sign in. Raises StartError with its sentence."""
        with suppress(BrokenPipeError):  # A process that has ended is told by what is not read.
            self._writer.write(json.dumps({"redis_url": redis_url}) + "\n")
            self._writer.flush()
        result: dict[str, Any] = self._read("result")
        return result

    def _read(self, part: str) -> Any:
        while not select.select([self._reader], [], [], 0.02)[0]:
            self._group.pass_on(0.02)
        message = json.loads(self._reader.readline() or "{}")
        if part not in message:
            self._group.pass_on(0.1)
            problem = message.get("problem", "The start failed; the lines above tell why.")
            raise StartError(problem, message.get("code", 1))
        return message[part]

    def close(self) -> None:
        """Hang up; a process that still waits for its word ends then."""
        with suppress(BrokenPipeError):
            self._writer.close()
        self._reader.close()


class Launcher:
    """One run of everything; `run()` gives the exit code."""

    def __init__(self) -> None:
        self.starting = True
        self.stops = 0
        self.group = Group()

    def run(self) -> int:
        """Start, watch until somebody says stop, and stop again."""
        for number in children.ENDS:
            signal.signal(number, self._on_signal)
        with ExitStack() as stack:
            try:
                self._start(stack)
            except (StartError, RedisStartError) as error:
                print(error, file=sys.stderr)
                self._give_up()
                return getattr(error, "code", 1)
            except Interrupted:
                self._give_up()
                return 130
            self._watch()
            print("\nStopping ...", flush=True)
            self._stop()
        return 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        _ = number, frame
        self.stops += 1
        self.group.hurry = self.stops > 1
        if self.starting:
            self.starting = False
            raise Interrupted

    def _end_if_asked(self) -> None:
        """Raise Interrupted when a signal came whose exception was lost, as in a callback that swallows it."""
        if self.stops:
            raise Interrupted

    def _start(self, stack: ExitStack) -> None:
        began = time.monotonic()
        environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
        talk = Preparation(self.group)
        stack.callback(talk.close)
        self._add("web", lambda: talk.launch(environ))
        self.group.start("web")
        settings = talk.settings()
        folder = Path(settings["DATA_DIR"])
        address = startup.address(settings["HOST"], settings["PORT"])
        startup.check_folder(folder)
        lock = startup.Lock(folder)
        # A signal waits until the mark and its giving back belong together: between them the file would stay.
        with children.signals_held():
            lock.acquire(address)
            stack.callback(lock.release)
        startup.check_port(settings["HOST"], settings["PORT"])
        if not settings["REDIS_URL"]:
            server = RedisServer(folder)
            stack.callback(server.stop)
            self._add("redis", server.start)
            self.group.start("redis")
            environ["REDIS_URL"] = server.url
        signed_in = talk.finish(environ.get("REDIS_URL", settings["REDIS_URL"]))
        self._end_if_asked()
        # From now on the web server comes back by itself, without preparing anything.
        self._add("web", _starter(["workers.web"], environ))
        self._add("worker", _starter(["workers", "worker"], environ))
        self._add("scheduler", _starter(["workers", "scheduler"], environ))
        self._wait_until_ready(settings)
        self._end_if_asked()
        self.starting = False
        self.group.start("worker")
        self.group.start("scheduler")
        _greet(address, folder, signed_in, time.monotonic() - began)

    def _add(self, name: str, launch: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.group.add(name, launch, STOP_SECONDS[name])

    def _wait_until_ready(self, settings: dict[str, Any]) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not startup.answers(settings["HOST"], settings["PORT"]):
            self.group.tend(0.05)
            self._end_if_asked()
            if self.group.failures("web"):
                raise StartError("The web server does not start; the lines above tell why.")
            if time.monotonic() > deadline:
                raise StartError(f"The web server gave no answer within {READY_WITHIN:.0f} seconds.")

    def _watch(self) -> None:
        while not self.stops:
            self.group.tend(0.5)

    def _give_up(self) -> None:
        """End a start that failed: the web server has nothing to finish yet."""
        self.starting = False
        hurry, self.group.hurry = self.group.hurry, True
        self.group.stop(("web",))
        self.group.hurry = hurry
        self._stop()

    def _stop(self) -> None:
        for names in STOP_ORDER:
            self.group.stop(names)


def _starter(arguments: list[str], environ: dict[str, str]) -> Callable[[], subprocess.Popen[bytes]]:
    return lambda: children.spawn([sys.executable, "-m", *arguments], environ=environ, cwd=ROOT)


def _greet(address: str, folder: Path, signed_in: dict[str, Any], seconds: float) -> None:
    lines = [f"KA Facility OS is ready after {seconds:.1f} s:  {address}", f"  user name   {signed_in['owner']}"]
    if signed_in["password"]:
        lines.append(f"  password    {signed_in['password']}   (for the first sign-in only; it is not shown again)")
    elif signed_in["created"]:
        lines.append("  password    the one in ADMIN_PASSWORD")
    else:
        lines.append(f"  forgotten?  .venv/bin/flask user reset-password {signed_in['owner']}")
    lines += [f"  data        {folder}", "  Ctrl-C stops everything."]
    print("\n" + "\n".join(lines) + "\n", flush=True)


def main() -> int:
    """Run the console on this machine; returns the exit code."""
    keep_private()
    return Launcher().run()


if __name__ == "__main__":
    sys.exit(main())
