"""A group of programs that are kept running: their output with names in front, their restarts, their end."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from workers.launch import children

# Seconds before a program that has ended is started again; the last one holds from then on.
BACK_OFF = (1.0, 3.0, 7.0, 15.0, 30.0)
# After this long a program counts as healthy, and its next end as its first.
HEALTHY_AFTER = 60.0
# What servers say at every start and stop, and advice that our settings have an answer to.
NOISE = (
    "quite high compared to the number of CPU cores",
    "oO0OoO0OoO0Oo",
    "Redis version=",
    "Configuration loaded",
    "Server initialized",
    "Memory overcommit must be enabled",
    "Received SIGTERM scheduling shutdown",
    "User requested shutdown",
    "Redis is now ready to exit",
)


@dataclass
class Program:
    """One program of the group and how it fares."""

    name: str
    launch: Callable[[], subprocess.Popen[bytes]]
    stop_seconds: float
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    restart_at: float | None = None
    rest: bytes = field(default=b"", repr=False)


class Group:
    """The programs of the launcher; `tend` has to be called again and again."""

    def __init__(self) -> None:
        self.hurry = False
        self._programs: dict[str, Program] = {}
        self._selector = selectors.DefaultSelector()
        self._stopping: set[str] = set()

    def add(self, name: str, launch: Callable[[], subprocess.Popen[bytes]], stop_seconds: float) -> Program:
        """Take a program into the group without starting it; one that is there gets a new launch for its next start."""
        program = self._programs.setdefault(name, Program(name, launch, stop_seconds))
        program.launch = launch
        return program

    def start(self, name: str) -> None:
        """Start a program; raises what its launch raises."""
        program = self._programs[name]
        program.restart_at = None
        program.process = program.launch()
        program.started_at = time.monotonic()
        if program.process.stdout is not None:
            os.set_blocking(program.process.stdout.fileno(), False)
            self._selector.register(program.process.stdout, selectors.EVENT_READ, program)

    def failures(self, name: str) -> int:
        """Tell how often in a row a program has ended by itself."""
        return self._programs[name].failures

    def tend(self, seconds: float) -> None:
        """Pass output on for up to so many seconds, notice ends, and start again what is due."""
        self.pass_on(seconds)
        now = time.monotonic()
        for program in self._programs.values():
            if program.process is not None and program.process.poll() is not None:
                self._ended(program, now)
            elif program.restart_at is not None and now >= program.restart_at and program.name not in self._stopping:
                self._again(program)

    def stop(self, names: Iterable[str]) -> None:
        """End these programs together: politely, after their time or in a hurry by force."""
        programs = [self._programs[name] for name in names if name in self._programs]
        self._stopping.update(program.name for program in programs)
        running = [program for program in programs if program.process is not None]
        for program in running:
            _signal(program, signal.SIGTERM)
        asked_at = time.monotonic()
        while any(self._alive(program) for program in running):
            self.pass_on(0.05)
            waited = time.monotonic() - asked_at
            for program in running:
                if self.hurry or waited > program.stop_seconds:
                    _signal(program, signal.SIGKILL)
        for program in running:
            assert program.process is not None
            children.kill_session(program.process.pid)
        self.pass_on(0)
        for program in running:
            self._close(program)

    def pass_on(self, seconds: float) -> None:
        """Write what the programs say, waiting up to so many seconds for it."""
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            program: Program = key.data
            with suppress(BlockingIOError):
                while chunk := os.read(key.fd, 65536):
                    *lines, program.rest = (program.rest + chunk).split(b"\n")
                    for line in lines:
                        _say(program.name, line.decode("utf-8", "replace"))
                self._selector.unregister(key.fileobj)

    def _alive(self, program: Program) -> bool:
        return program.process is not None and program.process.poll() is None

    def _ended(self, program: Program, now: float) -> None:
        assert program.process is not None
        code = program.process.returncode
        children.kill_session(program.process.pid)
        self.pass_on(0)
        self._close(program)
        if now - program.started_at > HEALTHY_AFTER:
            program.failures = 0
        pause = BACK_OFF[min(program.failures, len(BACK_OFF) - 1)]
        program.failures += 1
        if program.name not in self._stopping:
            program.restart_at = now + pause
            _say(program.name, f"ended with code {code}; it is started again in {pause:.0f} s")

    def _again(self, program: Program) -> None:
        try:
            self.start(program.name)
        except (OSError, RuntimeError) as error:
            pause = BACK_OFF[min(program.failures, len(BACK_OFF) - 1)]
            program.failures += 1
            program.restart_at = time.monotonic() + pause
            _say(program.name, f"does not start ({error}); once more in {pause:.0f} s")

    def _close(self, program: Program) -> None:
        if program.process is not None and program.process.stdout is not None:
            with suppress(KeyError):
                self._selector.unregister(program.process.stdout)
            program.process.stdout.close()
        # Last words without an end of line are none of the next start's.
        _say(program.name, program.rest.decode("utf-8", "replace"))
        program.rest = b""
        program.process = None


def _signal(program: Program, number: int) -> None:
    assert program.process is not None
    with suppress(ProcessLookupError):
        if number == signal.SIGKILL:
            os.killpg(program.process.pid, number)
        else:
            program.process.send_signal(number)


def _say(name: str, line: str) -> None:
    if any(word in line for word in NOISE) or not line.strip():
        return
    with suppress(BrokenPipeError):
        print(f"{name:<9} | {line}", flush=True)
