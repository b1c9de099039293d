"""The launcher as a person meets it: real processes, a real data folder, real signals."""

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.wait import until
from workers.launch import children, redis_server

ROOT = Path(__file__).parent.parent.parent


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def environment(folder: Path, **variables: str) -> dict[str, str]:
    return {**os.environ, "DATA_DIR": str(folder), "DEMO": "0", **variables}


class Console:
    """One run of the launcher in a session of its own; everything it says is kept."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.port = free_port()
        variables.setdefault("PORT", str(self.port))
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers.launch.supervisor"],
            cwd=ROOT,
            env=environment(folder, **variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = ""

    def until(self, words: str) -> str:
        """Read on until a line with these words; returns the line."""
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return line
        raise AssertionError(f"ended without saying {words!r}:\n{self.said}")

    def ready(self) -> float:
        """Wait for the greeting and return the seconds it took."""
        self.until("Ctrl-C stops everything")
        return time.monotonic() - self.began

    def get(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Accept": "text/html"})
            return connection.getresponse().status
        finally:
            connection.close()

    def signal(self, number: int) -> None:
        """Send a signal the way a terminal does: to the foreground group, of which the children are no part."""
        os.killpg(self.process.pid, number)

    def wait(self, seconds: float = 60) -> int:
        self.said += self.process.communicate(timeout=seconds)[0]
        return self.process.returncode

    def processes(self) -> list[int]:
        """Return the launcher and everything that was started below it: what carries our data folder."""
        mark = f"DATA_DIR={self.folder}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
        return found

    def end(self) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
        self.process.wait(30)
        self.process.stdout.close()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                children.kill_session(os.getsid(pid))


@pytest.fixture
def start(tmp_path):
    """Start a console; all of them are gone after the test."""
    started: list[Console] = []

    def begin(folder: Path = tmp_path / "data", **variables: str) -> Console:
        console = Console(folder, **variables)
        started.append(console)
        return console

    yield begin
    for console in started:
        console.end()


def refused(console: Console) -> str:
    """Wait for a start that fails; returns what it said."""
    assert console.wait() != 0
    return console.said


def test_a_life_of_the_console(start, tmp_path):
    """First start, second start, and nothing left after either."""
    first = start()
    first.ready()

    assert re.search(r"user name +owner\n +password +\S{12,}", first.said)
    assert first.get("/health") == 200
    assert first.get("/sign-in") == 200
    assert (first.folder / "secret_key").stat().st_mode & 0o077 == 0
    first.until("worker_starts")

    second_one = start(first.folder)
    holder = f"The console already runs on {first.folder} (process {first.process.pid}, http"
    assert refused(second_one).startswith(holder)

    first.signal(signal.SIGINT)
    assert first.wait() == 0
    assert first.processes() == []
    assert not (first.folder / "running.lock").exists()
    assert not redis_server.socket_path(first.folder).exists()

    again = start(first.folder)
    seconds = again.ready()
    assert "  password  " not in again.said
    assert "flask user reset-password owner" in again.said
    # Three seconds on an idle machine; here it has to share, and only something that hangs is wrong.
    assert seconds < 60
    again.signal(signal.SIGTERM)
    assert again.wait() == 0
    assert again.processes() == []


def test_a_killed_launcher_takes_everything_with_it(start):
    console = start()
    console.ready()
    console.until("worker_starts")
    assert len(console.processes()) > 4

    console.process.kill()
    console.wait()

    until(lambda: not console.processes())


def test_a_program_that_dies_comes_back(start):
    console = start()
    console.ready()
    console.until("worker_starts")
    (worker,) = [
        pid
        for pid in console.processes()
        if Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[1:4] == [b"-m", b"workers", b"worker"]
    ]

    os.kill(worker, signal.SIGKILL)

    console.until("ended with code -9; it is started again in 1 s")
    console.until("worker_starts")


def test_ctrl_c_during_the_start_leaves_nothing(start):
    console = start()
    until((console.folder / "running.lock").exists)

    console.signal(signal.SIGINT)

    assert console.wait() == 130
    assert "Traceback" not in console.said
    assert console.processes() == []
    assert not (console.folder / "running.lock").exists()


def test_a_taken_port_is_said(start):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        said = refused(start(PORT=str(port)))

    assert said == f"Port {port} is taken: stop what listens there, or name another one with PORT=...\n"


def test_a_data_folder_that_cannot_be_written_is_said(start, tmp_path):
    (tmp_path / "file").write_text("")

    said = refused(start(tmp_path / "file" / "data"))

    assert said == (
        f"DATA_DIR: {tmp_path}/file/data cannot be used (not a directory): mend it, or name another folder.\n"
    )


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"PORT": "eighty"}, "PORT: 'eighty' is not a number"),
        ({"HOST": "192.0.2.1"}, "HOST: '192.0.2.1' is not an address of this machine"),
        ({"DATABASE_URL": "postgresql://x@127.0.0.1:1/y"}, "The database cannot be used: "),
        ({"ENV": "production"}, "Preflight failed: required_env_database_url, "),
    ],
)
def test_a_wrong_variable_is_one_sentence(start, variables, sentence):
    console = start(**variables)

    said = refused(console)

    assert said.startswith(sentence)
    assert said.count("\n") == 1
    assert console.processes() == []
    assert not (console.folder / "running.lock").exists()
