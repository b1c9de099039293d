"""Long answers through the real server: sent while they are made, and nobody's thread while they are read."""

import http.client
import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, closing, suppress

import pytest

from tests.support.stream_server import LARGE_PARTS, PART, THREADS
from tests.support.wait import PATIENCE, until
from tests.workers.launch.conftest import ROOT


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.stream_server", str(port)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    try:
        until(lambda: answers(port))
        yield port
        assert list(folder.iterdir()) == []
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def answers(port):
    with suppress(OSError):
        return state(port)
    return None


def asked(port, path):
    """Return a connection over which `path` was asked for, and the answer that has begun."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path)
    return connection, connection.getresponse()


def whole(port, path):
    connection, answer = asked(port, path)
    with closing(connection):
        return answer.read()


def state(port):
    return json.loads(whole(port, "/state"))


def test_the_first_byte_is_there_before_the_end_is_made(port):
    connection, answer = asked(port, "/waits")
    with closing(connection):
        assert answer.read(len(PART)) == PART
        whole(port, "/go")

        rest = answer.read()

    assert (len(rest), rest[-7:]) == (4 * len(PART) + 7, b"the end")


def test_half_an_answer_breaks_the_connection_off(port):
    connection, answer = asked(port, "/breaks")
    with closing(connection), pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()

    until(lambda: state(port)["kept"] == 0)


def test_readers_who_take_nothing_hold_no_thread_and_get_it_whole_in_the_end(port):
    before = state(port)["large"]
    with ExitStack() as held:
        slow = [asked(port, "/large") for _ in range(THREADS * 3)]
        for connection, _answer in slow:
            held.enter_context(closing(connection))

        until(lambda: state(port)["large"] == before + len(slow))
        assert state(port)["kept"] == len(slow)
        for _connection, answer in slow:
            assert len(answer.read()) == LARGE_PARTS * len(PART)

    until(lambda: state(port)["kept"] == 0)


def test_a_reader_who_leaves_ends_the_making(port):
    pipes = state(port)["pipes"]
    for _ in range(THREADS + 1):
        before = state(port)["stopped"]
        connection, answer = asked(port, "/endless")
        assert answer.read(1000)
        answer.close()
        connection.close()
        until(lambda before=before: state(port)["stopped"] == before + 1)

    until(lambda: (state(port)["kept"], state(port)["pipes"]) == (0, pipes))
