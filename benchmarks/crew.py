"""The processes of an installation, two of everything, and what befalls them in a run that breaks things."""

from __future__ import annotations

import http.client
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field

from redis import Redis, RedisError

from benchmarks import bounds, server
from benchmarks.fuzz import HOST, Caller
from benchmarks.results import say
from tests.support.halves import HALVES
from tests.support.poisons import POISONS
from workers.launch import children

PATIENCE = 120.0


@dataclass
class Member:
    """One process that is started again when it ends; `steady` ones are never killed on purpose."""

    name: str
    arguments: list[str]
    port: int = 0
    steady: bool = False
    struck: bool = False
    process: subprocess.Popen[bytes] | None = None
    killed_at: list[float] = field(default_factory=list)

    def running(self) -> bool:
        """Return whether the process lives."""
        return self.process is not None and self.process.poll() is None


class Crew:
    """Two web servers, two workers and two schedulers on one database and one Redis."""

    def __init__(self, environ: Mapping[str, str], output: int) -> None:
        self._environ = dict(environ)
        self._output = output
        self.fallen = 0
        self.members = [
            Member("web", ["-m", "workers.web"], server.free_port(), steady=True),
            Member("web", ["-m", "workers.web"], server.free_port()),
            *(Member(name, ["-m", "workers", name]) for name in ("worker", "worker", "scheduler", "scheduler")),
        ]

    @property
    def web(self) -> list[Member]:
        """Return the web servers, the steady one first."""
        return [member for member in self.members if member.port]

    def start(self) -> None:
        """Start what does not run, and wait until the web servers answer."""
        for member in self.members:
            if not member.running():
                self._start(member)
        for member in self.web:
            self._wait(member)

    def _start(self, member: Member) -> None:
        own = {"HOST": HOST, "PORT": str(member.port), "WEB_WORKERS": "1", "WEB_THREADS": str(server.THREADS)}
        environ = {**self._environ, **(own if member.port else {})}
        command = [sys.executable, *member.arguments]
        member.process = children.spawn(command, cwd=server.ROOT, environ=environ, output=self._output)

    def watch(self) -> None:
        """Start again what ended although nobody killed it, as every supervisor does; `fallen` counts it."""
        for member in self.members:
            if not member.struck and not member.running():
                self._again(member)

    def _again(self, member: Member) -> None:
        self.fallen += 1
        say(f"{member.name} ended with exit code {member.process.returncode if member.process else None}")
        time.sleep(1)
        self._start(member)

    def _wait(self, member: Member) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if not member.running():
                # Whoever runs services starts them again; a port may be taken for a moment.
                self._again(member)
            with suppress(OSError, http.client.HTTPException), closing(_connection(member.port, 5)) as connection:
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.2)
        raise SystemExit(f"the web server on port {member.port} does not answer")

    def kill(self, member: Member, *, whole: bool) -> None:
        """Kill a process with SIGKILL, with all that it started or alone, and start it again."""
        if member.process is None:
            return
        member.killed_at.append(time.monotonic())
        member.struck = True
        if whole:
            children.kill_session(member.process.pid)
        else:
            with suppress(ProcessLookupError):
                os.kill(member.process.pid, signal.SIGKILL)
        member.process.wait(30)
        # Children end with their parent; two web servers would share one port.
        children.kill_session(member.process.pid)
        self._start(member)
        member.struck = False
        if member.port:
            self._wait(member)
        member.killed_at.append(time.monotonic())

    def memory_mib(self, member: Member) -> float:
        """Return the resident memory of the process of a web server that answers requests."""
        if member.process is None:
            return 0.0
        return max(map(server.memory_kib, children.session_members(member.process.pid)), default=0) / 1024

    def stop(self) -> None:
        """End everything."""
        for member in self.members:
            if member.process is not None:
                children.stop(member.process, 20)


def _connection(port: int, timeout: float) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(HOST, port, timeout=timeout)


class Blows:
    """What befalls a crew, one thing after another, chosen by chance; `counts` tells how often what was done."""

    def __init__(self, crew: Crew, redis_url: str, newest_run: Callable[[], int], person: Caller, seed: int) -> None:
        self._crew = crew
        self._redis_url = redis_url
        self._newest_run = newest_run
        self._person = person
        self._chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.beside_held: list[float] = []

    def strike(self) -> None:
        """Do one thing."""
        (blow,) = self._chance.choices((self._kill, self._flush, self._poison, self._hold), (3, 2, 2, 1))
        blow()

    def _kill(self) -> None:
        member = self._chance.choice([one for one in self._crew.members if not one.steady])
        self._crew.kill(member, whole=self._chance.random() < 0.5)
        self.counts[f"SIGKILL of a {member.name}"] += 1

    def _flush(self) -> None:
        with suppress(RedisError), Redis.from_url(self._redis_url) as redis:
            redis.flushall()
            self.counts["FLUSHALL"] += 1

    def _poison(self) -> None:
        poison = self._chance.choice(list(POISONS.values()))
        with suppress(RedisError), Redis.from_url(self._redis_url) as redis:
            poison(redis, self._newest_run())
            self.counts["poisoned keys"] += 1

    def _hold(self) -> None:
        port = self._crew.web[0].port
        with ExitStack() as held:
            bounds.hold(port, self._chance.choice(list(HALVES)), held, self._person)
            self.beside_held += [bounds.ask(port, path, self._person)[1] for path in ("/health", "/admin/sites")]
        self.counts["held bodies"] += bounds.HELD
