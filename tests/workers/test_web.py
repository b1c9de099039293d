"""The web server as a process: a refused start in one sentence, and an end that leaves nobody behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.wait import until
from workers.launch import children, startup

ROOT = Path(__file__).parent.parent.parent
# What a slow machine may need to load the application.
PATIENCE = 90


@pytest.fixture
def start(tmp_path):
    """Return `start(**variables)`: a web server of two processes and its port."""
    started = []

    def launch(**variables):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        environ = {**os.environ, "ENV": "test", "DATA_DIR": str(tmp_path), "PORT": str(port), "WEB_WORKERS": "2"}
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.web"],
            cwd=ROOT,
            env={**environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process, port

    yield launch
    for process in started:
        children.kill_session(process.pid)
        process.communicate()


def forks(process):
    return [pid for pid in children.session_members(process.pid) if pid != process.pid]


@pytest.mark.parametrize("serving", [True, False], ids=["serving", "starting"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nobody_is_left_behind(start, serving, number):
    process, port = start()
    if serving:
        until(lambda: startup.answers("127.0.0.1", port))
    until(lambda: len(forks(process)) >= 2)
    os.kill(process.pid, number)

    process.wait(PATIENCE)
    until(lambda: not children.session_members(process.pid))
    assert not startup.answers("127.0.0.1", port)


@pytest.mark.parametrize(
    ("variables", "code", "words"),
    [
        ({"PORT": "much"}, 2, "PORT"),
        ({"ENV": "production", "DATABASE_URL": ""}, 1, "Preflight failed"),
        ({"DATA_DIR": "/proc/nowhere"}, 1, "DATA_DIR"),
        ({"HOST": "not.an.address.invalid"}, 2, "HOST"),
    ],
)
def test_a_refused_start_is_one_sentence_and_one_exit_code(start, variables, code, words):
    process, _port = start(**variables)
    said, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == code
    assert words in said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("variables", "code", "words"),
    [({"PORT": "much"}, 2, "PORT"), ({"ENV": "production", "DATABASE_URL": ""}, 1, "Preflight failed")],
)
def test_any_other_server_gets_one_sentence_too(tmp_path, variables, code, words):
    environ = {**os.environ, "ENV": "test", "DATA_DIR": str(tmp_path), **variables}
    found = subprocess.run(
        [sys.executable, "-c", "import wsgi"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )

    assert (found.returncode, found.stdout) == (code, "")
    assert words in found.stderr
    assert "Traceback" not in found.stderr
