import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from workers.launch import startup
from workers.launch.startup import Lock, StartError

ROOT = Path(__file__).parents[3]


def test_the_data_folder_is_made(tmp_path):
    startup.check_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StartError, match=r"DATA_DIR: .*/file/data cannot be used \(not a directory\)"):
        startup.check_folder(tmp_path / "file" / "data")


def test_a_full_disk_is_said():
    # /dev/shm of this process is no place to fill: the smallest file that the system refuses does as well.
    script = (
        "import resource, signal, sys; from pathlib import Path; from workers.launch import startup\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))\n"
        "startup.check_folder(Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(ROOT / "tests")], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert "StartError: DATA_DIR:" in done.stderr
    assert "file too large" in done.stderr


def test_the_lock_is_held_once(tmp_path):
    first = Lock(tmp_path)
    first.acquire("http://127.0.0.1:8001")

    with pytest.raises(StartError, match=rf"already runs on .* \(process {os.getpid()}, http://127.0.0.1:8001\)"):
        Lock(tmp_path).acquire("http://127.0.0.1:8002")

    first.release()


def test_releasing_leaves_no_file_and_lets_the_next_one_in(tmp_path):
    first = Lock(tmp_path)
    first.acquire("x")
    first.release()
    assert list(tmp_path.iterdir()) == []

    second = Lock(tmp_path)
    second.acquire("y")

    assert second.path.read_text() == f"process {os.getpid()}, y\n"
    second.release()


def test_the_lock_of_a_killed_launcher_does_not_hold(tmp_path):
    (tmp_path / "running.lock").write_text("process 1, http://127.0.0.1:8001\n")

    lock = Lock(tmp_path)
    lock.acquire("z")

    assert lock.path.read_text() == f"process {os.getpid()}, z\n"
    lock.release()


def test_a_taken_port_is_said():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(StartError, match=f"Port {port} is taken"):
            startup.check_port("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no host"])
def test_a_host_that_is_not_ours_is_said(host):
    with pytest.raises(StartError, match="HOST: .* is not an address of this machine") as caught:
        startup.check_port(host, 8001)

    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "http://127.0.0.1:8001"), ("0.0.0.0", "http://127.0.0.1:8001"), ("::1", "http://[::1]:8001")],
)
def test_the_address_is_what_a_browser_takes(host, shown):
    assert startup.address(host, 8001) == shown


def test_a_port_where_nothing_listens_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

    assert startup.answers("127.0.0.1", port) is False
