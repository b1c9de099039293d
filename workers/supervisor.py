"""The launcher behind `make run`: everything that one machine needs, started in order and stopped in order.

Lock -> data folder -> port -> Redis -> migrations, first owner, demo company -> web -> worker and scheduler. A process
that ends is started again, each time a little later. Ctrl-C stops web and scheduler first, then the worker, which may
finish its job, then Redis; a second Ctrl-C ends all of them at once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from workers import children, startup, web
from workers.processes import Group, Program, finished
from workers.redis_server import RedisServer, RedisStartError
from workers.startup import StartError

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN = 90.0
# A worker may finish the job it is on; what is left then is closed and repeated by the reaper.
STOP_SECONDS = {"web": 20.0, "scheduler": 20.0, "worker": 60.0, "redis": 10.0}
STOP_ORDER = (("web", "scheduler"), ("worker",), ("redis",))


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM while the console is still starting."""


class Preparation:
    """The helper process that knows the application (workers/prepare.py)."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.done = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers.prepare"],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=children.parent_follower(),
        )

    def settings(self) -> dict[str, Any]:
        """Give the settings that the launcher needs; raises StartError for a wrong variable."""
        found: dict[str, Any] = self._read("settings")
        return found

    def finish(self, redis_url: str) -> dict[str, Any]:
        """Let it migrate and seed; gives who can sign in. Raises StartError with its sentence."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"redis_url": redis_url}) + "\n")
        self.process.stdin.flush()
        result: dict[str, Any] = self._read("result")
        self.done = True
        return result

    def _read(self, part: str) -> Any:
        assert self.process.stdout is not None
        message = json.loads(self.process.stdout.readline() or "{}")
        if part not in message:
            problem = message.get("problem", "The start failed; the lines above tell why.")
            raise StartError(problem, message.get("code", 1))
        return message[part]

    def close(self) -> None:
        """End the helper; one that still works is told to stop, and its transaction is rolled back."""
        if not self.done:
            self.process.terminate()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        finished(self.process, 10)


class Launcher:
    """One run of everything; `run()` gives the exit code."""

    def __init__(self) -> None:
        self.starting = True
        self.stops = 0
        self.group = Group()

    def run(self) -> int:
        """Start, watch until somebody says stop, and stop again."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
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

    def _start(self, stack: ExitStack) -> None:
        began = time.monotonic()
        environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
        helper = Preparation(environ)
        stack.callback(helper.close)
        settings = helper.settings()
        folder = Path(settings["DATA_DIR"])
        address = startup.address(settings["HOST"], settings["PORT"])
        startup.check_folder(folder)
        lock = startup.Lock(folder)
        lock.acquire(address)
        stack.callback(lock.release)
        startup.check_port(settings["HOST"], settings["PORT"])
        if not settings["REDIS_URL"]:
            environ["REDIS_URL"] = self._redis(folder, stack)
        self._programs(settings, {**environ, web.GATE: str(lock.gate)})
        signed_in = helper.finish(environ["REDIS_URL"])
        helper.close()
        lock.open_gate()
        self._wait_until_ready(settings)
        self.starting = False
        for name in ("worker", "scheduler"):
            self.group.start(name)
        _greet(address, folder, signed_in, time.monotonic() - began)

    def _redis(self, folder: Path, stack: ExitStack) -> str:
        server = RedisServer(folder)
        stack.callback(server.stop)
        self.group.add(Program("redis", server.start, STOP_SECONDS["redis"]))
        self.group.start("redis")
        return server.url

    def _programs(self, settings: dict[str, Any], environ: dict[str, str]) -> None:
        for name, arguments in (
            ("web", web.command(settings, "workers.gated:app")),
            ("worker", [sys.executable, "-m", "workers", "worker"]),
            ("scheduler", [sys.executable, "-m", "workers", "scheduler"]),
        ):
            self.group.add(Program(name, _starter(arguments, environ), STOP_SECONDS[name]))
        self.group.start("web")

    def _wait_until_ready(self, settings: dict[str, Any]) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not startup.answers(settings["HOST"], settings["PORT"]):
            self.group.tend(0.05)
            if self.group.failures("web"):
                raise StartError("The web server does not start; the lines above tell why.")
            if time.monotonic() > deadline:
                raise StartError(f"The web server gave no answer within {READY_WITHIN:.0f} seconds.")

    def _watch(self) -> None:
        while not self.stops:
            self.group.tend(0.5)

    def _give_up(self) -> None:
        """End a start that failed: the web server has nothing to finish yet and may only be waiting."""
        self.starting = False
        hurry, self.group.hurry = self.group.hurry, True
        self.group.stop(("web",))
        self.group.hurry = hurry
        self._stop()

    def _stop(self) -> None:
        for names in STOP_ORDER:
            self.group.stop(names)


def _starter(arguments: list[str], environ: dict[str, str]) -> Callable[[], subprocess.Popen[bytes]]:
    return lambda: children.spawn(arguments, environ=environ, cwd=ROOT)


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
    """Run the console on this machine; gives the exit code."""
    return Launcher().run()


if __name__ == "__main__":
    sys.exit(main())
