import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from tests.support.wait import until
from workers.launch import children, redis_server
from workers.launch.redis_server import RedisServer, RedisStartError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def server(tmp_path):
    server = RedisServer(tmp_path)
    server.start(output=subprocess.DEVNULL)
    yield server
    server.stop()


def client(server: RedisServer) -> redis.Redis:
    return redis.Redis.from_url(server.url)


def test_it_answers_on_a_private_socket_only(server):
    with client(server) as connection:
        assert connection.ping()
        assert connection.config_get("port") == {"port": "0"}
    assert server.socket.stat().st_mode & 0o077 == 0
    assert server.socket.parent.stat().st_mode & 0o077 == 0


def test_the_queue_survives_a_killed_server(server):
    with client(server) as connection:
        connection.rpush("queue", "run-1", "run-2")
        connection.execute_command("BGREWRITEAOF")
        until(lambda: not connection.info("persistence")["aof_rewrite_in_progress"])
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()

    server.start(output=subprocess.DEVNULL)

    with client(server) as connection:
        assert connection.lrange("queue", 0, -1) == [b"run-1", b"run-2"]


def test_stopping_leaves_neither_process_nor_socket(server):
    process = server.process

    server.stop()

    assert process.poll() == 0
    assert not server.socket.parent.exists()
    assert not server.answers()


def test_the_address_belongs_to_the_data_folder(tmp_path):
    assert redis_server.url(tmp_path) == redis_server.url(tmp_path / "x" / "..")
    assert redis_server.url(tmp_path) != redis_server.url(tmp_path / "other")


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    server = RedisServer(tmp_path)
    server.socket.parent.symlink_to(tmp_path)

    with pytest.raises(RedisStartError, match="belongs to somebody else"):
        server.start(output=subprocess.DEVNULL)

    server.socket.parent.unlink()


def test_a_path_that_is_too_long_for_a_socket_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(redis_server.tempfile, "gettempdir", lambda: str(tmp_path / ("x" * 100)))

    with pytest.raises(RedisStartError, match="TMPDIR: .* is too long"):
        RedisServer(tmp_path / "data").start(output=subprocess.DEVNULL)


def test_a_child_dies_with_the_process_that_started_it(tmp_path):
    script = (
        "from workers.launch import children; c = children.spawn(['sleep', '60']); print(c.pid, flush=True); c.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()

    until(lambda: not children.session_members(child))


def test_stopping_a_child_ends_what_it_started():
    # The grandchild moves into another process group, as the work-horse of a worker does.
    script = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.fork() or (os.setpgid(0, 0), time.sleep(60))\n"
        "print('started', flush=True); time.sleep(60)"
    )
    child = children.spawn([sys.executable, "-c", script])
    assert child.stdout.readline() == b"started\n"
    assert len(children.session_members(child.pid)) > 1

    children.stop(child, timeout=0.1)

    assert children.session_members(child.pid) == []
    child.stdout.close()
